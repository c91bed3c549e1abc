#include "health/script_calls.h"

#include <mutex>
#include <optional>
#include <utility>

namespace sluice::health {

/// What stands between this thread and those that call ScriptDone: it may be called when the loop is gone.
struct ScriptCalls::Inbox {
  std::mutex mutex;
  EventLoop* loop;  // null once ScriptCalls is gone; under the mutex
};

/// Health thread only.
struct ScriptCalls::Call {
  Call(EventLoop& loop, Sleep::Clock::duration time_max) : ended(loop.sleep_for(time_max)) {}
  Sleep ended;  // woken when the outcome is there
  std::optional<ScriptOutcome> outcome;
};

ScriptCalls::ScriptCalls(EventLoop& loop, RunScript run) : run_(std::move(run)), inbox_(std::make_shared<Inbox>()) {
  inbox_->loop = &loop;
}

ScriptCalls::~ScriptCalls() {
  const std::lock_guard lock(inbox_->mutex);
  inbox_->loop = nullptr;
}

Task<ScriptOutcome> ScriptCalls::call(ScriptCommand command) {
  using How = ScriptOutcome::How;
  if (!run_) co_return ScriptOutcome{How::not_started, 0, "nobody runs scripts here"};

  const auto call = std::make_shared<Call>(*inbox_->loop, command.time_max + grace);
  ScriptDone done = [inbox = inbox_, waiting = std::weak_ptr(call)](ScriptOutcome outcome) {
    const std::lock_guard lock(inbox->mutex);
    if (inbox->loop == nullptr) return;
    inbox->loop->post([waiting, outcome = std::move(outcome)]() mutable {
      const auto still = waiting.lock();
      if (!still || still->outcome) return;
      still->outcome = std::move(outcome);
      still->ended.wake();
    });
  };

  struct StopIfAbandoned {
    StopScript stop;
    ~StopIfAbandoned() {
      if (stop) stop();
    }
  } guard{run_(command, std::move(done))};

  co_await call->ended;
  if (!call->outcome) co_return ScriptOutcome{How::timed_out, 0, {}};
  guard.stop = {};
  co_return std::move(*call->outcome);
}

}  // namespace sluice::health
