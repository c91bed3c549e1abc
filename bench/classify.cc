// ns per classification, which a packet without a connection costs where there are classify rules: by number of rules,
// when the last one matches and when none does. Rules differ in all conditions; packets go round among 1024.
//
//   bench_classify [--benchmark_...]
#include <benchmark/benchmark.h>

#include <array>
#include <random>

#include "dataplane/classify/classifier.h"

namespace sluice::bench {
namespace {

using dataplane::ClassifyRule;
using dataplane::PortId;

/// Each its own port range, half of them with a source.
std::vector<ClassifyRule> rules(std::size_t count) {
  std::vector<ClassifyRule> list;
  for (std::size_t i = 0; i < count; ++i) {
    ClassifyRule rule{.mark = std::uint32_t(i + 1),
                      .destination = {net::Ipv4Addr::of(10, 0, std::uint8_t(i % 4), std::uint8_t(i / 4)), 32 - i % 9}};
    rule.port_first = rule.port_last = std::uint16_t(1000 + i);
    if (i % 2 == 0) rule.source = {net::Ipv4Addr::of(172, std::uint8_t(16 + i % 16), 0, 0), 16};
    list.push_back(rule);
  }
  // The last resort, which every packet to port 80 reaches.
  list.back() = {.mark = 9999, .destination = {net::Ipv4Addr::of(10, 0, 0, 0), 16}, .port_first = 80, .port_last = 80};
  return list;
}

void classify(benchmark::State& state, std::uint16_t port) {
  const dataplane::Classifier classifier(rules(std::size_t(state.range(0))));
  std::mt19937 random(1);
  std::array<net::FiveTuple, 1024> packets;
  for (net::FiveTuple& packet : packets) {
    packet = {{net::Ipv4Addr::from_host(0xac100000u | (std::uint32_t(random()) & 0xfffff)), net::L4Port::of(40000)},
              {net::Ipv4Addr::from_host(0x0a000000u | (std::uint32_t(random()) & 0x3ff)), net::L4Port::of(port)},
              net::Protocol::tcp};
  }
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(classifier.mark_of(packets[next++ % packets.size()], PortId{0}, 0));
}

void last_rule_matches(benchmark::State& state) { classify(state, 80); }
void none_matches(benchmark::State& state) { classify(state, 81); }

BENCHMARK(last_rule_matches)->Arg(1)->Arg(16)->Arg(128)->Arg(1024);
BENCHMARK(none_matches)->Arg(1)->Arg(16)->Arg(128)->Arg(1024);

}  // namespace
}  // namespace sluice::bench

BENCHMARK_MAIN();
