// wrr against sequences seen on Linux IPVS.
#include <gtest/gtest.h>

#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

struct Row {
  std::uint32_t a, b, c;
  const char* sequence;
};

TEST(WeightedRoundRobin, GivesTheKernelsSequences) {
  const Row rows[] = {
      {3, 2, 1, "C B A / A / B A / C B A / A / B A / C B"},
      {4, 3, 2, "C B A A B A C B A C B A A B"},
      {6, 3, 3, "C B A A C B A A C B A A C B"},
      {1, 1, 5, "C B A C C C C C B A C C C C"},
      {2, 0, 1, "C A A C A A C A A C A A C A"},
      {10, 20, 30, "C B A C C B C B A C C B C B"},
  };
  for (const Row& row : rows) {
    Bench bench(SchedulerKind::wrr, {{'A', row.a}, {'B', row.b}, {'C', row.c}});
    const std::string expected = letters(row.sequence);
    EXPECT_EQ(bench.connect_times(expected.size()), expected) << row.a << ' ' << row.b << ' ' << row.c;
  }
}

TEST(WeightedRoundRobin, AnEditGoesBackToTheHeadAndKeepsTheMark) {
  Bench bench(SchedulerKind::wrr, {{'A', 4}, {'B', 2}});
  EXPECT_EQ(bench.connect_times(4), letters("B A A B"));
  bench.edit('B', 3);
  EXPECT_EQ(bench.connect_times(9), letters("B A A B A B A B A"));
}

TEST(WeightedRoundRobin, ManyThatComeAtOnceAreAsIfTheyHadComeOneByOne) {
  Bench bench(SchedulerKind::wrr, {{'A', 3}, {'B', 2}, {'C', 1}});
  Service empty = bench.service();
  empty.candidates.clear();
  const auto before = make_scheduler(empty);
  auto scheduler = make_scheduler(bench.service());
  scheduler->adopt(bench.service(), *before, empty);
  std::string sequence;
  for (int i = 0; i < 6; ++i) {
    sequence += Bench::name_of(*scheduler->pick(bench.service(), {}, bench.loads()));
  }
  EXPECT_EQ(sequence, letters("C B A / A / B A"));
}

TEST(WeightedRoundRobin, AListGivenAtOnceBeginsWithTheHeaviest) {
  Bench bench(SchedulerKind::wrr, {{'A', 3}, {'B', 2}, {'C', 1}});
  auto fresh = make_scheduler(bench.service());
  std::string sequence;
  for (int i = 0; i < 6; ++i) {
    sequence += Bench::name_of(*fresh->pick(bench.service(), {}, bench.loads()));
  }
  EXPECT_EQ(sequence, letters("A / B A / C B A"));
}

TEST(WeightedRoundRobin, SkipsTheOverloadedAndFindsNobodyWhenAllAre) {
  Bench bench(SchedulerKind::wrr);
  bench.add('A', 65535, {.upper = 1});
  bench.add('B', 1, {.upper = 3});
  EXPECT_EQ(bench.connect_times(6), letters("B A B B - -"));
}

TEST(WeightedRoundRobin, FindsNobodyInAnEmptyOrQuiescedService) {
  Bench bench(SchedulerKind::wrr);
  EXPECT_EQ(bench.connect(), nobody);
  bench.add('A', 0);
  EXPECT_EQ(bench.connect(), nobody);
  bench.edit('A', 2);
  EXPECT_EQ(bench.connect_times(2), letters("A A"));
}

}  // namespace
}  // namespace sluice::dataplane::test
