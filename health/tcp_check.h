// TCP_CHECK: the server is well when a connection completes.
#pragma once

#include <utility>

#include "health/probe.h"
#include "health/retry.h"
#include "health/spec.h"

namespace sluice::health {

/// Owned and run by the health thread; must outlive its own probe().
class TcpCheck {
 public:
  TcpCheck(TcpCheckSpec spec, RetryTimings timings, bool starts_up)
      : spec_(std::move(spec)), state_(timings, starts_up) {}

  Task<ProbeResult> probe(EventLoop& loop);
  Outcome on(Verdict verdict) { return state_.on(verdict); }

 private:
  TcpCheckSpec spec_;
  RetryState state_;
};

}  // namespace sluice::health
