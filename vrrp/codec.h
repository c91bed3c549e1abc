// Advertisements to bytes and back: VRRP 2 and 3 over IPv4 and IPv6, multicast and unicast, with the authentication
// that version 2 had, and keepalived's for both. Pure: no socket, no clock. What an advertisement means for the
// instance is election.h's.
//
// Over IPv4 whole packets go out and come in, IP header first (a raw socket with IP_HDRINCL); over IPv6 the
// advertisement only, and the kernel says where it came from. A packet goes in by two steps, because a socket is shared
// by instances:
//
//   open_ipv4 / open_ipv6  ->  Arrival (whose virtual router?)  ->  check, as that instance expects it  ->  Advert
//
//   0                   1                   2                   3            RFC 9568 5.1, RFC 3768 5.1
//   |Version| Type=1|  VRID        |  Priority     |  n addresses  |
//   | v2: auth type | v2: interval s                |   Checksum    |         then n addresses,
//   | v3: 0 | interval, centiseconds (12 bits)      |               |         then in v2 over IPv4 8 bytes of
//   authentication; with auth_hmac the 28 bytes of hmac_trailer.h behind all that
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "net/error.h"
#include "vrrp/ah.h"
#include "vrrp/hmac_trailer.h"
#include "vrrp/protocol.h"
#include "vrrp/receive_error.h"

namespace sluice::vrrp {

/// The wire's numbers (RFC 2338 5.3.6).
enum class AuthType : std::uint8_t { none = 0, password = 1, ah = 2 };

struct Authentication {
  AuthType type = AuthType::none;
  AuthKey key{};

  bool operator==(const Authentication&) const = default;
};

struct UnicastPeer {
  net::IpAddr address;
  bool checks_ttl = false;  ///< min_ttl or max_ttl was given
  std::uint8_t ttl_min = 0;
  std::uint8_t ttl_max = 255;

  bool operator==(const UnicastPeer&) const = default;
};

/// keepalived up to 1.3.6 summed 224.0.0.18 as the destination even into the checksum of unicast VRRP 3 over IPv4.
/// automatic: as the first peer does whose sum is right only that way, from then on.
enum class OldUnicastChecksum : std::uint8_t { automatic, always, never };

/// How one instance's advertisements look, its own and those it takes.
struct WireConfig {
  Version version = Version::v2;
  bool is_v6 = false;
  std::uint8_t vrid = 1;
  Centiseconds advertisement_interval{100};  ///< version 2: whole seconds
  Authentication authentication;             ///< only for version 2 over IPv4
  std::optional<HmacAuthentication> hmac;    ///< without the other one
  std::vector<net::IpAddr> addresses;        ///< of the instance's family; at most addresses_max()
  bool unicast = false;
  std::uint8_t unicast_ttl = ttl_multicast;
  std::vector<UnicastPeer> peers;
  bool check_unicast_src = false;  ///< a peer with a TTL range turns it on, too
  bool v3_checksum_as_v2 = false;  ///< VRRP 3 over IPv4 without pseudo header (RFC 9568 5.2.8)
  OldUnicastChecksum old_unicast_checksum = OldUnicastChecksum::automatic;
};

/// What changes with each packet. One per instance, survives a reload. Not thread-safe.
struct WireState {
  AhSequence ah_sequence;
  std::uint16_t ip_id = 0;  ///< of the last packet out; the first is 1, and 0 never: the kernel would fill it in
  bool old_unicast_checksum_seen = false;
  HmacClock hmac_clock;
  HmacReplay hmac_replay;
  std::optional<net::Ipv4Addr> ah_source;  ///< of the last packet out with AH: what comes from there is a replay
};

/// How many addresses an advertisement may carry where a packet's largest size is `mtu`: 255, or less. keepalived
/// subtracts the Ethernet header, too (89 for IPv6 at 1500), and so do we. has_hmac: a trailer has to fit, too.
[[nodiscard]] std::size_t addresses_max(std::size_t mtu, bool is_v6, Version version, AuthType authentication,
                                        bool has_hmac = false);

/// How long the instance's packets are: over IPv4 with IP's header, as build() makes them.
[[nodiscard]] std::size_t packet_bytes(const WireConfig& config);

/// Puts the next advertisement into `packet` (replaced; its memory is used again). source and destination are of the
/// instance's family. now: what a signature says, nothing else. Counts up state. Fails if libcrypto refuses MD5 or
/// SHA-256, or if there is no key to sign with. IPv6: the kernel must leave the checksum alone (no IPV6_CHECKSUM): it
/// would sum the signature, too.
Result<> build(const WireConfig& config, WireState& state, const net::IpAddr& source, const net::IpAddr& destination,
               std::uint8_t priority, std::chrono::system_clock::time_point now, std::vector<std::uint8_t>& packet);

/// A packet that looks like VRRP. `packet` is the caller's.
struct Arrival {
  std::span<const std::uint8_t> packet;  ///< with IPv4's header; IPv6: the advertisement
  std::size_t advertisement_at = 0;      ///< in `packet`; 8 bytes of it are there
  net::IpAddr source;
  net::IpAddr destination;
  std::uint8_t ttl = 0;  ///< or hop limit
  bool has_ah = false;
  std::uint8_t vrid = 0;
};

std::expected<Arrival, ReceiveError> open_ipv4(std::span<const std::uint8_t> packet);
std::expected<Arrival, ReceiveError> open_ipv6(std::span<const std::uint8_t> advertisement, const net::Ipv6Addr& source,
                                               const net::Ipv6Addr& destination, std::uint8_t hop_limit);

/// An advertisement's addresses beside the instance's own; their order doesn't count.
enum class AddressList : std::uint8_t { same, another_count, others };

/// An advertisement that passed every check.
struct Advert {
  net::IpAddr source;
  std::uint8_t priority = 0;
  Centiseconds max_advertisement_interval{0};  ///< of the sender; in version 2 always our own
  bool interval_differs = false;               ///< version 3 only; worth a line in the log, once
  AddressList addresses = AddressList::same;
  bool old_unicast_checksum_found = false;  ///< this packet made state change over; worth a line in the log
};

/// Everything that can be known without the election's state, checksums over IPv6 included. now: what signatures are
/// held against. state changes only for an Advert (sequence number, stamp, form of the checksum).
std::expected<Advert, ReceiveError> check(const Arrival& arrival, const WireConfig& config, WireState& state,
                                          std::chrono::system_clock::time_point now);

}  // namespace sluice::vrrp
