// The event loop by itself: who is woken when, what letting go of a coroutine ends, and that no peer keeps it.
#include "health/event_loop.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <thread>

#include "health/socket.h"
#include "health/task.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;
using Clock = EventLoop::Clock;

Task<void> say(EventLoop& loop, Clock::duration after, std::string& said, char what) {
  co_await loop.sleep_for(after);
  said += what;
}

void turn_for(EventLoop& loop, std::chrono::milliseconds time) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) loop.turn(1ms);
}

TEST(EventLoop, WakesSleepersInTheOrderOfTheirTimes) {
  EventLoop loop;
  std::string said;
  Task<void> late = say(loop, 6ms, said, 'c');
  Task<void> early = say(loop, 2ms, said, 'a');
  Task<void> between = say(loop, 4ms, said, 'b');
  for (Task<void>* each : {&late, &early, &between}) each->start();
  EXPECT_EQ(said, "");
  turn_for(loop, 20ms);
  EXPECT_EQ(said, "abc");
  EXPECT_TRUE(late.ended());
}

TEST(EventLoop, WhoIsLetGoOfIsNotWokenAndItsLocalsAreDestroyed) {
  struct Says {
    ~Says() { said += '!'; }
    std::string& said;
  };
  EventLoop loop;
  std::string said;
  const auto outer = [&]() -> Task<void> {
    const Says says{said};
    co_await say(loop, 1ms, said, 'x');
  };
  std::optional<Task<void>> task(outer());
  task->start();
  task.reset();
  EXPECT_EQ(said, "!");
  turn_for(loop, 5ms);
  EXPECT_EQ(said, "!");
}

TEST(EventLoop, AWakeBeforeItsTimeEndsTheSleepOnce) {
  EventLoop loop;
  Sleep sleep = loop.sleep_for(1h);
  int woken = 0;
  const auto wait = [](Sleep& until, int& count) -> Task<void> {
    co_await until;
    ++count;
  };
  sleep.wake();  // nobody sleeps yet
  Task<void> waits = wait(sleep, woken);
  waits.start();
  EXPECT_EQ(woken, 0);
  sleep.wake();
  sleep.wake();
  EXPECT_EQ(woken, 1);
}

TEST(EventLoop, ExceptionsReachWhoAwaits) {
  const auto throws = []() -> Task<int> {
    throw std::string("out");
    co_return 1;
  };
  std::string caught;
  const auto outer = [&]() -> Task<void> {
    try {
      co_await throws();
    } catch (const std::string& what) {
      caught = what;
    }
  };
  Task<void> task = outer();
  task.start();
  EXPECT_EQ(caught, "out");
}

TEST(EventLoop, CallsFromOtherThreadsComeInOrder) {
  EventLoop loop;
  std::vector<int> got;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&got, i] { got.push_back(i); });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  ASSERT_EQ(got.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
}

/// A UDP socket on loopback that is connected to itself.
class ToItself {
 public:
  explicit ToItself(EventLoop& loop) : socket(loop) {
    EXPECT_EQ(socket.open(AF_INET, SOCK_DGRAM, 0), 0);
    sockaddr_in self{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof self;
    auto* address = reinterpret_cast<sockaddr*>(&self);
    EXPECT_EQ(::bind(socket.descriptor(), address, size), 0);
    EXPECT_EQ(::getsockname(socket.descriptor(), address, &size), 0);
    EXPECT_EQ(::connect(socket.descriptor(), address, size), 0);
    EXPECT_EQ(socket.watch(), 0);
  }
  Socket socket;
};

TEST(EventLoop, AWaitEndsWithItsSocketOrWithItsPatience) {
  EventLoop loop;
  ToItself self(loop);
  std::string said;
  const auto reads = [&]() -> Task<void> {
    said += co_await self.socket.wait(Socket::Ready::to_read, 3ms) ? 'r' : 't';
    said += co_await self.socket.wait(Socket::Ready::to_read, 1h) ? 'r' : 't';
  };
  Task<void> task = reads();
  task.start();
  turn_for(loop, 10ms);
  EXPECT_EQ(said, "t");
  EXPECT_EQ(self.socket.send("x", 1), 1);
  turn_for(loop, 5ms);
  EXPECT_EQ(said, "tr");
}

TEST(EventLoop, APeerThatAlwaysHasMoreToSayLetsOthersRun) {
  EventLoop loop;
  ToItself self(loop);
  std::string said;
  int taken = 0;
  // Each datagram that is read is followed by the next: there is always something to read.
  const auto reads = [&]() -> Task<void> {
    for (;;) {
      co_await self.socket.wait(Socket::Ready::to_read, 1h);
      std::array<char, 8> buffer{};
      if (self.socket.receive(buffer.data(), buffer.size()) < 0) continue;
      ++taken;
      EXPECT_EQ(self.socket.send("x", 1), 1);
    }
  };
  Task<void> other = say(loop, 2ms, said, 'o');
  Task<void> task = reads();
  other.start();
  EXPECT_EQ(self.socket.send("x", 1), 1);
  task.start();
  turn_for(loop, 10ms);
  EXPECT_EQ(said, "o");
  EXPECT_GT(taken, 50);
}

TEST(EventLoop, AnEventOfASocketThatIsGoneIsNobodys) {
  EventLoop loop;
  std::optional<ToItself> first(std::in_place, loop);
  const int descriptor = first->socket.descriptor();
  // As a child would that has just been forked: the file lives on, and so does the kernel's interest in it.
  const int kept = ::dup(descriptor);
  EXPECT_EQ(first->socket.send("x", 1), 1);
  first.reset();
  ToItself second(loop);
  ASSERT_EQ(second.socket.descriptor(), descriptor);
  bool ready = false;
  const auto reads = [&]() -> Task<void> { ready = co_await second.socket.wait(Socket::Ready::to_read, 5ms); };
  Task<void> task = reads();
  task.start();
  turn_for(loop, 15ms);
  EXPECT_TRUE(task.ended());
  EXPECT_FALSE(ready);
  ::close(kept);
}

}  // namespace
}  // namespace sluice::health
