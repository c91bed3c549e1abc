// MISC_CHECK: the server is well when a script says so by its exit status; with misc_dynamic the status also speaks of
// the server's weight. Who runs the script is told by RunScript; this file starts no process.
#pragma once

#include <chrono>
#include <utility>

#include "health/probe.h"
#include "health/retry.h"
#include "health/script_calls.h"
#include "health/spec.h"

namespace sluice::health {

/// Owned and run by the health thread; must outlive its own probe().
class MiscCheck {
 public:
  MiscCheck(MiscCheckSpec spec, RetryTimings timings, bool starts_up, ScriptCalls& scripts)
      : spec_(std::move(spec)), state_(timings, starts_up), scripts_(&scripts) {}

  Task<ProbeResult> probe(EventLoop& loop);
  /// Delays count from the script's start, as keepalived's do; a script that takes longer is followed at once by the
  /// next, never overlapped.
  Outcome on(Verdict verdict);

 private:
  MiscCheckSpec spec_;
  RetryState state_;
  ScriptCalls* scripts_;
  std::chrono::milliseconds took_{0};  // the last script
};

/// What the end of a script means. keepalived: status 0 is success, weight as configured; with `dynamic`, 1 is failure
/// and 2..255 is success with a weight of status - 2; anything else is failure.
[[nodiscard]] ProbeResult misc_result(const ScriptOutcome& outcome, bool dynamic);

}  // namespace sluice::health
