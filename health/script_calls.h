// Lets a coroutine on the health thread wait for a script that somebody else runs on another thread.
#pragma once

#include <memory>

#include "health/event_loop.h"
#include "health/script.h"
#include "health/task.h"

namespace sluice::health {

/// Owned by the health thread. Checkers keep a reference.
class ScriptCalls {
 public:
  /// run may be empty: then no script can be started. loop must outlive this.
  ScriptCalls(EventLoop& loop, RunScript run);
  /// Scripts that still run may end later; nobody hears of it.
  ~ScriptCalls();
  ScriptCalls(const ScriptCalls&) = delete;
  ScriptCalls& operator=(const ScriptCalls&) = delete;

  /// Runs it and waits for its end; a little past time_max it counts as timed out, whether or not anybody says so.
  /// A call that is let go of stops the script.
  Task<ScriptOutcome> call(ScriptCommand command);

  /// How long past time_max: SIGTERM, SIGKILL, and a word from who sent them.
  static constexpr std::chrono::milliseconds grace = std::chrono::seconds{5};

 private:
  struct Inbox;
  struct Call;

  RunScript run_;
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace sluice::health
