#include "control/pools/check_scripts.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <unordered_map>
#include <utility>

namespace sluice::control {

using health::ScriptOutcome;
using How = ScriptOutcome::How;

namespace {

ScriptSpec spec_from(const health::ScriptCommand& command) {
  ScriptSpec spec{.argv = command.argv, .time_max = command.time_max};
  if (const auto& user = command.user) spec.user = ScriptUser{user->uid, user->gid, user->groups};
  return spec;
}

ScriptOutcome outcome_from(const ScriptEnd& end) {
  if (end.timed_out) return {How::timed_out, 0, {}};
  if (end.signal != 0) return {How::killed, end.signal, {}};
  return {How::exited, end.exit_status, {}};
}

}  // namespace

class CheckScripts::Impl {
 public:
  explicit Impl(boost::asio::io_context& io) : scripts_(io) {}

  std::uint64_t next_ticket() { return ++tickets_; }

  void start(std::uint64_t ticket, const health::ScriptCommand& command, const health::ScriptDone& done) {
    const ScriptSpec spec = spec_from(command);
    const auto started = scripts_.start(spec, [this, ticket, done](const ScriptEnd& end) {
      running_.erase(ticket);
      done(outcome_from(end));
    });
    if (started) {
      running_.emplace(ticket, *started);
    } else {
      // If it has gone since the configuration was read, that is its own failure, not this host's.
      done({check_script(spec) ? How::not_started : How::cannot_run, 0, started.error().text()});
    }
  }

  void stop(std::uint64_t ticket) {
    const auto found = running_.find(ticket);
    if (found == running_.end()) return;
    scripts_.end(found->second);
    running_.erase(found);
  }

 private:
  std::atomic<std::uint64_t> tickets_ = 0;               // any thread
  std::unordered_map<std::uint64_t, ScriptId> running_;  // before the runner, whose scripts speak of it
  ScriptRunner scripts_;
};

CheckScripts::CheckScripts(boost::asio::io_context& io) : io_(io), impl_(std::make_shared<Impl>(io)) {}
CheckScripts::~CheckScripts() = default;

health::RunScript CheckScripts::runner() {
  return [&io = io_, weak = std::weak_ptr(impl_)](const health::ScriptCommand& command,
                                                  health::ScriptDone done) -> health::StopScript {
    const auto impl = weak.lock();
    if (impl == nullptr) return {};
    const std::uint64_t ticket = impl->next_ticket();
    boost::asio::post(io, [weak, ticket, command, done = std::move(done)] {
      if (const auto still = weak.lock()) still->start(ticket, command, done);
    });
    return [&io, weak, ticket] {
      boost::asio::post(io, [weak, ticket] {
        if (const auto still = weak.lock()) still->stop(ticket);
      });
    };
  };
}

}  // namespace sluice::control
