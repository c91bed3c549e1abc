// DNS_CHECK: the server is well when it answers a question over UDP without an error code.
#pragma once

#include <random>
#include <utility>

#include "health/probe.h"
#include "health/retry.h"
#include "health/spec.h"

namespace sluice::health {

/// Owned and run by the health thread; must outlive its own probe().
class DnsCheck {
 public:
  /// seed: of the questions' ids.
  DnsCheck(DnsCheckSpec spec, RetryTimings timings, bool starts_up, std::uint64_t seed)
      : spec_(std::move(spec)), state_(timings, starts_up), ids_(static_cast<std::uint32_t>(seed)) {}

  Task<ProbeResult> probe(EventLoop& loop);
  Outcome on(Verdict verdict) { return state_.on(verdict); }

 private:
  DnsCheckSpec spec_;
  RetryState state_;
  std::minstd_rand ids_;
};

}  // namespace sluice::health
