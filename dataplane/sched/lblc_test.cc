// lblc against sequences seen on Linux IPVS; and what is ours: expiry, and the limit of remembered addresses.
#include <gtest/gtest.h>

#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

net::Ipv4Addr content(std::uint32_t number) { return net::Ipv4Addr::from_host(0x0a090100 + number); }

TEST(LocalityLeastConnection, AnAddressMovesOnWhenItsServerIsOverloadedAndAnotherIdles) {
  Bench bench(SchedulerKind::lblc, {{'A', 2}, {'B', 2}, {'C', 2}});
  EXPECT_EQ(bench.connect_times(14), letters("C C C B B B A A A A A A A A"));
}

TEST(LocalityLeastConnection, NewAddressesAreSpreadByWlc) {
  Bench bench(SchedulerKind::lblc, {{'A', 2}, {'B', 2}, {'C', 2}});
  std::string servers;
  for (std::uint32_t i = 1; i <= 8; ++i) servers += bench.connect({}, content(i));
  EXPECT_EQ(servers, letters("C B A C B A C B"));
}

TEST(LocalityLeastConnection, LeavesAServerThatWasQuiescedOrRemoved) {
  Bench bench(SchedulerKind::lblc, {{'A', 9}, {'B', 9}, {'C', 9}});
  EXPECT_EQ(bench.connect_times(2), letters("C C"));
  bench.edit('C', 0);
  EXPECT_EQ(bench.connect_times(2), letters("B B"));
  bench.remove('B');
  EXPECT_EQ(bench.connect_times(2), letters("A A"));
}

TEST(LocalityLeastConnection, AServerThatComesBackHasItsAddressesAgain) {
  Bench bench(SchedulerKind::lblc, {{'A', 9}, {'B', 9}});
  EXPECT_EQ(bench.connect(), 'B');
  bench.remove('B');
  bench.add('B', 9);
  bench.load('B').active = 9;
  EXPECT_EQ(bench.connect(), 'B');
}

TEST(LocalityLeastConnection, TheUpperThresholdDoesntCutARememberedAddress) {
  Bench bench(SchedulerKind::lblc);
  bench.add('A', 9);
  bench.add('B', 9, {.upper = 1});
  EXPECT_EQ(bench.connect_times(3), letters("B B B"));
  EXPECT_EQ(bench.connect({}, content(7)), 'A');
}

TEST(LocalityLeastConnection, AnAddressUnusedForMoreThanADayIsForgotten) {
  for (const std::uint32_t idle_s : {86400u, 86401u}) {
    Bench bench(SchedulerKind::lblc, {{'A', 9}, {'B', 9}});
    EXPECT_EQ(bench.connect(), 'B');
    bench.now_s += idle_s;
    EXPECT_EQ(bench.connect(), idle_s == 86400 ? 'B' : 'A');
  }
}

/// B serves every address that is remembered; for an unknown one wlc takes A, which is idle and weighs the same.
class LocalityLimits : public testing::Test {
 protected:
  static constexpr std::size_t entries_max = 16384;
  static constexpr std::size_t chain_max = 64;

  Bench bench{SchedulerKind::lblc, {{'A', 60000}, {'B', 60000}}};

  char connect(net::Ipv4Addr to) { return bench.connect({}, to); }

  /// One second apart, so that the first is the least recently used.
  void remember(const std::vector<net::Ipv4Addr>& addresses) {
    bench.load('A').active = 50000;
    for (const auto address : addresses) {
      bench.now_s += 1;
      ASSERT_EQ(connect(address), 'B');
    }
    bench.load('A').active = 0;
    bench.load('B').active = 40000;
  }

  /// Successive addresses, which the hash spreads evenly.
  static std::vector<net::Ipv4Addr> spread(std::size_t count) {
    std::vector<net::Ipv4Addr> addresses;
    for (std::uint32_t i = 0; i < count; ++i) addresses.push_back(content(i));
    return addresses;
  }
  static std::vector<net::Ipv4Addr> in_chain_of(net::Ipv4Addr address, const std::vector<net::Ipv4Addr>& addresses) {
    std::vector<net::Ipv4Addr> found;
    for (const auto other : addresses) {
      if (hash32(other.host(), 10) == hash32(address.host(), 10)) found.push_back(other);
    }
    return found;
  }
};

TEST_F(LocalityLimits, SoManyAddressesAreRememberedAndMoveToTheNextList) {
  const auto addresses = spread(entries_max);
  remember(addresses);
  bench.add('C', 60000);
  for (const auto address : addresses) {
    bench.load('B').active = 40000;
    ASSERT_EQ(connect(address), 'B');
  }
}

TEST_F(LocalityLimits, OneAddressMoreTakesThePlaceOfItsChainsLeastRecentlyUsed) {
  auto addresses = spread(entries_max + 1);
  const auto late = addresses.back();
  addresses.pop_back();
  remember(addresses);
  const auto chain = in_chain_of(late, addresses);
  ASSERT_GE(chain.size(), 3u);
  EXPECT_EQ(connect(chain[0]), 'B') << "used again, so the second is the one to go";
  EXPECT_EQ(connect(late), 'A');
  for (std::size_t i = 2; i < chain.size(); ++i) EXPECT_EQ(connect(chain[i]), 'B');
  EXPECT_EQ(connect(chain[0]), 'B');
  EXPECT_EQ(connect(chain[1]), 'A');
}

TEST_F(LocalityLimits, AChainHolds64AndNotOneMore) {
  const auto chain = in_chain_of(content(0), spread(std::size_t{200} * 1024));
  ASSERT_GT(chain.size(), chain_max);
  remember({chain.begin(), chain.begin() + chain_max});
  for (std::size_t i = 0; i < chain_max; ++i) EXPECT_EQ(connect(chain[i]), 'B');
  bench.now_s += 1;
  for (std::size_t i = 1; i < chain_max; ++i) EXPECT_EQ(connect(chain[i]), 'B');
  EXPECT_EQ(connect(chain[chain_max]), 'A');
  for (std::size_t i = 1; i < chain_max; ++i) EXPECT_EQ(connect(chain[i]), 'B');
  EXPECT_EQ(connect(chain[0]), 'A');
}

TEST_F(LocalityLimits, AnAddressThatMovesToAnotherServerKeepsItsOneEntry) {
  auto chain = in_chain_of(content(0), spread(std::size_t{200} * 1024));
  chain.resize(chain_max);
  remember(chain);
  bench.edit('B', 0);
  EXPECT_EQ(connect(chain.back()), 'A');
  bench.edit('B', 60000);
  EXPECT_EQ(connect(chain.front()), 'B') << "nobody had to make room";
}

TEST_F(LocalityLimits, AnAddressWithoutRoomIsScheduledAllTheSame) {
  const auto all = spread(entries_max * 2);
  std::vector<net::Ipv4Addr> filling;
  net::Ipv4Addr homeless{};
  for (const auto address : all) {
    if (hash32(address.host(), 10) == 0) {
      homeless = address;
    } else if (filling.size() < entries_max) {
      filling.push_back(address);
    }
  }
  remember(filling);
  EXPECT_EQ(connect(homeless), 'A');
  bench.load('A').active = 50000;
  EXPECT_EQ(connect(homeless), 'B') << "wlc anew, as it has no entry";
}

}  // namespace
}  // namespace sluice::dataplane::test
