#include "health/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include "health/socket.h"

namespace sluice::health {

using std::chrono::milliseconds;

namespace {

constexpr std::uint32_t no_descriptor = UINT32_MAX;

std::uint64_t key(std::uint32_t descriptor, std::uint32_t generation) {
  return (std::uint64_t{generation} << 32) | descriptor;
}

}  // namespace

void Sleep::await_suspend(std::coroutine_handle<> sleeper) {
  sleeper_ = sleeper;
  loop_.sleepers_.insert(*this);
}

void Sleep::wake() {
  if (!is_linked()) return;
  unlink();
  sleeper_.resume();
}

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  posted_event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = key(no_descriptor, 0)}};
  if (posted_event_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, posted_event_, &event) != 0) {
    const int error = errno;
    if (posted_event_ >= 0) ::close(posted_event_);
    ::close(epoll_);
    throw std::system_error(error, std::generic_category(), "eventfd");
  }
}

EventLoop::~EventLoop() {
  ::close(posted_event_);
  ::close(epoll_);
}

void EventLoop::post(std::move_only_function<void()> call) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(call));
  }
  if (!first) return;
  const std::uint64_t one = 1;
  // It can only fail because it says so already.
  [[maybe_unused]] const auto written = ::write(posted_event_, &one, sizeof one);
}

void EventLoop::run() {
  while (!stopped_) turn(milliseconds{INT_MAX});
}

void EventLoop::turn(milliseconds patience) {
  take_events(time_to_wait(patience));
  wake_sleepers();
}

/// Whole milliseconds, rounded up: what falls due within one is done together, which saves wake-ups.
int EventLoop::time_to_wait(milliseconds patience) const {
  if (sleepers_.empty()) return static_cast<int>(std::min<milliseconds::rep>(patience.count(), INT_MAX));
  const auto left = std::chrono::ceil<milliseconds>(sleepers_.begin()->until_ - Clock::now());
  return static_cast<int>(
      std::clamp<milliseconds::rep>(left.count(), 0, std::min<milliseconds::rep>(patience.count(), INT_MAX)));
}

void EventLoop::take_events(int wait_ms) {
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
  bool posts = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const auto descriptor = static_cast<std::uint32_t>(event.data.u64);
    if (descriptor == no_descriptor) {
      posts = true;
      continue;
    }
    // By value: resuming a coroutine may open sockets, and move the table.
    const Place place = sockets_[descriptor];
    if (place.socket == nullptr || place.generation != event.data.u64 >> 32) continue;
    place.socket->on_event(event.events);
  }
  if (posts) take_posts();
}

void EventLoop::take_posts() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(posted_event_, &count, sizeof count);
  std::vector<std::move_only_function<void()>> calls;
  {
    const std::lock_guard lock(mutex_);
    calls.swap(posted_);
  }
  for (auto& call : calls) call();
}

/// Only those that are due by now, so that sockets have their turn too.
void EventLoop::wake_sleepers() {
  const auto now = Clock::now();
  while (!sleepers_.empty() && sleepers_.begin()->until_ <= now) sleepers_.begin()->wake();
}

int EventLoop::watch(Socket& socket) {
  const auto descriptor = static_cast<std::uint32_t>(socket.descriptor());
  if (descriptor >= sockets_.size()) sockets_.resize(std::max<std::size_t>(descriptor + 1, sockets_.size() * 2));
  Place& place = sockets_[descriptor];
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    .data = {.u64 = key(descriptor, place.generation)}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.descriptor(), &event) != 0) return errno;
  place.socket = &socket;
  return 0;
}

void EventLoop::forget(const Socket& socket) {
  const auto descriptor = static_cast<std::size_t>(socket.descriptor());
  if (descriptor >= sockets_.size() || sockets_[descriptor].socket != &socket) return;
  Place& place = sockets_[descriptor];
  place.socket = nullptr;
  ++place.generation;
}

}  // namespace sluice::health
