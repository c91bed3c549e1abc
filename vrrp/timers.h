// The protocol's arithmetic of time (RFC 3768 6.1, RFC 9568 6.1), to the microsecond as keepalived computes it; FRR
// rounds to centiseconds.
#pragma once

#include <cstdint>

#include "vrrp/protocol.h"

namespace sluice::vrrp {

/// Skew_Time: the higher the priority, the shorter. priority: effective, 1..255. Version 2 counts in seconds whatever
/// the interval is. v2 and v3 at 1 s with priority 100: 609.375 ms; priority 254: 7.8 ms.
[[nodiscard]] constexpr Microseconds skew_time(Version version, std::uint8_t priority,
                                               Microseconds master_adver_interval) {
  const Microseconds whole = version == Version::v2 ? Microseconds(1'000'000) : master_adver_interval;
  return Microseconds((256 - priority) * whole.count() / 256);
}

/// Master_Down_Interval (RFC 9568: Active_Down_Interval): how long a backup waits for the master's next advertisement.
/// down_timer_adverts: 3 in the RFCs, 1..100 by keepalived's keyword.
[[nodiscard]] constexpr Microseconds master_down_interval(Version version, std::uint8_t priority,
                                                          Microseconds master_adver_interval,
                                                          unsigned down_timer_adverts) {
  return down_timer_adverts * master_adver_interval + skew_time(version, priority, master_adver_interval);
}

}  // namespace sluice::vrrp
