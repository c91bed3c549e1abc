// dh against a table seen on Linux IPVS.
#include <gtest/gtest.h>

#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

/// 10.9.1.1 to 10.9.1.8.
std::string connect_to_eight(Bench& bench) {
  std::string servers;
  for (std::uint8_t last = 1; last <= 8; ++last) servers += bench.connect({}, net::Ipv4Addr::of(10, 9, 1, last));
  return servers;
}

TEST(DestinationHash, PutsAddressesIntoTheKernelsBuckets) {
  const std::uint32_t buckets[] = {168, 10, 108, 206, 47, 145, 243, 85};
  for (std::uint8_t i = 0; i < 8; ++i) {
    EXPECT_EQ(hash32(net::Ipv4Addr::of(10, 9, 1, std::uint8_t(i + 1)).host(), 8), buckets[i]);
  }
}

TEST(DestinationHash, TheAddressDecides) {
  Bench bench(SchedulerKind::dh, {{'A', 1}, {'B', 1}, {'C', 1}});
  EXPECT_EQ(connect_to_eight(bench), letters("C B C A A B C B"));
}

TEST(DestinationHash, WeightChangesNothingButZero) {
  Bench bench(SchedulerKind::dh, {{'A', 5}, {'B', 1}, {'C', 9}});
  EXPECT_EQ(connect_to_eight(bench), letters("C B C A A B C B"));
  bench.edit('C', 0);
  EXPECT_EQ(connect_to_eight(bench), letters("- B - A A B - B"));
}

TEST(DestinationHash, AnOverloadedServersAddressesFindNobody) {
  Bench bench(SchedulerKind::dh, {{'A', 1}, {'B', 1}, {'C', 1}});
  bench.load('B').overloaded = true;
  EXPECT_EQ(connect_to_eight(bench), letters("C - C A A - C -"));
}

TEST(DestinationHash, TheTableFollowsTheList) {
  Bench bench(SchedulerKind::dh, {{'A', 1}, {'B', 1}, {'C', 1}});
  bench.remove('C');
  EXPECT_EQ(connect_to_eight(bench), letters("B B B B A A A A"));
  bench.remove('A');
  bench.remove('B');
  EXPECT_EQ(connect_to_eight(bench), letters("- - - - - - - -"));
}

}  // namespace
}  // namespace sluice::dataplane::test
