// Sends gratuitous ARPs and unsolicited neighbour advertisements, each interface's at the pace that was asked for. When
// and how often is vrrp/garp.h's. Used on the vrrp thread; never blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/netlink/objects.h"
#include "control/unique_fd.h"
#include "net/error.h"
#include "vrrp/garp.h"

namespace sluice::control {

class Announcer {
 public:
  /// link: an interface of now, null if it is gone.
  static Result<Announcer> open(std::function<const netlink::Link*(int ifindex)> link);

  /// Which interfaces have which budgets, from now on. What waits is forgotten.
  void configure(const config::VrrpDefaults& defaults, const std::vector<config::GarpGroup>& groups);

  /// Announces each target `repeat` times, in turns: what is due goes out before this returns. GarpTarget::interface is
  /// an ifindex.
  void announce(vrrp::Time now, std::span<const vrrp::GarpTarget> targets, std::uint32_t repeat);
  /// The instance is no longer master.
  void forget(std::uint32_t instance);

  /// When to call on_timer(); nothing: nothing waits.
  [[nodiscard]] std::optional<vrrp::Time> next() const;
  void on_timer(vrrp::Time now) { send_due(now); }

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  Announcer(UniqueFd socket, std::function<const netlink::Link*(int)> link)
      : socket_(std::move(socket)), link_(std::move(link)) {}
  vrrp::GarpPacer& pacer_of(int ifindex);
  void send_due(vrrp::Time now);
  /// Who forwards IPv6, by ifindex: looked up once in a burst, which may be thousands.
  using Forwarding = std::map<int, bool>;
  void send(const vrrp::GarpTarget& target, Forwarding& forwarding);

  struct Group {
    std::vector<std::string> interfaces;
    vrrp::GarpPacer pacer;
  };

  UniqueFd socket_;
  std::function<const netlink::Link*(int)> link_;
  vrrp::Microseconds garp_interval_{0};
  vrrp::Microseconds gna_interval_{0};
  std::vector<Group> groups_;
  std::map<int, vrrp::GarpPacer> pacers_;  // by ifindex of the lowest interface, of those in no group
  std::uint64_t sent_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace sluice::control
