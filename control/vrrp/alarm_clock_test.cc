#include "control/vrrp/alarm_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>

namespace sluice::control {
namespace {

using vrrp::Microseconds;

vrrp::Time at(std::int64_t microseconds) { return vrrp::Time(Microseconds(microseconds)); }

struct AlarmClockTest : testing::Test {
  boost::asio::io_context io;
  AlarmClock clock{io};
  std::string rung;
  Alarm a{clock, [this] { rung += 'a'; }}, b{clock, [this] { rung += 'b'; }}, c{clock, [this] { rung += 'c'; }};

  std::string ring(std::int64_t now) {
    rung.clear();
    clock.ring(at(now));
    return rung;
  }
};

TEST_F(AlarmClockTest, RingsInTheOrderOfTheirTimesAndOnce) {
  b.set(at(20));
  a.set(at(10));
  c.set(at(30));
  EXPECT_EQ(clock.wakes_at(), at(10));
  EXPECT_EQ(ring(9), "");
  EXPECT_EQ(ring(20), "ab");
  EXPECT_EQ(clock.wakes_at(), at(30));
  EXPECT_EQ(ring(40), "c");
  EXPECT_EQ(ring(50), "");
  EXPECT_FALSE(clock.wakes_at());
}

TEST_F(AlarmClockTest, AnAlarmThatIsPutOffRingsAtItsLastTimeOnly) {
  for (int i = 1; i <= 5; ++i) a.set(at(10 * i));
  EXPECT_EQ(clock.wakes_at(), at(10)) << "putting it off leaves the timer alone";
  EXPECT_EQ(ring(10), "");
  EXPECT_EQ(clock.wakes_at(), at(50));
  EXPECT_EQ(ring(49), "");
  EXPECT_EQ(ring(50), "a");
}

TEST_F(AlarmClockTest, AnAlarmThatIsBroughtForwardRingsOnce) {
  a.set(at(50));
  a.set(at(10));
  EXPECT_EQ(clock.wakes_at(), at(10));
  EXPECT_EQ(ring(10), "a");
  EXPECT_EQ(ring(50), "");
}

TEST_F(AlarmClockTest, WhatMayRingEarlyRingsWithWhatIsDueAndWakesNobody) {
  a.set(at(10), Microseconds(5));
  b.set(at(14), Microseconds(5));
  c.set(at(16), Microseconds(5));
  EXPECT_EQ(clock.wakes_at(), at(10));
  EXPECT_EQ(ring(10), "ab");
  EXPECT_EQ(clock.wakes_at(), at(16));
  EXPECT_EQ(ring(16), "c");
}

TEST_F(AlarmClockTest, ACancelledOrDestroyedAlarmIsSilent) {
  a.set(at(10));
  a.cancel();
  {
    Alarm gone(clock, [this] { rung += 'x'; });
    gone.set(at(10));
  }
  Alarm next(clock, [this] { rung += 'n'; });  // in the place of the one that is gone
  next.set(at(12));
  EXPECT_EQ(ring(10), "");
  EXPECT_EQ(ring(12), "n");
  a.set(at(5));
  EXPECT_EQ(ring(12), "a");
}

TEST_F(AlarmClockTest, AnAlarmSetsItselfAgain) {
  int times = 0;
  std::unique_ptr<Alarm> each;
  each = std::make_unique<Alarm>(clock, [&] { each->set(at(10 * (++times + 1))); });
  each->set(at(10));
  clock.ring(at(10));
  EXPECT_EQ(times, 1);
  EXPECT_EQ(clock.wakes_at(), at(20));
  clock.ring(at(45));
  EXPECT_EQ(times, 4);
}

TEST_F(AlarmClockTest, TheTimerRingsIt) {
  const auto now = std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now().time_since_epoch());
  a.set(vrrp::Time(now + Microseconds(2000)));
  b.set(vrrp::Time(now + Microseconds(1000)));
  io.run();
  EXPECT_EQ(rung, "ba");
}

TEST(AlarmClock, AgreesWithAListThatIsSearchedEachTime) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  boost::asio::io_context io;
  AlarmClock clock(io);
  std::multimap<int, int> rung, expected;  // by when
  std::vector<std::optional<int>> model(20);
  std::vector<std::unique_ptr<Alarm>> alarms(20);
  int now = 0;
  const auto make = [&](std::size_t i) {
    return std::make_unique<Alarm>(clock, [&, i] { rung.emplace(now, int(i)); });
  };
  for (std::size_t i = 0; i < alarms.size(); ++i) alarms[i] = make(i);
  for (int step = 0; step < 20000; ++step) {
    const std::size_t i = random() % alarms.size();
    switch (random() % 8) {
      case 0: alarms[i]->cancel(), model[i].reset(); break;
      case 1: alarms[i] = make(i), model[i].reset(); break;
      case 2:
        now += int(random() % 10);
        for (std::size_t each = 0; each < model.size(); ++each) {
          if (!model[each] || *model[each] > now) continue;
          expected.emplace(now, int(each));
          model[each].reset();
        }
        clock.ring(at(now));
        break;
      default: {
        const int when = now + int(random() % 30);
        alarms[i]->set(at(when));
        model[i] = when;
      }
    }
    const auto next = std::ranges::min_element(model, {}, [](const auto& each) { return each.value_or(1 << 30); });
    ASSERT_TRUE(!*next || (clock.wakes_at() && *clock.wakes_at() <= at(**next)));
  }
  const auto sorted = [](const std::multimap<int, int>& all) {
    std::vector<std::pair<int, int>> list(all.begin(), all.end());
    std::ranges::sort(list);
    return list;
  };
  EXPECT_EQ(sorted(rung), sorted(expected));
  EXPECT_GT(rung.size(), 1000u);
}

}  // namespace
}  // namespace sluice::control
