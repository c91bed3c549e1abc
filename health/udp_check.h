// UDP_CHECK: the server is well unless the network says that nobody listens there, or, where a reply is required, when
// one comes that is as expected.
#pragma once

#include <utility>

#include "health/probe.h"
#include "health/retry.h"
#include "health/spec.h"

namespace sluice::health {

/// Owned and run by the health thread; must outlive its own probe().
class UdpCheck {
 public:
  UdpCheck(UdpCheckSpec spec, RetryTimings timings, bool starts_up)
      : spec_(std::move(spec)), state_(timings, starts_up) {}

  Task<ProbeResult> probe(EventLoop& loop);
  Outcome on(Verdict verdict) { return state_.on(verdict); }

 private:
  UdpCheckSpec spec_;
  RetryState state_;
};

}  // namespace sluice::health
