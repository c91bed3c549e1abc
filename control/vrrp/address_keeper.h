// The virtual addresses of one instance in the kernel: puts them there, takes them away, and knows them when somebody
// else does. Whether they should be there is the election's. Used on the vrrp thread.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/netlink/changes.h"
#include "control/netlink/mirror.h"
#include "vrrp/garp.h"

namespace sluice::control {

/// A virtual address, as it is to be in the kernel.
struct KeptAddress {
  netlink::NewAddress request;
  std::string interface;
  bool no_track = false;
  std::string track_group;  ///< of a static one; empty: none
  bool held = false;        ///< we put it there, or found it there when we were to

  /// The same address in the same place, whatever its lifetime and label are.
  [[nodiscard]] bool is_same(const KeptAddress& other) const { return request.address == other.request.address; }
};

class AddressKeeper {
 public:
  using Log = std::function<void(const std::string&)>;
  /// The interface that an address belongs to; empty: none that is known.
  using Place = std::function<std::string(const config::InterfaceAddress&)>;

  /// Borrows both.
  AddressKeeper(netlink::Changer& changer, const netlink::Mirror& mirror, Log log)
      : changer_(changer), mirror_(mirror), log_(std::move(log)) {}

  /// Takes away what is held and isn't wanted any more; what is new comes with own(). Returns whether there is
  /// something new.
  bool configure(const config::VrrpInstance& instance, const Place& place);
  /// An interface came, went or has another name or index.
  void interfaces_changed();

  /// Adds what isn't held. What was there already is ours from now on (keepalived).
  void own();
  void release();
  /// What a director that died has left.
  void remove_leftovers();

  /// The kernel says that it went: did somebody take it from us, and does that matter? What is left to do is release().
  [[nodiscard]] bool lost(const netlink::InterfaceAddress& address);
  /// One of the instance's, held or not.
  [[nodiscard]] bool has(const netlink::InterfaceAddress& address) const;

  /// track_groups that an address which isn't held belongs to.
  [[nodiscard]] std::set<std::string> groups_missing() const;

  /// Held ones, in the configuration's order, for the Announcer.
  [[nodiscard]] std::vector<vrrp::GarpTarget> targets(std::uint32_t instance) const;
  [[nodiscard]] const std::vector<KeptAddress>& addresses() const { return addresses_; }

 private:
  void remove(std::vector<KeptAddress*> some);

  netlink::Changer& changer_;
  const netlink::Mirror& mirror_;
  Log log_;
  std::vector<KeptAddress> addresses_;
};

}  // namespace sluice::control
