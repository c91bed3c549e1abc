#include "control/daemon/supervisor/hello_watch.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

using namespace std::chrono_literals;
using Action = HelloWatch::Action;

constexpr HelloWatch::Time start{1000s};

HelloWatch serving() {
  HelloWatch watch;
  watch.started(start);
  watch.busy(false, start);
  return watch;
}

TEST(HelloWatch, IsContentAsLongAsHellosArrive) {
  HelloWatch watch = serving();
  for (auto now = start; now < start + 100s; now += hello_interval) {
    watch.hello(now);
    EXPECT_EQ(watch.check(now + 999ms), Action::none);
    EXPECT_TRUE(watch.content(now + 999ms));
  }
}

TEST(HelloWatch, AbortsASilentDirectorThenKillsItEachOnce) {
  HelloWatch watch = serving();
  EXPECT_EQ(watch.check(start + HelloWatch::patience - 1ms), Action::none);
  EXPECT_TRUE(watch.content(start + HelloWatch::patience - 1ms));
  const auto aborted = start + HelloWatch::patience;
  EXPECT_FALSE(watch.content(aborted));
  EXPECT_EQ(watch.check(aborted), Action::abort);
  EXPECT_EQ(watch.check(aborted + HelloWatch::grace - 1ms), Action::none);
  EXPECT_EQ(watch.check(aborted + HelloWatch::grace), Action::kill);
  EXPECT_EQ(watch.check(aborted + 1h), Action::none);
}

TEST(HelloWatch, AHelloThatComesTooLateDoesNotSaveIt) {
  HelloWatch watch = serving();
  const auto aborted = start + HelloWatch::patience;
  ASSERT_EQ(watch.check(aborted), Action::abort);
  watch.hello(aborted + 1s);
  EXPECT_FALSE(watch.content(aborted + 1s)) << "it was told to die";
  EXPECT_EQ(watch.check(aborted + HelloWatch::grace), Action::kill);
}

TEST(HelloWatch, IsMorePatientWhileTheDirectorStartsOrReloads) {
  HelloWatch watch;
  watch.started(start);
  EXPECT_EQ(watch.check(start + HelloWatch::patience_busy - 1ms), Action::none);
  EXPECT_EQ(watch.check(start + HelloWatch::patience_busy), Action::abort);

  watch = serving();
  watch.busy(true, start + 9s);
  EXPECT_EQ(watch.check(start + 9s + HelloWatch::patience), Action::none);
  watch.busy(false, start + 50s);
  EXPECT_EQ(watch.check(start + 50s + HelloWatch::patience), Action::abort);
}

TEST(HelloWatch, ForgetsAllWithANewDirector) {
  HelloWatch watch = serving();
  ASSERT_EQ(watch.check(start + HelloWatch::patience), Action::abort);
  watch.started(start + 20s);
  EXPECT_TRUE(watch.content(start + 21s));
  EXPECT_EQ(watch.check(start + 20s + HelloWatch::patience_busy), Action::abort);
}

}  // namespace
}  // namespace sluice::control
