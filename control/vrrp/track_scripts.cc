#include "control/vrrp/track_scripts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/pools/script_resolver.h"

namespace sluice::control {

namespace {

using vrrp::ScriptCounter;

TrackedStatus status_of(const std::string& name, ScriptCounter::Status status) {
  TrackedStatus result{.kind = vrrp::TrackKind::script, .name = name};
  if (status != ScriptCounter::Status::unknown) result.up = status == ScriptCounter::Status::up;
  return result;
}

/// Everything but where it stands in the file and what instances make of it.
bool runs_the_same(const config::VrrpScript& a, const config::VrrpScript& b) {
  return a.script == b.script && a.readable_file == b.readable_file;
}

}  // namespace

struct TrackScripts::Running {
  Running(boost::asio::io_context& io, const config::VrrpScript& script)
      : config(script), counter(script.rise, script.fall, script.init_fail), timer(io) {}

  config::VrrpScript config;
  std::optional<ScriptSpec> spec;  // nothing: it can't be run
  ScriptCounter counter;
  boost::asio::steady_timer timer;
  std::chrono::steady_clock::time_point next{};
  bool is_busy = false;
  std::optional<int> last_status;
};

TrackScripts::TrackScripts(boost::asio::io_context& io, ScriptRunner& runner,
                           std::function<void(TrackedStatus)> changed, Log log)
    : io_(io), runner_(runner), changed_(std::move(changed)), log_(std::move(log)) {}
TrackScripts::~TrackScripts() = default;

void TrackScripts::configure(const config::Config& config, std::vector<Error>& complaints) {
  ScriptResolver resolver(config.global, complaints);
  std::map<std::string, std::shared_ptr<Running>> before = std::move(scripts_);
  scripts_.clear();
  for (const config::VrrpScript& script : config.vrrp_scripts) {
    const auto old = before.find(script.name);
    const bool stays = old != before.end() && runs_the_same(old->second->config, script);
    auto running = stays ? old->second : std::make_shared<Running>(io_, script);
    running->config = script;
    running->counter.set_limits(script.rise, script.fall);
    running->spec.reset();
    if (!script.script.argv.empty()) {
      if (const auto known = resolver.resolve(&script.script)) {
        running->spec = *known;
        running->spec->time_max = std::chrono::duration_cast<std::chrono::milliseconds>(script.timeout);
      }
    }
    scripts_.emplace(script.name, running);
    if (stays) continue;
    running->next = std::chrono::steady_clock::now();
    // Not at once: its first result must not come before its instance is there.
    boost::asio::post(io_, [this, weak = std::weak_ptr(running)] {
      if (const auto alive = weak.lock()) run(*alive);
    });
  }
}

std::vector<TrackedStatus> TrackScripts::all() const {
  std::vector<TrackedStatus> all;
  for (const auto& [name, script] : scripts_) all.push_back(status_of(name, script->counter.status()));
  return all;
}

void TrackScripts::run(Running& script) {
  wait(script);
  if (script.is_busy) return;  // skipped: the one before hasn't ended
  const auto self = scripts_.find(script.config.name);
  if (self == scripts_.end() || self->second.get() != &script) return;
  if (!script.config.readable_file.empty()) {
    const bool readable = ::access(script.config.readable_file.c_str(), R_OK) == 0;
    return ended(script, {.exit_status = readable ? 0 : 1});
  }
  if (!script.spec) return ended(script, {.exit_status = 127});
  script.is_busy = true;
  const auto started = runner_.run(*script.spec, [this, weak = std::weak_ptr(self->second)](const ScriptEnd& end) {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    alive->is_busy = false;
    ended(*alive, end);
  });
  if (started) return;
  script.is_busy = false;
  log_(started.error().text());
  ended(script, {.exit_status = 127});
}

// From start to start: a slow script doesn't shift the rhythm.
void TrackScripts::wait(Running& script) {
  const auto now = std::chrono::steady_clock::now();
  script.next += script.config.interval;
  if (script.next < now) script.next = now + script.config.interval;
  script.timer.expires_at(script.next);
  const auto self = scripts_.find(script.config.name);
  if (self == scripts_.end()) return;
  script.timer.async_wait([this, weak = std::weak_ptr(self->second)](const boost::system::error_code& error) {
    const auto alive = weak.lock();
    if (!error && alive != nullptr) run(*alive);
  });
}

void TrackScripts::ended(Running& script, const ScriptEnd& end) {
  const std::string& name = script.config.name;
  const int status = end.timed_out ? -1 : end.signal != 0 ? 256 + end.signal : end.exit_status;
  if (script.last_status && *script.last_status != status && end.signal == 0 && !end.timed_out) {
    log_(fmt::format("Script `{}` now returning {}", name, end.exit_status));
  }
  script.last_status = status;
  const auto changed = script.counter.on_result(end.succeeded());
  if (!changed) return;
  if (end.succeeded()) {
    log_(fmt::format("VRRP_Script({}) succeeded", name));
  } else if (end.timed_out) {
    log_(fmt::format("VRRP_Script({}) timed_out", name));
  } else {
    log_(fmt::format("VRRP_Script({}) failed ({})", name, end.text()));
  }
  changed_(status_of(name, *changed));
}

}  // namespace sluice::control
