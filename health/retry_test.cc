#include "health/retry.h"

#include <gtest/gtest.h>

#include <string_view>

namespace sluice::health {
namespace {

using namespace std::chrono_literals;

constexpr RetryTimings timings(std::uint32_t retry) { return {10s, 2s, retry}; }

TEST(Retry, FirstFailureEverIsEnough) {
  RetryState state(timings(3), true);
  const Outcome outcome = state.on(Verdict::failure);
  EXPECT_FALSE(outcome.up);
  EXPECT_TRUE(outcome.changed);
  EXPECT_TRUE(outcome.first);
  EXPECT_EQ(outcome.next_probe, 10s);
}

TEST(Retry, ToleratesAsManyFailuresAsAskedThenGoesDown) {
  RetryState state(timings(2), true);
  EXPECT_TRUE(state.on(Verdict::success).first);
  for (std::uint32_t tolerated = 1; tolerated <= 2; ++tolerated) {
    const Outcome outcome = state.on(Verdict::failure);
    EXPECT_TRUE(outcome.up);
    EXPECT_FALSE(outcome.changed);
    EXPECT_EQ(outcome.retries, tolerated);
    EXPECT_EQ(outcome.next_probe, 2s);
  }
  const Outcome outcome = state.on(Verdict::failure);
  EXPECT_FALSE(outcome.up);
  EXPECT_TRUE(outcome.changed);
  EXPECT_EQ(outcome.retries, 2u);
  EXPECT_EQ(outcome.next_probe, 10s);
}

TEST(Retry, SuccessInBetweenBeginsCountingAgain) {
  RetryState state(timings(1), true);
  state.on(Verdict::success);
  EXPECT_TRUE(state.on(Verdict::failure).up);
  EXPECT_TRUE(state.on(Verdict::success).up);
  EXPECT_TRUE(state.on(Verdict::failure).up);
  EXPECT_FALSE(state.on(Verdict::failure).up);
}

TEST(Retry, DownIsPolledAtDelayLoopAndOneSuccessBringsItBack) {
  RetryState state(timings(5), true);
  state.on(Verdict::failure);
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = state.on(Verdict::failure);
    EXPECT_FALSE(outcome.up || outcome.changed || outcome.first);
    EXPECT_EQ(outcome.next_probe, 10s);
  }
  const Outcome outcome = state.on(Verdict::success);
  EXPECT_TRUE(outcome.up && outcome.changed);
  EXPECT_FALSE(outcome.first);
}

TEST(Retry, AlphaStartsDownAndItsFirstFailureIsAResultNotAChange) {
  RetryState state(timings(1), false);
  EXPECT_FALSE(state.is_up());
  const Outcome outcome = state.on(Verdict::failure);
  EXPECT_TRUE(outcome.first);
  EXPECT_FALSE(outcome.changed);
  EXPECT_TRUE(state.on(Verdict::success).changed);
}

TEST(Retry, WhatFailedOnThisSideIsNotCounted) {
  RetryState state(timings(0), true);
  const Outcome outcome = state.on(Verdict::not_counted);
  EXPECT_TRUE(outcome.up);
  EXPECT_FALSE(outcome.first || outcome.changed);
  EXPECT_EQ(outcome.next_probe, 10s);
  EXPECT_FALSE(state.has_run());
}

TEST(UrlCycle, AsksOneUrlPerDelayLoopInOrder) {
  UrlCycle cycle(timings(1), true, 3, false);
  for (const std::size_t url : {0u, 1u, 2u, 0u, 1u}) {
    EXPECT_EQ(cycle.url(), url);
    EXPECT_EQ(cycle.on(Verdict::success).next_probe, 10s);
  }
}

TEST(UrlCycle, FirstResultIsAWholeCycle) {
  UrlCycle cycle(timings(1), false, 2, false);
  EXPECT_FALSE(cycle.on(Verdict::success).first);
  EXPECT_FALSE(cycle.is_up());
  const Outcome outcome = cycle.on(Verdict::success);
  EXPECT_TRUE(outcome.first && outcome.changed && outcome.up);
}

TEST(UrlCycle, RetriesTheUrlThatFailed) {
  UrlCycle cycle(timings(2), true, 2, false);
  cycle.on(Verdict::success);
  cycle.on(Verdict::success);
  cycle.on(Verdict::success);
  EXPECT_EQ(cycle.url(), 1u);
  EXPECT_EQ(cycle.on(Verdict::failure).next_probe, 2s);
  EXPECT_EQ(cycle.url(), 1u);
  EXPECT_TRUE(cycle.on(Verdict::success).up);
  EXPECT_EQ(cycle.url(), 0u);
}

TEST(UrlCycle, RecoveryPollsTheFailedUrlThenAsksAllFromTheFirst) {
  UrlCycle cycle(timings(0), true, 3, false);
  cycle.on(Verdict::success);
  EXPECT_TRUE(cycle.on(Verdict::failure).changed);
  EXPECT_EQ(cycle.url(), 1u);
  EXPECT_EQ(cycle.on(Verdict::failure).next_probe, 10s);
  EXPECT_EQ(cycle.url(), 1u);
  for (const std::size_t url : {1u, 0u, 1u}) {
    EXPECT_EQ(cycle.url(), url);
    EXPECT_FALSE(cycle.on(Verdict::success).up);
  }
  EXPECT_EQ(cycle.url(), 2u);
  EXPECT_TRUE(cycle.on(Verdict::success).changed);
}

TEST(UrlCycle, FailureInRecoveryIsRememberedInstead) {
  UrlCycle cycle(timings(0), true, 2, false);
  cycle.on(Verdict::failure);
  EXPECT_FALSE(cycle.on(Verdict::success).up);
  EXPECT_FALSE(cycle.on(Verdict::success).up);
  EXPECT_FALSE(cycle.on(Verdict::failure).changed);
  EXPECT_EQ(cycle.url(), 1u);
  EXPECT_FALSE(cycle.on(Verdict::success).up);
  EXPECT_EQ(cycle.url(), 0u);
}

TEST(UrlCycle, PollsSlowerWhereDelayBeforeRetryIsLonger) {
  UrlCycle cycle({5s, 30s, 0}, true, 1, false);
  EXPECT_EQ(cycle.on(Verdict::failure).next_probe, 30s);
}

TEST(UrlCycle, SingleUrlComesBackWithTheSecondSuccess) {
  UrlCycle cycle(timings(0), true, 1, false);
  EXPECT_FALSE(cycle.on(Verdict::failure).up);
  const Outcome first = cycle.on(Verdict::success);
  EXPECT_FALSE(first.changed);
  EXPECT_EQ(first.next_probe, 10s);
  EXPECT_TRUE(cycle.on(Verdict::success).changed);
}

TEST(UrlCycle, FastRecoveryDoesNotWaitBetweenUrlsUntilProven) {
  UrlCycle cycle(timings(0), true, 2, true);
  EXPECT_EQ(cycle.on(Verdict::success).next_probe, 0s);
  EXPECT_EQ(cycle.on(Verdict::success).next_probe, 10s);
  EXPECT_EQ(cycle.on(Verdict::success).next_probe, 10s);
  EXPECT_TRUE(cycle.on(Verdict::failure).changed);
  EXPECT_EQ(cycle.on(Verdict::success).next_probe, 0s);  // the one that failed, then all
  EXPECT_EQ(cycle.on(Verdict::success).next_probe, 0s);
  EXPECT_EQ(cycle.on(Verdict::success).next_probe, 10s);
  EXPECT_TRUE(cycle.is_up());
}

}  // namespace
}  // namespace sluice::health
