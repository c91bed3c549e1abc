// The coroutines that checkers are written as. A Task does nothing until it is awaited or started. Who owns it owns the
// coroutine: letting go of a Task that hasn't ended takes it down where it waits, its locals are destroyed, sockets
// closed, timers ended. That is how a probe is cancelled.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace sluice::health {

namespace detail {

/// What the promises of all tasks share: when the coroutine ends, who awaits it goes on.
class TaskPromise {
 public:
  static std::suspend_always initial_suspend() noexcept { return {}; }

  struct Final {
    static bool await_ready() noexcept { return false; }
    template <typename Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      const std::coroutine_handle<> awaits = ended.promise().awaits;
      return awaits ? awaits : std::noop_coroutine();
    }
    static void await_resume() noexcept {}
  };
  static Final final_suspend() noexcept { return {}; }

  /// It goes to who awaits; if nobody does, out of the event loop: a defect that must not pass in silence.
  void unhandled_exception() {
    if (!awaits) throw;
    exception = std::current_exception();
  }

  std::coroutine_handle<> awaits;
  std::exception_ptr exception;
};

template <typename T>
class ValuePromise : public TaskPromise {
 public:
  void return_value(T value) { value_.emplace(std::move(value)); }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class ValuePromise<void> : public TaskPromise {
 public:
  static void return_void() noexcept {}
  static void take() noexcept {}
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type : detail::ValuePromise<T> {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
  };

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    Task(std::move(other)).swap(*this);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  /// Runs it up to where it first waits. Once, and instead of awaiting it.
  void start() { coroutine_.resume(); }
  [[nodiscard]] bool ended() const { return coroutine_.done(); }

  // co_await, once: runs it to its end and gives what it returns.
  [[nodiscard]] static bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaits) noexcept {
    coroutine_.promise().awaits = awaits;
    return coroutine_;
  }
  T await_resume() {
    if (coroutine_.promise().exception) std::rethrow_exception(coroutine_.promise().exception);
    return coroutine_.promise().take();
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  void swap(Task& other) noexcept { std::swap(coroutine_, other.coroutine_); }

  std::coroutine_handle<promise_type> coroutine_;
};

}  // namespace sluice::health
