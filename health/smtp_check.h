// SMTP_CHECK: the server is well when it greets with 220, takes HELO with 250, and answers QUIT with anything. No mail
// is sent.
#pragma once

#include <utility>

#include "health/probe.h"
#include "health/retry.h"
#include "health/spec.h"

namespace sluice::health {

/// Owned and run by the health thread; must outlive its own probe().
class SmtpCheck {
 public:
  /// Unlike the others, it uses its retries before its first success, too: keepalived's does.
  SmtpCheck(SmtpCheckSpec spec, RetryTimings timings, bool starts_up)
      : spec_(std::move(spec)), state_(timings, starts_up, FirstFailure::is_tolerated) {}

  Task<ProbeResult> probe(EventLoop& loop);
  Outcome on(Verdict verdict) { return state_.on(verdict); }

 private:
  SmtpCheckSpec spec_;
  RetryState state_;
};

}  // namespace sluice::health
