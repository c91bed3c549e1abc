#include "health/health_thread.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>

#include "health/dns_check.h"
#include "health/event_loop.h"
#include "health/http_get.h"
#include "health/misc_check.h"
#include "health/ping_check.h"
#include "health/script_calls.h"
#include "health/smtp_check.h"
#include "health/task.h"
#include "health/tcp_check.h"
#include "health/tls.h"
#include "health/udp_check.h"

namespace sluice::health {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// One alternative per kind of checker, as in CheckerSpec.
using AnyCheck = std::variant<TcpCheck, HttpGet, DnsCheck, UdpCheck, PingCheck, SmtpCheck, MiscCheck>;

/// What checkers of one thread share.
struct Shared {
  TlsContexts tls_contexts;
  ScriptCalls scripts;
};

/// random: a number of this checker's own. Nothing: it isn't probed.
std::optional<AnyCheck> make_check(CheckerSpec spec, std::uint64_t random, Shared& all) {
  struct Make {
    const RetryTimings& timings;
    bool up;
    std::uint64_t random;
    Shared& shared;
    std::optional<AnyCheck> operator()(TcpCheckSpec& what) const { return TcpCheck(std::move(what), timings, up); }
    std::optional<AnyCheck> operator()(HttpGetSpec& what) const {
      return HttpGet(std::move(what), timings, up, shared.tls_contexts);
    }
    std::optional<AnyCheck> operator()(DnsCheckSpec& what) const {
      return DnsCheck(std::move(what), timings, up, random);
    }
    std::optional<AnyCheck> operator()(UdpCheckSpec& what) const { return UdpCheck(std::move(what), timings, up); }
    std::optional<AnyCheck> operator()(PingCheckSpec& what) const {
      return PingCheck(std::move(what), timings, up, static_cast<std::uint16_t>(random));
    }
    std::optional<AnyCheck> operator()(SmtpCheckSpec& what) const { return SmtpCheck(std::move(what), timings, up); }
    std::optional<AnyCheck> operator()(MiscCheckSpec& what) const {
      return MiscCheck(std::move(what), timings, up, shared.scripts);
    }
    std::optional<AnyCheck> operator()(FileCheckSpec&) const { return std::nullopt; }
    std::optional<AnyCheck> operator()(BfdCheckSpec&) const { return std::nullopt; }
  };
  return std::visit(Make{spec.timings, spec.starts_up, random, all}, spec.what);
}

/// A checker that runs. Stays where it is: its coroutine refers to it.
struct Running {
  CheckerId id;
  AnyCheck check;
  milliseconds delay_loop;
  bool suspended;
  std::optional<Task<void>> life;  ///< the last, so the first to go
};

Task<ProbeResult> probe(AnyCheck& check, EventLoop& loop) {
  return std::visit([&](auto& one) { return one.probe(loop); }, check);
}

/// A result that changes nothing may wait this long for others: who takes it is woken seldom.
constexpr milliseconds tell_within{20};
constexpr std::size_t tell_at_once = 256;

bool is_urgent(const HealthEvent& event) { return event.outcome.changed || event.weight; }

}  // namespace

class HealthThread::Impl {
 public:
  Impl(HealthOptions options, std::function<void(std::vector<HealthEvent>)> on_events)
      : start_delay_(options.start_delay),
        on_events_(std::move(on_events)),
        random_(options.seed),
        shared_{{}, {loop_, std::move(options.run_script)}} {}

  void start() {
    thread_ = std::thread([this] {
      // Signals are the control thread's.
      sigset_t all;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      ::pthread_setname_np(::pthread_self(), "health");
      loop_.run();
    });
  }

  void stop() {
    loop_.post([this] {
      telling_.reset();
      running_.clear();
      loop_.stop();
    });
    if (thread_.joinable()) thread_.join();
  }

  void add(std::vector<CheckerToRun> checkers) {
    loop_.post([this, checkers = std::move(checkers)]() mutable {
      for (CheckerToRun& checker : checkers) start_checker(std::move(checker));
    });
  }

