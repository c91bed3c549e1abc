// What build and check share: the first eight bytes of an advertisement, its length, its checksum.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "net/headers.h"
#include "vrrp/codec.h"

namespace sluice::vrrp::wire {

struct Head {
  std::uint8_t version_type;  ///< version in the high four bits
  std::uint8_t vrid;
  std::uint8_t priority;
  std::uint8_t addresses;
  net::Be16 interval;  ///< v2: authentication type, seconds; v3: 4 bits reserved, 12 bits centiseconds
  net::Be16 checksum;
};
static_assert(sizeof(Head) == 8 && std::is_trivial_v<Head>);

inline constexpr std::uint8_t type_advertisement = 1;
inline constexpr std::uint16_t interval_mask_v3 = 0x0fff;
inline constexpr std::size_t auth_data_size = sizeof(AuthKey);

constexpr std::size_t address_size(bool is_v6) { return is_v6 ? 16 : 4; }

/// Version 2 over IPv4 always ends in authentication data, zeros where there is none; keepalived's version 2 over IPv6
/// has none.
constexpr std::size_t auth_size(std::uint8_t version, bool is_v6) {
  return version == 2 && !is_v6 ? auth_data_size : 0;
}

/// Without signature. The head's own version decides whether there are authentication data.
constexpr std::size_t advertisement_size(const Head& head, bool is_v6) {
  return sizeof head + head.addresses * address_size(is_v6) + auth_size(head.version_type >> 4u, is_v6);
}

/// Multicast: keepalived remembers four senders; unicast: each peer. One more, because what we sent counts, too.
inline std::size_t hmac_senders_max(const WireConfig& config) {
  return std::max<std::size_t>(4, config.unicast ? config.peers.size() : 0) + 1;
}

/// Sum over an advertisement and whatever pseudo header the version and family have; 0xffff if its checksum is right,
/// and the complement of the checksum if that field is zero.
std::uint16_t sum(std::span<const std::uint8_t> advertisement, std::uint8_t version, const net::IpAddr& source,
                  const net::IpAddr& destination, bool v3_checksum_as_v2);

/// Network order.
void store_address(std::uint8_t* bytes, const net::IpAddr& address);
net::IpAddr load_address(const std::uint8_t* bytes, bool is_v6);

}  // namespace sluice::vrrp::wire
