// wlc against sequences seen on Linux IPVS.
#include <gtest/gtest.h>

#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

struct Row {
  std::uint32_t a, b, c;
  const char* sequence;
};

TEST(WeightedLeastConnection, GivesTheKernelsSequencesWhileConnectionsOnlyCome) {
  const Row rows[] = {
      {1, 1, 1, "C B A C B A C B A C B A"},
      {1, 2, 3, "C B A C B C C B A C B C"},
      {3, 2, 1, "C B A A B A C B A A B A"},
      {10, 1, 0, "B A A A A A A A A A A B"},
  };
  for (const Row& row : rows) {
    Bench bench(SchedulerKind::wlc, {{'A', row.a}, {'B', row.b}, {'C', row.c}});
    EXPECT_EQ(bench.connect_times(12), letters(row.sequence)) << row.a << ' ' << row.b << ' ' << row.c;
  }
}

TEST(WeightedLeastConnection, AFinishedConnectionStillCountsALittle) {
  Bench bench(SchedulerKind::wlc, {{'A', 1}, {'B', 1}});
  EXPECT_EQ(bench.connect_times(2), letters("B A"));
  bench.finish(0);
  EXPECT_EQ(bench.connect_times(4), letters("B A B A"));
}

TEST(WeightedLeastConnection, ComparesExactlyWhereRoundedQuotientsWouldBeEqual) {
  Bench bench(SchedulerKind::wlc, {{'A', 65535}, {'B', 65534}});
  bench.load('A').active = 1'000'000;
  bench.load('B').active = 1'000'000;
  EXPECT_EQ(bench.connect(), 'A');
}

TEST(WeightedLeastConnection, LeavesOutTheOverloadedUntilTheyFallBelowTheirLowerThreshold) {
  Bench bench(SchedulerKind::wlc);
  bench.add('A', 1);
  bench.add('B', 100, {.upper = 3, .lower = 2});
  EXPECT_EQ(bench.connect_times(6), letters("B A B B A A"));
  bench.finish(0);
  bench.end(0);
  EXPECT_EQ(bench.connect(), 'A') << "two left, and two is not below two";
  bench.finish(2);
  bench.end(2);
  EXPECT_EQ(bench.connect(), 'B');
}

}  // namespace
}  // namespace sluice::dataplane::test
