// PING_CHECK: the server is well when it answers an ICMP echo request.
#pragma once

#include <cstdint>
#include <utility>

#include "health/probe.h"
#include "health/retry.h"
#include "health/spec.h"

namespace sluice::health {

/// Owned and run by the health thread; must outlive its own probe().
class PingCheck {
 public:
  /// identifier: tells this checker's echoes from others', where the kernel doesn't (raw sockets).
  PingCheck(PingCheckSpec spec, RetryTimings timings, bool starts_up, std::uint16_t identifier)
      : spec_(std::move(spec)), state_(timings, starts_up), identifier_(identifier) {}

  Task<ProbeResult> probe(EventLoop& loop);
  Outcome on(Verdict verdict) { return state_.on(verdict); }

 private:
  PingCheckSpec spec_;
  RetryState state_;
  std::uint16_t identifier_;
  std::uint16_t sequence_ = 0;
};

}  // namespace sluice::health
