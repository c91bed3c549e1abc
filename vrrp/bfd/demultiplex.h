// Whose session a packet is for (RFC 5880 6.3, 6.8.6), and whether it may have come from where it did (RFC 5881 5,
// RFC 5883 4). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "net/address.h"
#include "vrrp/bfd/codec.h"

namespace sluice::vrrp::bfd {

/// What tells a session from all others.
struct SessionKey {
  std::uint32_t discriminator = 0;  ///< ours, never 0
  net::IpAddr neighbor;
  bool multihop = false;
  /// The least TTL or hop limit that its packets may have. 255 in a single hop: nobody farther away can send such a
  /// packet (GTSM, RFC 5082). Lowered by max_hops; 0: isn't checked.
  std::uint8_t ttl_min = 255;
};

/// keepalived: what comes in may have a TTL that is at most max_hops less than what goes out; -1 and 255: any. IPv6
/// goes out with 64 by default, so that GTSM takes `hoplimit 255` there.
[[nodiscard]] constexpr std::uint8_t ttl_min_of(unsigned ttl, int max_hops) {
  if (max_hops < 0 || max_hops >= int(ttl)) return 0;
  return std::uint8_t(int(ttl) - max_hops);
}

/// How a packet came.
struct Arrival {
  net::IpAddr source;
  std::uint8_t ttl = 0;
  bool multihop = false;  ///< to port 4784
};

struct Misfit {
  ReceiveError error;
  std::optional<std::size_t> session;  ///< nothing: it is nobody's
};

/// Index of the session that the packet belongs to.
[[nodiscard]] std::expected<std::size_t, Misfit> find_session(std::span<const SessionKey> sessions,
                                                              const ControlPacket& packet, const Arrival& arrival);

}  // namespace sluice::vrrp::bfd
