// keepalived's signature behind an advertisement (auth_hmac, from its 2.4 on): 28 bytes with HMAC-SHA-256, for either
// version and family, inside the IP length and outside VRRP's checksum. Its layout, its digest, and which of them were
// seen before. Pure: the time comes in. codec.h appends it, and looks for it by the packet's length.
//
//   0        1        2                 4               8                 10               12
//   | type 1 | key id | reserved, 0     | UTC seconds   | 1/65536 seconds | counter        | first 16 bytes of the
//   digest
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "net/address.h"

namespace sluice::vrrp {

inline constexpr std::size_t hmac_trailer_size = 28;
using HmacTrailer = std::array<std::uint8_t, hmac_trailer_size>;

struct HmacKey {
  std::uint8_t id = 1;               ///< 1..255
  std::vector<std::uint8_t> secret;  ///< 32 to 64 bytes

  bool operator==(const HmacKey&) const = default;
};

/// How an instance signs, and what it takes. A trailer that is there must be right, whatever the mode.
struct HmacAuthentication {
  /// permissive takes what has no trailer as well; receive_only does, too, and doesn't sign: how a group of routers is
  /// brought to signatures, and from one key to the next, without an interruption.
  enum class Mode : std::uint8_t { enforce, permissive, receive_only };

  std::vector<HmacKey> keys;
  std::uint8_t active_key = 1;  ///< id of the one that signs
  Mode mode = Mode::enforce;
  /// How far a stamp may be from the time; nothing: it needs only to be new (anti_replay monotonic).
  std::optional<std::chrono::seconds> window;

  [[nodiscard]] bool signs() const { return mode != Mode::receive_only; }
  /// Null: none of the keys has its id.
  [[nodiscard]] const HmacKey* signing_key() const;

  bool operator==(const HmacAuthentication&) const = default;
};

/// When a packet was signed; each of a sender's is beyond the one before.
struct HmacStamp {
  std::uint32_t seconds = 0;  ///< UTC, modulo 2^32
  std::uint16_t fraction = 0;
  std::uint16_t counter = 0;  ///< of packets in one fraction

  [[nodiscard]] std::uint64_t value() const {
    return std::uint64_t{seconds} << 32u | std::uint64_t{fraction} << 16u | counter;
  }
  bool operator==(const HmacStamp&) const = default;
};

/// What is signed besides the advertisement.
struct HmacScope {
  std::uint8_t version = 3;
  std::uint8_t vrid = 1;
  net::IpAddr source;
};

/// advertisement: at least 8 bytes; its checksum counts as zero. Nothing if libcrypto refuses.
[[nodiscard]] std::optional<HmacTrailer> sign(std::span<const std::uint8_t> advertisement, const HmacScope& scope,
                                              const HmacKey& key, const HmacStamp& stamp);

enum class HmacError : std::uint8_t { malformed, unknown_key, digest };
/// The stamp of a trailer that one of these keys has signed. Compares in constant time.
[[nodiscard]] std::expected<HmacStamp, HmacError> verify(std::span<const std::uint8_t> advertisement,
                                                         std::span<const std::uint8_t, hmac_trailer_size> trailer,
                                                         const HmacScope& scope, std::span<const HmacKey> keys);

/// The stamps of what we send: they grow although the clock may be set back.
class HmacClock {
 public:
  HmacStamp next(std::chrono::system_clock::time_point now);

 private:
  std::uint64_t last_ = 0;
};

/// Seconds go around, as in RFC 1982: half of them are newer than any.
[[nodiscard]] bool is_in_time(const HmacStamp& stamp, std::chrono::seconds window,
                              std::chrono::system_clock::time_point now);

/// What senders have used. Not thread-safe.
class HmacReplay {
 public:
  /// Numbers go around, too.
  [[nodiscard]] bool is_new(const net::IpAddr& sender, const HmacStamp& stamp) const;
  /// After verify() and is_new() only. senders_max: of whom is remembered; the one that was silent for longest makes
  /// room.
  void received(const net::IpAddr& sender, const HmacStamp& stamp, std::size_t senders_max);

 private:
  struct Mark {
    std::uint64_t highest = 0;
    std::uint64_t used = 0;  // in which order
  };
  std::uint64_t uses_ = 0;
  std::map<net::IpAddr, Mark> marks_;
};

}  // namespace sluice::vrrp
