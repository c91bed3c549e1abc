// From "which way would the kernel send" to "what goes into the Ethernet header": pure rules over a mirror of links
// and neighbours. Asking the kernel, and noticing when an answer is outdated, is next_hop.h's work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/netlink/mirror.h"
#include "control/netlink/objects.h"
#include "net/address.h"

namespace sluice::control::netlink {

/// The kernel's answer to "how would you send to this address?" (RTM_GETROUTE).
struct RouteDecision {
  enum class Kind : std::uint8_t { unicast, local, refused };

  Kind kind = Kind::unicast;
  std::string reason;                  ///< when refused: "no route"
  int ifindex = 0;                     ///< the route's interface, which may be a VLAN sub-interface
  std::optional<net::IpAddr> gateway;  ///< none: the address is on the link itself
  net::Ipv4Addr source_address{};      ///< 0.0.0.0 for IPv6
  std::uint32_t mtu = 0;               ///< set on the route or learned (path MTU); 0 = the link's

  bool operator==(const RouteDecision&) const = default;
};

/// Where frames for an address go.
struct NextHop {
  enum class State : std::uint8_t { resolved, local, unresolved };

  State state = State::unresolved;
  std::string reason;              ///< when unresolved: a sentence for the operator
  int ifindex = 0;                 ///< egress; the lower device if the route goes through a VLAN sub-interface
  std::uint16_t vlan = 0;          ///< tag to put on; 0 = untagged
  net::MacAddr destination_mac{};  ///< zero where the interface has no Ethernet header
  net::MacAddr source_mac{};
  net::Ipv4Addr source_address{};  ///< preferred source: outer source of tunnels
  std::uint32_t mtu = 0;           ///< bytes of layer 3

  bool operator==(const NextHop&) const = default;
};

/// The neighbour whose MAC decides: the gateway, or the address itself. None if local, refused, or on an interface
/// without neighbours. Pure.
[[nodiscard]] std::optional<NeighbourKey> deciding_neighbour(const net::IpAddr& address, const RouteDecision& decision,
                                                             const Mirror& mirror);

/// Applies what the mirror knows to the kernel's decision. Only a neighbour that the kernel would send to resolves
/// (NUD_VALID: reachable, stale, delay, probe, permanent, no ARP). Pure; cheap.
[[nodiscard]] NextHop choose_next_hop(const net::IpAddr& address, const RouteDecision& decision, const Mirror& mirror);

}  // namespace sluice::control::netlink