  void remove(std::vector<CheckerId> checkers) {
    loop_.post([this, checkers = std::move(checkers)] {
      for (const CheckerId id : checkers) running_.erase(id);
    });
  }

  void set_suspended(std::vector<CheckerId> checkers, bool suspended) {
    loop_.post([this, checkers = std::move(checkers), suspended] {
      for (const CheckerId id : checkers) {
        if (const auto found = running_.find(id); found != running_.end()) found->second.suspended = suspended;
      }
    });
  }

 private:
  void start_checker(CheckerToRun checker) {
    running_.erase(checker.id);
    std::uniform_int_distribution<milliseconds::rep> spread(
        0, std::max<milliseconds::rep>(checker.spec.warmup.count(), 0));
    const auto delay = start_delay_ + milliseconds{spread(random_)};
    const milliseconds delay_loop = checker.spec.timings.delay_loop;
    auto check = make_check(std::move(checker.spec), random_(), shared_);
    if (!check) return;
    Running made{checker.id, std::move(*check), delay_loop, checker.suspended, std::nullopt};
    Running& running = running_.emplace(checker.id, std::move(made)).first->second;
    running.life.emplace(live(running, steady_clock::now() + delay));
    running.life->start();
  }

  /// All that a checker ever does, until it is let go of.
  Task<void> live(Running& running, steady_clock::time_point due) {
    for (;;) {
      co_await loop_.sleep_until(due);
      if (running.suspended) {
        due = steady_clock::now() + running.delay_loop;
        continue;
      }
      const auto started = steady_clock::now();
      HealthEvent event = told(running, co_await probe(running.check, loop_), started);
      due = event.ended + std::max(event.outcome.next_probe, milliseconds{0});
      tell(std::move(event));
    }
  }

  static HealthEvent told(Running& running, ProbeResult result, steady_clock::time_point started) {
    const auto ended = steady_clock::now();
    const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(ended - started);
    const Outcome outcome = std::visit([&](auto& check) { return check.on(result.verdict); }, running.check);
    return {running.id, result.verdict, std::move(result.reason), outcome, latency, ended, result.weight};
  }

  void tell(HealthEvent event) {
    const bool now = is_urgent(event) || to_tell_.size() + 1 >= tell_at_once;
    const bool begins = to_tell_.empty();
    to_tell_.push_back(std::move(event));
    if (now) return tell_all();
    if (!begins) return;
    telling_.emplace(tell_soon());
    telling_->start();
  }

  Task<void> tell_soon() {
    co_await loop_.sleep_for(tell_within);
    tell_all();
  }

  void tell_all() {
    if (!to_tell_.empty()) on_events_(std::exchange(to_tell_, {}));
  }

  milliseconds start_delay_;
  std::function<void(std::vector<HealthEvent>)> on_events_;
  std::mt19937_64 random_;
  EventLoop loop_;
  // All from here on is the health thread's.
  Shared shared_;
  std::unordered_map<CheckerId, Running> running_;
  std::vector<HealthEvent> to_tell_;
  std::optional<Task<void>> telling_;  ///< there is something to tell that can wait
  std::thread thread_;
};

HealthThread::HealthThread(HealthOptions options, std::function<void(std::vector<HealthEvent>)> on_events)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(on_events))) {}
HealthThread::~HealthThread() { stop(); }
void HealthThread::start() { impl_->start(); }
void HealthThread::stop() { impl_->stop(); }
void HealthThread::add(std::vector<CheckerToRun> checkers) { impl_->add(std::move(checkers)); }
void HealthThread::remove(std::vector<CheckerId> checkers) { impl_->remove(std::move(checkers)); }
void HealthThread::suspend(std::vector<CheckerId> checkers) { impl_->set_suspended(std::move(checkers), true); }
void HealthThread::resume(std::vector<CheckerId> checkers) { impl_->set_suspended(std::move(checkers), false); }

}  // namespace sluice::health
