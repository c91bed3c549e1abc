// ns/packet of the engine in memory, one core: NAT (both directions mixed), DR and TUN at 1, 10k and 1M flows, beside
// the probe (bench/probe.h) in the same run. 64-byte TCP packets of established connections, uniform.
//
//   bench_engine [--benchmark_...]
//
// All figures hold the cost of making a packet (bench/traffic.h); "generate" shows it alone. The counters ns_net and
// ratio take it off: ratio = (engine - generate) / (probe - generate), at the same number of flows.
#include <benchmark/benchmark.h>

#include <ctime>
#include <map>

#include "bench/engine_setup.h"
#include "bench/probe.h"

namespace sluice::bench {
namespace {

using dataplane::ForwardMethod;
using dataplane::PortId;

// ns per packet measured so far in this run, by name and flows, for the ratios of those that follow.
class Figures {
 public:
  void report(benchmark::State& state, const std::string& name, std::uint64_t packets, double ns) {
    const std::int64_t flows = state.range(0);
    const double per_packet = ns / double(packets);
    measured_[{name, flows}] = per_packet;
    state.SetItemsProcessed(std::int64_t(packets));
    state.counters["ns_packet"] = per_packet;
    const auto generate = measured_.find({"generate", flows});
    const auto probe = measured_.find({"probe", flows});
    if (name == "generate" || generate == measured_.end()) return;
    state.counters["ns_net"] = per_packet - generate->second;
    if (name == "probe" || probe == measured_.end()) return;
    state.counters["ratio"] = (per_packet - generate->second) / (probe->second - generate->second);
  }

 private:
  std::map<std::pair<std::string, std::int64_t>, double> measured_;
};

double now_ns() {
  timespec now{};
  // Of this thread: what else runs here takes no part.
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}

void generate(benchmark::State& state, Figures& figures) {
  Traffic traffic(std::uint32_t(state.range(0)), Side::client, vip, server, net::tcp_ack);
  TrafficPort port(PortId{0}, 2 * burst);
  port.play(&traffic);
  std::array<dataplane::Frame, burst> frames;
  std::uint64_t packets = 0;
  const double start = now_ns();
  for (auto _ : state) {
    const std::size_t count = port.receive(frames);
    benchmark::DoNotOptimize(frames[0].data[30]);
    port.transmit(std::span(frames).first(count));
    packets += count;
  }
  figures.report(state, "generate", packets, now_ns() - start);
}

void probe(benchmark::State& state, Figures& figures) {
  const auto flows = std::uint32_t(state.range(0));
  Probe probe(flows);
  Traffic traffic(flows, Side::client, vip, server, net::tcp_ack);
  TrafficPort port(PortId{0}, 2 * burst);
  port.play(&traffic);
  std::array<dataplane::Frame, Probe::batch> frames;
  std::uint64_t packets = 0;
  for (std::uint32_t i = 0; i < flows; i += Probe::batch) port.transmit(std::span(frames).first(port.receive(frames)));
  const double start = now_ns();
  for (auto _ : state) {
    const std::size_t count = port.receive(frames);
    probe.forward(std::span(frames).first(count));
    port.transmit(std::span(frames).first(count));
    packets += count;
  }
  figures.report(state, "probe", packets, now_ns() - start);
}

void engine(benchmark::State& state, Figures& figures, const std::string& name, ForwardMethod method) {
  Setup setup(std::uint32_t(state.range(0)), method);
  std::uint64_t packets = 0;
  bool reply = false;
  const double start = now_ns();
  for (auto _ : state) {
    setup.turn(reply ? Side::server : Side::client);
    reply = method == ForwardMethod::nat && !reply;
    packets += burst;
  }
  const double ns = now_ns() - start;
  if (setup.dropped() != 0) state.SkipWithError("packets were dropped");
  figures.report(state, name, packets, ns);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice;
  bench::Figures figures;
  // The nearest powers of two to 1, 10k and 1M (bench/traffic.h).
  for (const std::int64_t flows : {std::int64_t{1}, std::int64_t{1} << 13, std::int64_t{1} << 20}) {
    const auto add = [&](const std::string& name, auto run) {
      benchmark::RegisterBenchmark(name.c_str(), run)->Arg(flows)->MinTime(0.5);
    };
    add("generate", [&](benchmark::State& s) { bench::generate(s, figures); });
    add("probe", [&](benchmark::State& s) { bench::probe(s, figures); });
    add("nat", [&](benchmark::State& s) { bench::engine(s, figures, "nat", dataplane::ForwardMethod::nat); });
    add("dr", [&](benchmark::State& s) { bench::engine(s, figures, "dr", dataplane::ForwardMethod::direct); });
    add("tun", [&](benchmark::State& s) { bench::engine(s, figures, "tun", dataplane::ForwardMethod::tunnel); });
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
