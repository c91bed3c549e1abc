// The frames that tell hosts and switches where an address is now: gratuitous ARP (RFC 826, 5227) and the unsolicited
// neighbour advertisement (RFC 4861 7.2.6). Complete Ethernet frames, not padded. When they go out is garp.h.
#pragma once

#include <array>
#include <cstdint>

#include "net/address.h"

namespace sluice::vrrp {

using GarpFrame = std::array<std::uint8_t, 42>;
using NaFrame = std::array<std::uint8_t, 86>;

/// A request for `address` by itself, to everybody; keepalived fills the asked-for MAC with ones, and so do we. mac: of
/// the interface that holds the address.
[[nodiscard]] GarpFrame gratuitous_arp(const net::MacAddr& mac, net::Ipv4Addr address);

/// From `address` itself to all nodes, Override set. router: this host forwards IPv6 on that interface.
[[nodiscard]] NaFrame neighbour_advertisement(const net::MacAddr& mac, const net::Ipv6Addr& address, bool router);

}  // namespace sluice::vrrp
