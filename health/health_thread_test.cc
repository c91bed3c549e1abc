#include "health/health_thread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace sluice::health {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// Collects events from the health thread; waits for a condition with a deadline.
class Events {
 public:
  void post(const std::vector<HealthEvent>& events) {
    const std::lock_guard lock(mutex_);
    events_.insert(events_.end(), events.begin(), events.end());
    changed_.notify_all();
  }

  template <typename Condition>
  bool wait_for(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 5s, [&] { return condition(events_); });
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<HealthEvent> events_;
};

/// Accepts by itself: the kernel completes connections that wait in the queue.
struct Listener {
  explicit Listener(std::uint16_t port = 0) : acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), port)) {}
  [[nodiscard]] std::uint16_t port() const { return acceptor.local_endpoint().port(); }
  asio::io_context io;
  tcp::acceptor acceptor;
};

CheckerToRun tcp_checker(std::uint64_t id, std::uint16_t port, std::chrono::milliseconds delay_loop = 20ms) {
  CheckerSpec spec{
      .what =
          TcpCheckSpec{{.address = net::Ipv4Addr::of(127, 0, 0, 1), .port = net::L4Port::of(port), .timeout = 500ms}},
      .timings = {delay_loop, 5ms, 1},
      .warmup = 10ms};
  return {CheckerId{id}, spec};
}

TEST(HealthThread, ReportsEachProbeWithWhatItMeans) {
  Events events;
  std::optional<Listener> listener(std::in_place);
  const auto port = listener->port();
  HealthThread thread({.start_delay = 0ms, .seed = 1}, [&](const auto& told) { events.post(told); });
  thread.add({tcp_checker(7, port)});
  thread.start();
  ASSERT_TRUE(events.wait_for([](const auto& all) {
    return !all.empty() && all[0].checker == CheckerId{7} && all[0].outcome.first && all[0].outcome.up &&
           all[0].reason == "connected" && all[0].latency < 1s;
  }));
  listener.reset();
  ASSERT_TRUE(events.wait_for([](const auto& all) { return !all.back().outcome.up; }));
  ASSERT_TRUE(events.wait_for([](const auto& all) {
    return std::count_if(all.begin(), all.end(), [](const auto& e) { return e.outcome.changed; }) == 1;
  }));
  listener.emplace(port);
  EXPECT_TRUE(events.wait_for([](const auto& all) { return all.back().outcome.up; }));
}

TEST(HealthThread, FirstProbeWaitsForTheStartDelay) {
  Events events;
  Listener listener;
  HealthThread thread({.start_delay = 150ms, .seed = 1}, [&](const auto& told) { events.post(told); });
  const auto before = std::chrono::steady_clock::now();
  thread.start();
  thread.add({tcp_checker(1, listener.port())});
  ASSERT_TRUE(events.wait_for([](const auto& all) { return !all.empty(); }));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 150ms);
}

TEST(HealthThread, RemovedCheckersAreSilentAndOthersGoOn) {
  Events events;
  Listener listener;
  HealthThread thread({.start_delay = 0ms, .seed = 1}, [&](const auto& told) { events.post(told); });
  thread.start();
  thread.add({tcp_checker(1, listener.port()), tcp_checker(2, listener.port())});
  const auto from = [](const auto& all, std::uint64_t id) {
    return std::count_if(all.begin(), all.end(), [&](const auto& e) { return e.checker == CheckerId{id}; });
  };
  ASSERT_TRUE(events.wait_for([&](const auto& all) { return from(all, 1) > 0 && from(all, 2) > 0; }));
  thread.remove({CheckerId{1}, CheckerId{99}});
  thread.add({tcp_checker(3, listener.port())});
  std::ptrdiff_t ones = 0;
  ASSERT_TRUE(events.wait_for([&](const auto& all) {
    ones = from(all, 1);
    return from(all, 3) > 0;
  }));
  const auto now = static_cast<std::ptrdiff_t>(events.size());
  ASSERT_TRUE(events.wait_for([&](const auto& all) { return static_cast<std::ptrdiff_t>(all.size()) > now + 4; }));
  EXPECT_TRUE(events.wait_for([&](const auto& all) { return from(all, 1) == ones && from(all, 2) > 0; }));
}

TEST(HealthThread, AddingAnIdAgainReplacesItsChecker) {
  Events events;
  Listener listener;
  HealthThread thread({.start_delay = 0ms, .seed = 1}, [&](const auto& told) { events.post(told); });
  thread.start();
  thread.add({tcp_checker(1, listener.port(), 10s)});
  ASSERT_TRUE(events.wait_for([](const auto& all) { return all.size() == 1; }));
  thread.add({tcp_checker(1, listener.port())});
  EXPECT_TRUE(events.wait_for([](const auto& all) { return all.size() > 3; }));
}

