// sh against tables seen on Linux IPVS.
#include <gtest/gtest.h>

#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

/// From 10.0.1.1 to 10.0.1.12, any port.
std::string connect_from_twelve(Bench& bench) {
  std::string servers;
  for (std::uint8_t last = 1; last <= 12; ++last) {
    servers += bench.connect({net::Ipv4Addr::of(10, 0, 1, last), net::L4Port::of(std::uint16_t(40000 + last * 7))});
  }
  return servers;
}

TEST(SourceHash, PutsAddressesIntoTheKernelsBuckets) {
  const std::uint32_t buckets[] = {240, 82, 179, 21, 119, 217, 59, 156, 254, 96, 194, 35};
  for (std::uint8_t i = 0; i < 12; ++i) {
    EXPECT_EQ(hash32(net::Ipv4Addr::of(10, 0, 1, std::uint8_t(i + 1)).host(), 8), buckets[i]);
  }
}

struct Row {
  std::uint32_t a, b, c;
  bool fallback;
  const char* servers;
};

TEST(SourceHash, GivesTheKernelsTables) {
  const Row rows[] = {
      {1, 1, 1, false, "C B A C A B A C A C A A"},
      {3, 2, 1, false, "C A A A A B A C B C B A"},
      {1, 0, 1, false, "C - A C A - A C A C A A"},
      {1, 0, 1, true, "C A A C A A A C A C A A"},
  };
  for (const Row& row : rows) {
    Bench bench(SchedulerKind::sh, {{'A', row.a}, {'B', row.b}, {'C', row.c}}, {.sh_fallback = row.fallback});
    EXPECT_EQ(connect_from_twelve(bench), letters(row.servers))
        << row.a << ' ' << row.b << ' ' << row.c << (row.fallback ? " sh-fallback" : "");
  }
}

TEST(SourceHash, WithShPortTheClientsPortCountsToo) {
  Bench bench(SchedulerKind::sh, {{'A', 1}, {'B', 1}, {'C', 1}}, {.sh_port = true});
  std::string servers;
  for (std::uint16_t port = 20230; port <= 20241; ++port) {
    servers += bench.connect({net::Ipv4Addr::of(10, 0, 1, 1), net::L4Port::of(port)});
  }
  EXPECT_EQ(servers, letters("B C A A B A B A C A B A"));
}

TEST(SourceHash, FallbackFindsNobodyOnlyWhenNobodyIsLeft) {
  Bench bench(SchedulerKind::sh, {{'A', 1}, {'B', 0}, {'C', 1}}, {.sh_fallback = true});
  bench.load('C').overloaded = true;
  EXPECT_EQ(connect_from_twelve(bench), letters("A A A A A A A A A A A A"));
  bench.edit('A', 0);
  EXPECT_EQ(connect_from_twelve(bench), letters("- - - - - - - - - - - -"));
}

TEST(SourceHash, AWeightOf256StarvesTheOlderServers) {
  Bench bench(SchedulerKind::sh, {{'A', 1}, {'B', 1}, {'C', 255}});
  bench.load('C').overloaded = true;
  std::string others;
  for (std::uint32_t host = 1; host < 2000; ++host) {
    const char server = bench.connect({net::Ipv4Addr::from_host(0x0a000000 + host), net::L4Port::of(1)});
    if (server != nobody) others += server;
  }
  EXPECT_NE(others.find('B'), std::string::npos);
  EXPECT_EQ(others.find('A'), std::string::npos) << "255 + 1 buckets are all there are";
}

TEST(SourceHash, FindsNobodyInAnEmptyService) {
  Bench bench(SchedulerKind::sh);
  EXPECT_EQ(bench.connect(), nobody);
}

}  // namespace
}  // namespace sluice::dataplane::test
