#include "control/daemon/supervisor/respawn.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

const ProcessEnd killed{.pid = 7, .signal = 9};

ProcessEnd exited(int status) { return {.pid = 7, .exit_status = status}; }

TEST(Respawn, DelaysDoubleFromNothingToAMinute) {
  RespawnPolicy policy(true);
  std::vector<long> delays;
  for (int i = 0; i < 10; ++i) {
    const auto verdict = policy.ended(killed, 1s);
    ASSERT_TRUE(verdict.respawn);
    delays.push_back(verdict.delay.count());
  }
  EXPECT_EQ(delays, (std::vector<long>{0, 1, 2, 4, 8, 16, 32, 60, 60, 60}));
}

TEST(Respawn, IsAtOnceAfterMoreThanAMinuteAndTheDelaysBeginAnew) {
  RespawnPolicy policy(true);
  for (int i = 0; i < 5; ++i) (void)policy.ended(killed, 60s);
  EXPECT_EQ(policy.ended(killed, 60s + 1ms).delay, 0s);
  EXPECT_EQ(policy.ended(killed, 1s).delay, 0s);
  EXPECT_EQ(policy.ended(killed, 1s).delay, 1s);
}

TEST(Respawn, PermanentErrorsEndTheDaemonWithTheirStatus) {
  for (const int status : {1, 2, 4}) {
    RespawnPolicy policy(true);
    const auto verdict = policy.ended(exited(status), 100s);
    EXPECT_FALSE(verdict.respawn);
    EXPECT_EQ(verdict.exit_status, status);
  }
  for (const int status : {0, 3, 6, 70, 204}) {
    RespawnPolicy policy(true);
    EXPECT_TRUE(policy.ended(exited(status), 1s).respawn) << status;
  }
  // A signal's number is no exit status.
  RespawnPolicy policy(true);
  EXPECT_TRUE(policy.ended({.pid = 7, .signal = 1}, 1s).respawn);
}

TEST(Respawn, NoErrorIsPermanentOnceADirectorHasServed) {
  RespawnPolicy policy(true);
  policy.has_served();
  EXPECT_TRUE(policy.ended(exited(1), 1s).respawn);
  EXPECT_EQ(policy.ended(exited(2), 1s).delay, 1s);
  EXPECT_EQ(policy.ended(exited(6), 1s).delay, 2s);
}

TEST(Respawn, IsNotDoneWhenSwitchedOff) {
  RespawnPolicy policy(false);
  policy.has_served();
  const auto verdict = policy.ended(killed, 100s);
  EXPECT_FALSE(verdict.respawn);
  EXPECT_EQ(verdict.exit_status, 1);
  EXPECT_EQ(policy.ended(exited(70), 1s).exit_status, 70);
  EXPECT_EQ(policy.ended(exited(0), 1s).exit_status, 1) << "an end that nobody asked for is none to be proud of";
}

TEST(Respawn, NamesErrorsAndEndsAsKeepalivedDoes) {
  EXPECT_STREQ(to_string(*permanent_error(exited(1))), "FATAL");
  EXPECT_STREQ(to_string(*permanent_error(exited(2))), "CONFIG");
  EXPECT_STREQ(to_string(*permanent_error(exited(4))), "missing permission");
  EXPECT_EQ(killed.text(), "pid 7 exited due to signal 9 (Killed)");
  EXPECT_EQ(exited(3).text(), "pid 7 exited with status 3");
}

}  // namespace
}  // namespace sluice::control
