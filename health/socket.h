// A non-blocking socket of a checker: who owns it, and how a coroutine waits for it. What is said over it is the
// checkers' business.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "health/event_loop.h"

namespace sluice::health {

/// Health thread only. Not moved: the event loop knows where it is.
class Socket {
 public:
  enum class Ready : std::uint8_t { to_read = 1, to_write = 2 };

  explicit Socket(EventLoop& loop) : loop_(loop) {}
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// socket(2), close-on-exec and non-blocking. 0, or an errno. Once.
  [[nodiscard]] int open(int family, int type, int protocol);
  /// From here on it can be waited for. 0, or an errno. Once, and after connect(2): a socket that isn't connected yet
  /// says that it hung up.
  [[nodiscard]] int watch();
  /// What open() opened.
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// As recv(2).
  [[nodiscard]] long receive(void* to, std::size_t size, int flags = 0);
  /// As send(2); never raises SIGPIPE.
  [[nodiscard]] long send(const void* from, std::size_t size);

  /// Awaited: whether it is ready; false when `patience` has passed. One wait at a time. A peer that always has more
  /// to say can't keep the loop from others.
  class Wait;
  [[nodiscard]] Wait wait(Ready what, std::chrono::milliseconds patience);

 private:
  friend class EventLoop;
  friend class Wait;
  void on_event(std::uint32_t events);
  void would_block(Ready what) { ready_ &= static_cast<std::uint8_t>(~static_cast<unsigned>(what)); }

  EventLoop& loop_;
  int descriptor_ = -1;
  std::uint8_t ready_ = 0;    // of Ready: what the kernel has said, and nobody found untrue since
  std::uint8_t at_once_ = 0;  // waits that ended at once, in a row
  Wait* waiting_ = nullptr;
};

class Socket::Wait : public Sleep {
 public:
  Wait(Socket& socket, Ready what, std::chrono::milliseconds patience)
      : Sleep(socket.loop_, Clock::now() + patience), socket_(socket), what_(static_cast<std::uint8_t>(what)) {}
  ~Wait() {
    if (socket_.waiting_ == this) socket_.waiting_ = nullptr;
  }

  [[nodiscard]] bool await_ready() noexcept { return is_ready() && ++socket_.at_once_ < at_once_max; }
  void await_suspend(std::coroutine_handle<> sleeper) {
    socket_.at_once_ = 0;
    if (is_ready()) end_at(Clock::now());
    socket_.waiting_ = this;
    Sleep::await_suspend(sleeper);
  }
  [[nodiscard]] bool await_resume() const noexcept { return is_ready(); }

 private:
  friend class Socket;
  static constexpr std::uint8_t at_once_max = 16;
  [[nodiscard]] bool is_ready() const { return (socket_.ready_ & what_) != 0; }

  Socket& socket_;
  std::uint8_t what_;
};

inline Socket::Wait Socket::wait(Ready what, std::chrono::milliseconds patience) { return {*this, what, patience}; }

}  // namespace sluice::health
