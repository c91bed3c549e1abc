// What stands in front of what VRRP sends on Ethernet: its header, and IPv6's, without extension headers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "net/address.h"
#include "net/byte_order.h"

namespace sluice::vrrp {

struct Ipv6Header {
  net::Be32 version_class_flow;
  net::Be16 payload_length;
  std::uint8_t next_header, hop_limit;
  net::Ipv6Addr source, destination;
};
static_assert(sizeof(Ipv6Header) == 40);

struct FrameHead {
  std::array<std::uint8_t, 54> bytes{};
  std::size_t size = 0;  ///< 14 for IPv4, whose header is part of the packet; 54 for IPv6
};

/// For an advertisement as codec.h builds it, of `length` bytes, from `mac` to a group, whose MAC follows from its
/// address (RFC 1112 6.4, RFC 2464 7). Hop limit 255.
[[nodiscard]] FrameHead multicast_head(const net::MacAddr& mac, const net::IpAddr& source, const net::IpAddr& group,
                                       std::size_t length);

}  // namespace sluice::vrrp
