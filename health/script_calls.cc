#include "health/script_calls.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <utility>

namespace sluice::health {

namespace asio = boost::asio;

/// What stands between this thread and those that call ScriptDone: it may be called when the loop is gone.
struct ScriptCalls::Inbox {
  std::mutex mutex;
  asio::io_context* io;  // null once ScriptCalls is gone; under the mutex
};

/// Health thread only.
struct ScriptCalls::Call {
  explicit Call(asio::io_context& io) : ended(io) {}
  asio::steady_timer ended;  // cancelled when the outcome is there
  std::optional<ScriptOutcome> outcome;
};

ScriptCalls::ScriptCalls(asio::io_context& io, RunScript run)
    : run_(std::move(run)), inbox_(std::make_shared<Inbox>()) {
  inbox_->io = &io;
}

ScriptCalls::~ScriptCalls() {
  const std::lock_guard lock(inbox_->mutex);
  inbox_->io = nullptr;
}

asio::awaitable<ScriptOutcome> ScriptCalls::call(ScriptCommand command) {
  using How = ScriptOutcome::How;
  if (!run_) co_return ScriptOutcome{How::not_started, 0, "nobody runs scripts here"};

  const auto call = std::make_shared<Call>(*inbox_->io);
  ScriptDone done = [inbox = inbox_, waiting = std::weak_ptr(call)](ScriptOutcome outcome) {
    const std::lock_guard lock(inbox->mutex);
    if (inbox->io == nullptr) return;
    asio::post(*inbox->io, [waiting, outcome = std::move(outcome)]() mutable {
      const auto still = waiting.lock();
      if (!still || still->outcome) return;
      still->outcome = std::move(outcome);
      still->ended.cancel();
    });
  };

  struct StopIfAbandoned {
    StopScript stop;
    ~StopIfAbandoned() {
      if (stop) stop();
    }
  } guard{run_(command, std::move(done))};

  call->ended.expires_after(command.time_max + grace);
  co_await call->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!call->outcome) co_return ScriptOutcome{How::timed_out, 0, {}};
  guard.stop = {};
  co_return std::move(*call->outcome);
}

}  // namespace sluice::health
