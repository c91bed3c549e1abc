// The IP Authentication Header as VRRP 2 uses it (RFC 2402 with HMAC-MD5-96, RFC 2403; VRRP: RFC 2338 10.3): its
// layout, its digest and its sequence numbers. IPv4 only. RFC 3768 removed it; keepalived still speaks it, and so do
// we.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "net/address.h"

namespace sluice::vrrp {

/// Eight bytes, filled up with zeros: the password of auth_type PASS, the key of AH.
using AuthKey = std::array<std::uint8_t, 8>;

using AhDigest = std::array<std::uint8_t, 12>;

struct AhHeader {
  std::uint8_t next_header;     ///< 112
  std::uint8_t payload_length;  ///< 32-bit words, minus 2
  net::Be16 reserved;
  net::Be32 spi;  ///< keepalived: the sender's IPv4 address
  net::Be32 sequence;
  AhDigest digest;
};
static_assert(sizeof(AhHeader) == 24 && std::is_trivial_v<AhHeader>);

inline constexpr std::uint8_t ah_payload_length = sizeof(AhHeader) / 4 - 2;

/// The digest of a whole IPv4 packet: header of 20 bytes, authentication header, advertisement. What routers change
/// counts as zero: TOS, flags and fragment, checksum (RFC 2402 3.3.3.1.1), and the digest itself. keepalived departs
/// from the RFC in one field, and so do we: the TTL is zeroed for unicast only; to a multicast group it counts, as 255.
/// packet: at least 44 bytes. Nothing if libcrypto refuses MD5 (a FIPS provider does). Pure.
[[nodiscard]] std::optional<AhDigest> ah_digest(std::span<const std::uint8_t> packet, const AuthKey& key, bool unicast);

/// The numbers of one instance. As in keepalived a backup follows its master's, and goes on from there when it takes
/// over. Survives a reload, not a restart.
///
/// keepalived has one counter for both directions. Two backups of the same priority then take over at the same moment
/// with the same number, each takes the other's for a replay, and as their timers beat together both stay master. Ours
/// asks only that a number is new among those received; what it sends itself comes back from nobody but a replayer, so
/// that is refused by its source (codec_check.cc).
class AhSequence {
 public:
  /// keepalived stops counting three before the end; the number then repeats, so that the others take over.
  static constexpr std::uint32_t last = 0xfffffffd;

  /// For the next packet out. The first is 1.
  std::uint32_t next();
  /// Newer than all that came before it?
  [[nodiscard]] bool is_new(std::uint32_t sequence) const { return sequence > received_; }
  /// After is_new() and a good digest only: what isn't authenticated must not move the counter.
  void received(std::uint32_t sequence);
  /// Starts again at 0 if the numbers are used up. Call on becoming master.
  void on_become_master();

 private:
  std::uint32_t sent_ = 0;  // or received: the next one out is beyond both
  std::uint32_t received_ = 0;
  bool exhausted_ = false;
};

}  // namespace sluice::vrrp
