// The event loop that all probes share: timers, sockets, and words from other threads, for coroutines that wait. Ten
// thousand probes a second leave no room for a general one: a wait costs no allocation, a socket one call to epoll for
// all its life.
#pragma once

#include <boost/intrusive/set.hpp>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace sluice::health {

class Socket;

/// Where a coroutine waits for a point in time, or for somebody to wake it. Awaited once. Destroyed before its time,
/// with the coroutine around it, it is forgotten by the loop.
class Sleep : public boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  using Clock = std::chrono::steady_clock;

  Sleep(class EventLoop& loop, Clock::time_point until) : loop_(loop), until_(until) {}
  ~Sleep() = default;
  Sleep(const Sleep&) = delete;
  Sleep& operator=(const Sleep&) = delete;

  /// Resumes who sleeps now, before wake() returns. Nothing if nobody does.
  void wake();

  [[nodiscard]] static bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> sleeper);
  static void await_resume() noexcept {}

  /// Before it is awaited: ends then.
  void end_at(Clock::time_point when) { until_ = when; }

  friend bool operator<(const Sleep& a, const Sleep& b) { return a.until_ < b.until_; }

 private:
  friend class EventLoop;
  EventLoop& loop_;
  Clock::time_point until_;
  std::coroutine_handle<> sleeper_;
};

/// One thread runs it and calls everything but post().
class EventLoop {
 public:
  using Clock = Sleep::Clock;

  /// Throws std::system_error if the kernel has no descriptors left.
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// From any thread: calls it on the loop's thread, in the order of the posts.
  void post(std::move_only_function<void()> call);

  /// Until stop().
  void run();
  void stop() { stopped_ = true; }
  /// Waits for at most `patience`, then does all that is due.
  void turn(std::chrono::milliseconds patience);

  [[nodiscard]] Sleep sleep_until(Clock::time_point when) { return {*this, when}; }
  [[nodiscard]] Sleep sleep_for(Clock::duration time) { return {*this, Clock::now() + time}; }

 private:
  friend class Sleep;
  friend class Socket;

  /// A socket of ours by its descriptor. An event that was under way when a descriptor was closed and used again bears
  /// the old generation.
  struct Place {
    Socket* socket = nullptr;
    std::uint32_t generation = 0;
  };

  /// Errno, or 0.
  int watch(Socket& socket);
  void forget(const Socket& socket);

  [[nodiscard]] int time_to_wait(std::chrono::milliseconds patience) const;
  void take_events(int wait_ms);
  void take_posts();
  void wake_sleepers();

  int epoll_ = -1;
  int posted_event_ = -1;
  bool stopped_ = false;
  std::vector<Place> sockets_;  // by descriptor
  boost::intrusive::multiset<Sleep, boost::intrusive::constant_time_size<false>> sleepers_;

  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> posted_;  // under mutex_
};

}  // namespace sluice::health
