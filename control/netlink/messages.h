// rtnetlink bytes to values and back (rtnetlink(7)). Pure: no sockets, no state; malformed or foreign messages give
// nothing. What is kept of the values is the mirror's business, when to ask is the reflector's and the resolver's.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/netlink/objects.h"
#include "control/netlink/route_decision.h"

namespace sluice::control::netlink {

using Bytes = std::vector<std::uint8_t>;

/// The change that a message of RTM_{NEW,DEL}{LINK,ADDR,NEIGH,ROUTE,RULE,NEXTHOP} tells, as event or part of a dump.
/// Nothing for other types, other families (bridge ports and FDB entries among them) and messages cut short.
[[nodiscard]] std::optional<Event> parse_event(const nlmsghdr& message);

/// The answer to route_request(): RTM_NEWROUTE, or NLMSG_ERROR with the kernel's refusal. Nothing for other messages.
[[nodiscard]] std::optional<RouteDecision> parse_route_answer(const nlmsghdr& message);

/// The errno of an NLMSG_ERROR message, positive; 0 for an acknowledgement; nothing for other messages.
[[nodiscard]] std::optional<int> parse_error(const nlmsghdr& message);

/// Calls take(message) for each whole message in a datagram. Stops at the first that claims more bytes than are there.
template <typename Take>
void for_each_message(std::span<const std::uint8_t> datagram, Take&& take) {
  // NLMSG_OK and NLMSG_NEXT in bounds-checked form; the receive buffer is aligned for nlmsghdr.
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto& message = *reinterpret_cast<const nlmsghdr*>(datagram.data());
    if (message.nlmsg_len < sizeof(nlmsghdr) || message.nlmsg_len > datagram.size()) return;
    take(message);
    const std::size_t step = NLMSG_ALIGN(message.nlmsg_len);
    if (step >= datagram.size()) return;
    datagram = datagram.subspan(step);
  }
}

/// type: RTM_GETLINK, RTM_GETADDR or RTM_GETNEIGH; everything of that type, of all families.
[[nodiscard]] Bytes dump_request(std::uint16_t type, std::uint32_t sequence);

/// "How would you send to this address?"
[[nodiscard]] Bytes route_request(const net::IpAddr& address, std::uint32_t sequence);

/// Makes the kernel resolve the neighbour as if it had a packet for it (NTF_USE), creating the entry if need be.
[[nodiscard]] Bytes neighbour_use_request(const NeighbourKey& key, std::uint32_t sequence);

/// Makes the kernel ask a stale neighbour at once (NUD_PROBE), without the five seconds that it waits after use.
/// The MAC is left alone: the entry must exist.
[[nodiscard]] Bytes neighbour_probe_request(const NeighbourKey& key, std::uint32_t sequence);

}  // namespace sluice::control::netlink
