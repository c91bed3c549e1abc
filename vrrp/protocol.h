// The vocabulary of VRRP: versions, numbers that the wire and the configuration share, units of time. RFC 3768 (version
// 2) and RFC 9568 (version 3) name the fields; what sends and reads them is codec.h, what decides is election.h.
#pragma once

#include <chrono>
#include <cstdint>

#include "net/address.h"

namespace sluice::vrrp {

enum class Version : std::uint8_t { v2 = 2, v3 = 3 };

/// How the wire counts the interval between advertisements in version 3; version 2 has whole seconds, 100 of these.
using Centiseconds = std::chrono::duration<std::uint32_t, std::centi>;

using Microseconds = std::chrono::microseconds;

/// Counts monotonic microseconds since any epoch, as steady_clock does. It has no now(): whoever calls says what time
/// it is, so that a simulation can.
struct MonotonicClock {
  using duration = Microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Time = MonotonicClock::time_point;

inline constexpr std::uint8_t ip_protocol_vrrp = 112;
inline constexpr std::uint8_t ip_protocol_ah = 51;
inline constexpr std::uint8_t ttl_multicast = 255;  ///< sent, and demanded of what comes in (RFC 9568 5.1.1.3)
inline constexpr std::uint8_t type_of_service = 0xc0;

inline constexpr std::uint8_t priority_stopping = 0;  ///< on the wire only: the master gives up
inline constexpr std::uint8_t priority_default = 100;
inline constexpr std::uint8_t priority_owner = 255;

inline constexpr Centiseconds interval_max_v2{25500};
inline constexpr Centiseconds interval_max_v3{4095};  ///< 12 bits

/// 224.0.0.18 and ff02::12 (IANA); keepalived's vrrp_mcast_group4 and _group6 choose others.
inline constexpr net::Ipv4Addr multicast_group_v4 = net::Ipv4Addr::of(224, 0, 0, 18);
inline constexpr net::Ipv6Addr multicast_group_v6{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}};

/// 00-00-5e-00-01-VRID, for IPv6 00-00-5e-00-02-VRID (RFC 9568 7.3).
[[nodiscard]] constexpr net::MacAddr virtual_router_mac(std::uint8_t vrid, bool is_v6) {
  return {{0, 0, 0x5e, 0, std::uint8_t(is_v6 ? 2 : 1), vrid}};
}

}  // namespace sluice::vrrp
