// The mirrored state: links, addresses and neighbours of one network namespace, and what each event changed in it.
// Pure: events come in, effective changes come out; reading them from the kernel is the reflector's work.
// Routes are not kept: the kernel decides them by itself (RTM_GETROUTE), and a full Internet table must cost nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "control/netlink/objects.h"

namespace sluice::control::netlink {

class Mirror {
 public:
  /// Takes an event in. Returns what is different now, in order: nothing for a repetition; for a link that went
  /// also its addresses and neighbours. Route and policy events pass through.
  std::vector<Event> apply(const Event& event);

  /// A complete dump follows: entries that it doesn't mention went unnoticed.
  void begin_resync();
  /// The dump is complete: removes what was not mentioned since begin_resync() and returns those removals.
  std::vector<Event> finish_resync();

  [[nodiscard]] const Link* link(int ifindex) const;
  [[nodiscard]] const Link* link(std::string_view name) const;
  [[nodiscard]] std::vector<Link> links() const;  ///< by ifindex
  [[nodiscard]] std::vector<InterfaceAddress> addresses() const;
  /// Of one interface, the oldest first: the primary one before its secondaries.
  [[nodiscard]] std::vector<InterfaceAddress> addresses_of(int ifindex) const;
  [[nodiscard]] const Neighbour* neighbour(const NeighbourKey& key) const;
  /// 127.0.0.0/8, ::1, or on any interface.
  [[nodiscard]] bool is_local(const net::IpAddr& address) const;
  /// The interface with the lowest index that carries it; null if none does.
  [[nodiscard]] const Link* link_with(const net::IpAddr& address) const;

 private:
  template <typename Value>
  struct Entry {
    Value value;
    std::uint64_t seen = 0;   ///< the resync_ during which it was last mentioned
    std::uint64_t order = 0;  ///< addresses only: in which they came
  };

  void remove_link(int ifindex, std::vector<Event>& changes);
  void remove_address(const InterfaceAddress& address, std::vector<Event>& changes);
  void set_neighbour(const Neighbour& neighbour, std::vector<Event>& changes);

  std::map<int, Entry<Link>> links_;
  std::map<InterfaceAddress, Entry<InterfaceAddress>> addresses_;
  std::map<net::IpAddr, std::multiset<int>> carriers_;  // address -> interfaces that have it
  std::map<NeighbourKey, Entry<Neighbour>> neighbours_;
  std::uint64_t resync_ = 0;
  std::uint64_t addresses_seen_ = 0;
};

}  // namespace sluice::control::netlink
