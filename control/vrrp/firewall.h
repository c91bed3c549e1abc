// Keeps packets for virtual addresses from this host while their instance is master and doesn't accept them
// (no_accept). Has firewall_rules.h's commands carried out by libnftables; which addresses it is about is the virtual
// routers' business. What is forwarded, and what the engine takes before the kernel sees it, passes. Used on the vrrp
// thread.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "control/vrrp/firewall_rules.h"

struct nft_ctx;

namespace sluice::control {

class Firewall {
 public:
  using Log = std::function<void(const std::string&)>;

  explicit Firewall(Log log);
  ~Firewall();
  Firewall(const Firewall&) = delete;
  Firewall& operator=(const Firewall&) = delete;

  /// is_needed: an instance may want addresses blocked. Makes the table, or removes it: also one that a director left
  /// that died. What was blocked stays blocked.
  void configure(FirewallSettings settings, bool is_needed);
  /// These, and no others, are blocked from now on. Some 0.3 ms if that is a change.
  void block(std::set<BlockedAddress> addresses);
  /// Takes the table away.
  void release();

 private:
  struct Free {
    void operator()(nft_ctx* context) const;
  };

  bool open();
  bool run(const std::string& commands);
  void make_table();

  Log log_;
  std::unique_ptr<nft_ctx, Free> nft_;  // null: not needed yet, or the kernel has no nf_tables
  FirewallSettings settings_;
  bool has_table_ = false;
  std::set<BlockedAddress> blocked_;
  std::string said_;  // what was logged last
};

}  // namespace sluice::control
