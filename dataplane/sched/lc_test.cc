// lc against a sequence seen on Linux IPVS.
#include <gtest/gtest.h>

#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

TEST(LeastConnection, IgnoresHowMuchAServerWeighs) {
  Bench bench(SchedulerKind::lc, {{'A', 1}, {'B', 5}, {'C', 1}});
  EXPECT_EQ(bench.connect_times(7), letters("C B A C B A C"));
}

TEST(LeastConnection, CountsAnInactiveConnectionAsA256thOfAnActiveOne) {
  Bench bench(SchedulerKind::lc, {{'A', 1}, {'B', 1}});
  bench.load('B').inactive = 255;
  bench.load('A').active = 1;
  EXPECT_EQ(bench.connect(), 'B');
  bench.load('B') = {.active = 0, .inactive = 256};
  EXPECT_EQ(bench.connect(), 'B') << "equal: the first in the list";
  bench.load('B') = {.active = 0, .inactive = 257};
  EXPECT_EQ(bench.connect(), 'A');
}

TEST(LeastConnection, LeavesOutTheQuiescedAndTheOverloaded) {
  Bench bench(SchedulerKind::lc, {{'A', 1}, {'B', 0}});
  bench.load('A').active = 7;
  EXPECT_EQ(bench.connect(), 'A');
  bench.load('A').overloaded = true;
  EXPECT_EQ(bench.connect(), nobody);
}

}  // namespace
}  // namespace sluice::dataplane::test
