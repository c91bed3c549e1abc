// TUN: the client's packet, TTL - 1, inside an IPv4 header of our own (IPIP, RFC 2003), as IPVS writes it:
// TTL copied after the decrement, TOS copied but CE becomes ECT(0), DF copied, id 0 with DF.
#pragma once

#include "dataplane/packet.h"

namespace sluice::dataplane {

inline constexpr std::uint16_t ipip_overhead = sizeof(net::Ipv4Header);

/// Puts the outer header in front of the packet, and moves packet.l3 to it. The inner TTL is above 1; the frame has
/// headroom; padding is cut off. id: IPv4 id of the outer header, used only without DF.
void encapsulate_ipip(Frame& frame, Packet& packet, net::Ipv4Addr source, net::Ipv4Addr destination, std::uint16_t id);

}  // namespace sluice::dataplane
