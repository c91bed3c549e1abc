#include "health/health_thread.h"

#include <pthread.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <random>
#include <thread>
#include <unordered_map>
#include <variant>

#include "health/dns_check.h"
#include "health/http_get.h"
#include "health/ping_check.h"
#include "health/tcp_check.h"
#include "health/udp_check.h"

namespace sluice::health {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// One alternative per kind of checker, as in CheckerSpec.
using AnyCheck = std::variant<TcpCheck, HttpGet, DnsCheck, UdpCheck, PingCheck>;

/// random: a number of this checker's own.
AnyCheck make_check(CheckerSpec spec, std::uint64_t random) {
  struct Make {
    const RetryTimings& timings;
    bool up;
    std::uint64_t random;
    AnyCheck operator()(TcpCheckSpec& what) const { return TcpCheck(std::move(what), timings, up); }
    AnyCheck operator()(HttpGetSpec& what) const { return HttpGet(std::move(what), timings, up); }
    AnyCheck operator()(DnsCheckSpec& what) const { return DnsCheck(std::move(what), timings, up, random); }
    AnyCheck operator()(UdpCheckSpec& what) const { return UdpCheck(std::move(what), timings, up); }
    AnyCheck operator()(PingCheckSpec& what) const {
      return PingCheck(std::move(what), timings, up, static_cast<std::uint16_t>(random));
    }
  };
  return std::visit(Make{spec.timings, spec.starts_up, random}, spec.what);
}

/// A checker that runs. Its coroutine and the table of checkers share it.
struct Running {
  Running(CheckerId checker_id, AnyCheck any) : id(checker_id), check(std::move(any)) {}

  CheckerId id;
  AnyCheck check;
  asio::cancellation_signal cancel;
};

asio::awaitable<void> pause(milliseconds duration) {
  if (duration <= milliseconds{0}) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

class HealthThread::Impl {
 public:
  Impl(HealthOptions options, std::function<void(const HealthEvent&)> on_event)
      : options_(options), on_event_(std::move(on_event)), random_(options.seed), work_(io_.get_executor()) {}

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

 private:
  void start_checker(CheckerToRun checker) {
    if (stopping_) return;
    end_checker(checker.id);
    std::uniform_int_distribution<milliseconds::rep> spread(
        0, std::max<milliseconds::rep>(checker.spec.warmup.count(), 0));
    const auto delay = options_.start_delay + milliseconds{spread(random_)};
    auto running = std::make_shared<Running>(checker.id, make_check(std::move(checker.spec), random_()));
    running_[running->id] = running;
    const auto ended = [this, running](const std::exception_ptr& exception) {
      const auto found = running_.find(running->id);
      const bool was_removed = found == running_.end() || found->second != running;
      if (!was_removed) running_.erase(found);
      // A cancelled wait ends by an exception. Any other one would be a checker that silently stops checking.
      if (exception && !stopping_ && !was_removed) std::rethrow_exception(exception);
    };
    asio::co_spawn(io_, run(*running, delay), asio::bind_cancellation_slot(running->cancel.slot(), ended));
  }

  void end_checker(CheckerId id) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    const auto running = found->second;
    running_.erase(found);
    running->cancel.emit(asio::cancellation_type::terminal);
  }

  asio::awaitable<void> run(Running& running, milliseconds delay) {
    co_await pause(delay);
    for (;;) {
      const auto started = steady_clock::now();
      const ProbeResult result = co_await std::visit([](auto& check) { return check.probe(); }, running.check);
      const auto ended = steady_clock::now();
      const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(ended - started);
      // A cancelled probe has no verdict.
      const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
      if (cancelled != asio::cancellation_type::none) co_return;
      const Outcome outcome = std::visit([&](auto& check) { return check.on(result.verdict); }, running.check);
      on_event_({running.id, result.verdict, result.reason, outcome, latency, ended});
      co_await pause(outcome.next_probe);
    }
  }

  HealthOptions options_;
  std::function<void(const HealthEvent&)> on_event_;
  std::mt19937_64 random_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  bool stopping_ = false;
  std::unordered_map<CheckerId, std::shared_ptr<Running>> running_;  // health thread only, as all above but io_
  std::thread thread_;
};

HealthThread::HealthThread(HealthOptions options, std::function<void(const HealthEvent&)> on_event)
    : impl_(std::make_unique<Impl>(options, std::move(on_event))) {}
HealthThread::~HealthThread() { stop(); }
void HealthThread::start() { impl_->start(); }
void HealthThread::stop() { impl_->stop(); }
void HealthThread::add(std::vector<CheckerToRun> checkers) { impl_->add(std::move(checkers)); }
void HealthThread::remove(std::vector<CheckerId> checkers) { impl_->remove(std::move(checkers)); }

}  // namespace sluice::health
