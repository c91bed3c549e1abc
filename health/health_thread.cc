#include "health/health_thread.h"

#include <pthread.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>

#include "health/dns_check.h"
#include "health/http_get.h"
#include "health/misc_check.h"
#include "health/ping_check.h"
#include "health/script_calls.h"
#include "health/smtp_check.h"
#include "health/tcp_check.h"
#include "health/tls.h"
#include "health/udp_check.h"

namespace sluice::health {

namespace asio = boost::asio;
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

/// A checker that runs. Its probe and the table of checkers share it. Between two probes, which is nearly always, there
/// is no coroutine: that would take more memory than all else that is known of a real server.
struct Running {
  Running(CheckerId checker_id, AnyCheck any, milliseconds delay_loop, bool is_suspended)
      : id(checker_id), suspended(is_suspended), delay(delay_loop), check(std::move(any)) {}

  CheckerId id;
  bool suspended;
  milliseconds delay;  ///< from one probe that isn't made to the next
  AnyCheck check;
  steady_clock::time_point due;      ///< while it is in the queue: the next probe
  asio::cancellation_signal cancel;  ///< of the probe that is under way, if one is
};

asio::awaitable<ProbeResult> probe(AnyCheck& check) {
  return std::visit([](auto& one) { return one.probe(); }, check);
}

}  // namespace

class HealthThread::Impl {
 public:
  Impl(HealthOptions options, std::function<void(const HealthEvent&)> on_event)
      : start_delay_(options.start_delay),
        on_event_(std::move(on_event)),
        random_(options.seed),
        work_(io_.get_executor()),
        shared_{{}, {io_, std::move(options.run_script)}} {}

  void start() {
    thread_ = std::thread([this] {
      // Signals are the control thread's.
      sigset_t all;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      ::pthread_setname_np(::pthread_self(), "health");
      io_.run();
    });
  }

  void stop() {
    asio::post(io_, [this] {
      stopping_ = true;
      timer_.cancel();
      for (const auto& [id, running] : running_) running->cancel.emit(asio::cancellation_type::terminal);
      work_.reset();
    });
    if (thread_.joinable()) thread_.join();
  }

  void add(std::vector<CheckerToRun> checkers) {
    asio::post(io_, [this, checkers = std::move(checkers)]() mutable {
      for (CheckerToRun& checker : checkers) start_checker(std::move(checker));
    });
  }

  void remove(std::vector<CheckerId> checkers) {
    asio::post(io_, [this, checkers = std::move(checkers)] {
      for (const CheckerId id : checkers) end_checker(id);
    });
  }

  void set_suspended(std::vector<CheckerId> checkers, bool suspended) {
    asio::post(io_, [this, checkers = std::move(checkers), suspended] {
      for (const CheckerId id : checkers) {
        if (const auto found = running_.find(id); found != running_.end()) found->second->suspended = suspended;
      }
    });
  }

 private:
  void start_checker(CheckerToRun checker) {
    if (stopping_) return;
    end_checker(checker.id);
    std::uniform_int_distribution<milliseconds::rep> spread(
        0, std::max<milliseconds::rep>(checker.spec.warmup.count(), 0));
    const auto delay = start_delay_ + milliseconds{spread(random_)};
    const milliseconds delay_loop = checker.spec.timings.delay_loop;
    auto check = make_check(std::move(checker.spec), random_(), shared_);
    if (!check) return;
    auto running = std::make_shared<Running>(checker.id, std::move(*check), delay_loop, checker.suspended);
    schedule(*running, delay);
    running_.emplace(running->id, std::move(running));
  }

  void end_checker(CheckerId id) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    const auto running = found->second;
    running_.erase(found);
    queue_.erase({running->due, id});
    running->cancel.emit(asio::cancellation_type::terminal);
  }

  // --- when the next probe is due

  void schedule(Running& running, milliseconds delay) {
    running.due = steady_clock::now() + std::max(delay, milliseconds{0});
    const auto place = queue_.emplace(running.due, running.id).first;
    if (place == queue_.begin()) wait_for_next();
  }

  /// Ends the wait that there is. What it was for stays in the queue.
  void wait_for_next() {
    timer_.expires_at(queue_.begin()->first);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error && !stopping_) start_probes();
    });
  }

  void start_probes() {
    const auto now = steady_clock::now();
    while (!queue_.empty() && queue_.begin()->first <= now) {
      const CheckerId id = queue_.begin()->second;
      queue_.erase(queue_.begin());
      const auto& running = running_.at(id);
      if (running->suspended) {
        schedule(*running, running->delay);
      } else {
        start_probe(running);
      }
    }
    if (!queue_.empty()) wait_for_next();
  }

  void start_probe(const std::shared_ptr<Running>& running) {
    const auto ended = [this, running, started = steady_clock::now()](const std::exception_ptr& exception,
                                                                      const ProbeResult& result) {
      const auto found = running_.find(running->id);
      const bool was_removed = found == running_.end() || found->second != running;
      // A cancelled probe has no verdict, and may end by an exception.
      if (stopping_ || was_removed) return;
      // Any other one would be a checker that silently stops checking.
      if (exception) std::rethrow_exception(exception);
      take(*running, result, started);
    };
    asio::co_spawn(io_, probe(running->check), asio::bind_cancellation_slot(running->cancel.slot(), ended));
  }

  void take(Running& running, const ProbeResult& result, steady_clock::time_point started) {
    const auto ended = steady_clock::now();
    const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(ended - started);
    const Outcome outcome = std::visit([&](auto& check) { return check.on(result.verdict); }, running.check);
    on_event_({running.id, result.verdict, result.reason, outcome, latency, ended, result.weight});
    schedule(running, outcome.next_probe);
  }

  milliseconds start_delay_;
  std::function<void(const HealthEvent&)> on_event_;
  std::mt19937_64 random_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  // All from here on is the health thread's.
  asio::steady_timer timer_{io_};
  bool stopping_ = false;
  Shared shared_;
  std::unordered_map<CheckerId, std::shared_ptr<Running>> running_;
  std::set<std::pair<steady_clock::time_point, CheckerId>> queue_;  ///< those that aren't probing
  std::thread thread_;
};

HealthThread::HealthThread(HealthOptions options, std::function<void(const HealthEvent&)> on_event)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(on_event))) {}
HealthThread::~HealthThread() { stop(); }
void HealthThread::start() { impl_->start(); }
void HealthThread::stop() { impl_->stop(); }
void HealthThread::add(std::vector<CheckerToRun> checkers) { impl_->add(std::move(checkers)); }
void HealthThread::remove(std::vector<CheckerId> checkers) { impl_->remove(std::move(checkers)); }
void HealthThread::suspend(std::vector<CheckerId> checkers) { impl_->set_suspended(std::move(checkers), true); }
void HealthThread::resume(std::vector<CheckerId> checkers) { impl_->set_suspended(std::move(checkers), false); }

}  // namespace sluice::health
