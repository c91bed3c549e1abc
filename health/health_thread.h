// The thread that runs every checker: one event loop, one coroutine per probe. It probes and counts; what a result
// means for a virtual server is pool.h's, and who acts on it is the control thread, which gets each result as a
// message.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "health/retry.h"
#include "health/script.h"
#include "health/spec.h"
#include "health/weight.h"

namespace sluice::health {

/// One probe has ended.
struct HealthEvent {
  CheckerId checker;
  Verdict verdict;     ///< of this probe
  std::string reason;  ///< in words: "connected", "connection refused", "url /: HTTP status code 503"
  /// What the verdict meant for the checker, retries counted: up, changed, first, retries, next_probe.
  Outcome outcome;
  std::chrono::microseconds latency;  ///< from the probe's start to its verdict
  std::chrono::steady_clock::time_point ended;
  /// What the probe says of its server's weight: for effective_weight(), with the last ones of the server's other
  /// checkers. Nothing: what it said before still holds.
  std::optional<WeightReport> weight = {};
};

struct CheckerToRun {
  CheckerId id;
  CheckerSpec spec;
  bool suspended = false;  ///< from the start, as by suspend()
};

struct HealthOptions {
  /// Before the first probe of a checker, on top of its random warm-up; keepalived's bootstrap delay.
  std::chrono::milliseconds start_delay{std::chrono::seconds{1}};
  std::uint64_t seed = 0;  ///< of the warm-up delays
  RunScript run_script;    ///< for MISC_CHECK; empty: its probes aren't counted
};

/// add, remove, suspend, resume and stop may be called from any thread. Not copied, not moved.
class HealthThread {
 public:
  /// on_events is called on the health thread with what has happened, in order, each probe's end once, and must not
  /// block: it posts. A change is told at once, anything else within 20 ms.
  HealthThread(HealthOptions options, std::function<void(std::vector<HealthEvent>)> on_events);
  /// As stop().
  ~HealthThread();
  HealthThread(const HealthThread&) = delete;
  HealthThread& operator=(const HealthThread&) = delete;

  /// Starts the thread. Checkers may be added before. Call once.
  void start();
  /// Ends every checker, whatever it waits for, and joins the thread. After it returns on_events isn't called any more.
  /// Not from on_events. Calling it again does nothing.
  void stop();

  /// Not of a kind that is_watched(). The checkers begin after start_delay and a random part of their warm-up. An id
  /// that already runs is replaced.
  void add(std::vector<CheckerToRun> checkers);
  /// Events that are already on their way may still arrive; unknown ids do nothing.
  void remove(std::vector<CheckerId> checkers);

  /// keepalived's ha_suspend: their timers go on, but what would be a probe does nothing, and what they hold of their
  /// servers stays. A probe that is under way ends, and counts. Unknown ids do nothing.
  void suspend(std::vector<CheckerId> checkers);
  /// They probe again once they are due.
  void resume(std::vector<CheckerId> checkers);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::health