TEST(HealthThread, StopEndsCheckersInTheMiddleOfAProbe) {
  std::atomic<int> after_stop = 0;
  std::atomic<bool> stopped = false;
  Listener silent;
  HealthThread thread({.start_delay = 0ms, .seed = 1}, [&](const auto&) {
    if (stopped) ++after_stop;
  });
  std::vector<CheckerToRun> checkers;
  for (std::uint64_t id = 0; id < 20; ++id) {
    CheckerSpec spec = tcp_checker(id, silent.port()).spec;
    HttpGetSpec http{.connect = std::get<TcpCheckSpec>(spec.what).connect, .urls = {{}}};
    http.connect.timeout = 60s;
    spec.what = http;
    checkers.push_back({CheckerId{id}, spec});
  }
  thread.start();
  thread.add(checkers);
  std::this_thread::sleep_for(50ms);  // most of them are reading now; the test holds wherever they are
  const auto before = std::chrono::steady_clock::now();
  thread.stop();
  stopped = true;
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
  thread.stop();
  EXPECT_EQ(after_stop, 0);
}

TEST(HealthThread, RunsScriptsByWhomeverItWasGivenAndStopsThemWithTheirChecker) {
  Events events;
  std::atomic<int> running = 0;
  std::atomic<bool> answer = true;
  HealthOptions options{.start_delay = 0ms, .seed = 1};
  options.run_script = [&](const ScriptCommand&, const ScriptDone& done) -> StopScript {
    if (answer) {
      done({ScriptOutcome::How::exited, 12, {}});
      return {};
    }
    ++running;
    return [&] { --running; };
  };
  HealthThread thread(std::move(options), [&](const auto& told) { events.post(told); });
  const CheckerSpec spec{
      .what = MiscCheckSpec{.script = {.argv = {"/bin/x"}}, .dynamic = true}, .timings = {5ms, 5ms, 0}, .warmup = 0ms};
  thread.start();
  thread.add({{CheckerId{1}, spec}});
  ASSERT_TRUE(events.wait_for([](const auto& all) {
    return !all.empty() && all[0].outcome.up && all[0].weight == WeightReport{WeightReport::Kind::absolute, 10};
  }));
  answer = false;
  const auto until = [](auto condition) {
    for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  };
  ASSERT_TRUE(until([&] { return running == 1; }));
  thread.remove({CheckerId{1}});
  EXPECT_TRUE(until([&] { return running == 0; }));
  thread.add({{CheckerId{2}, spec}});
  ASSERT_TRUE(until([&] { return running == 1; }));
  thread.stop();
  EXPECT_EQ(running, 0);
}

TEST(HealthThread, NeverStartedIsDestroyedQuietly) {
  HealthThread thread({}, [](const auto&) { FAIL(); });
  thread.add({tcp_checker(1, 1)});
}

TEST(HealthThread, WhoIsSuspendedDoesNotProbeUntilItIsResumed) {
  const Listener listener;
  Events events;
  HealthThread thread({.start_delay = 1ms}, [&](const auto& told) { events.post(told); });
  CheckerToRun rests = tcp_checker(1, listener.port());
  rests.suspended = true;
  thread.add({rests, tcp_checker(2, listener.port())});
  thread.start();
  const auto of = [](std::uint64_t id) {
    return [id](const HealthEvent& event) { return event.checker == CheckerId{id}; };
  };
  ASSERT_TRUE(events.wait_for([&](const auto& all) { return std::ranges::count_if(all, of(2)) > 4; }));
  EXPECT_TRUE(events.wait_for([&](const auto& all) { return std::ranges::count_if(all, of(1)) == 0; }));
  thread.suspend({CheckerId{2}, CheckerId{7}});
  thread.resume({CheckerId{1}});
  ASSERT_TRUE(events.wait_for([&](const auto& all) { return std::ranges::count_if(all, of(1)) > 0; }));
  const auto before = events.size();
  ASSERT_TRUE(events.wait_for([&](const auto& all) { return all.size() > before + 5; }));
  EXPECT_TRUE(events.wait_for(
      [&](const auto& all) { return std::none_of(all.begin() + std::ptrdiff_t(before) + 1, all.end(), of(2)); }));
  thread.stop();
}

}  // namespace
}  // namespace sluice::health
