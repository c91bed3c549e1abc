// rr against sequences seen on Linux IPVS, and the cursor's behaviour at the list's ends.
#include <gtest/gtest.h>

#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

TEST(RoundRobin, GoesRoundFromTheNewestAndKeepsItsPlaceThroughChanges) {
  Bench bench(SchedulerKind::rr, {{'A', 1}, {'B', 1}, {'C', 1}});
  EXPECT_EQ(bench.connect_times(8), letters("C B A C B A C B"));
  bench.edit('B', 0);
  EXPECT_EQ(bench.connect_times(5), letters("A C A C A"));
  bench.remove('C');
  EXPECT_EQ(bench.connect_times(3), letters("A A A"));
  bench.add('D');
  EXPECT_EQ(bench.connect_times(4), letters("D A D A"));
}

TEST(RoundRobin, RemovingTheCursorsServerContinuesWithTheNextOne) {
  Bench bench(SchedulerKind::rr, {{'A', 1}, {'B', 1}, {'C', 1}, {'D', 1}});
  EXPECT_EQ(bench.connect_times(2), letters("D C"));
  bench.remove('C');
  EXPECT_EQ(bench.connect_times(4), letters("B A D B"));
}

TEST(RoundRobin, RemovingTheHeadUnderTheCursorStartsFromTheNewHead) {
  Bench bench(SchedulerKind::rr, {{'A', 1}, {'B', 1}, {'C', 1}});
  EXPECT_EQ(bench.connect(), 'C');
  bench.remove('C');
  EXPECT_EQ(bench.connect_times(3), letters("B A B"));
}

TEST(RoundRobin, AServerAddedBeforeTheFirstChoiceIsFirst) {
  Bench bench(SchedulerKind::rr, {{'A', 1}});
  bench.add('B');
  EXPECT_EQ(bench.connect(), 'B');
}

TEST(RoundRobin, SeveralServersRemovedAtOnceMoveTheCursorToTheNearestOneLeftBeforeIt) {
  Bench bench(SchedulerKind::rr, {{'A', 1}, {'B', 1}, {'C', 1}, {'D', 1}});
  EXPECT_EQ(bench.connect_times(3), letters("D C B"));
  Service smaller = bench.service();
  std::erase_if(smaller.candidates, [](const Candidate& candidate) {
    return candidate.destination == Bench::id_of('B') || candidate.destination == Bench::id_of('C');
  });
  auto old = make_scheduler(bench.service());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(old->pick(bench.service(), {}, bench.loads()).has_value());
  auto scheduler = make_scheduler(smaller);
  scheduler->adopt(smaller, *old, bench.service());
  EXPECT_EQ(scheduler->pick(smaller, {}, bench.loads()), Bench::id_of('A'));
}

TEST(RoundRobin, UpperThresholdsTakeServersOutUntilNoneIsLeft) {
  Bench bench(SchedulerKind::rr);
  bench.add('A', 1, {.upper = 3, .lower = 1});
  bench.add('B', 1, {.upper = 4});
  EXPECT_EQ(bench.connect_times(9), letters("B A B A B A B - -"));
}

TEST(RoundRobin, FindsNobodyInAnEmptyOrQuiescedService) {
  Bench bench(SchedulerKind::rr);
  EXPECT_EQ(bench.connect(), nobody);
  bench.add('A', 0);
  EXPECT_EQ(bench.connect(), nobody);
}

}  // namespace
}  // namespace sluice::dataplane::test
