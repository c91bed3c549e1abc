// ns/packet of the engine in memory, one core: NAT (both directions mixed), DR and TUN at 1, 10k and 1M flows, beside
// the probe (bench/probe.h) in the same run. 64-byte TCP packets of established connections, uniform.
//
//   bench_engine [--benchmark_...]
//
// All figures hold the cost of making a packet (bench/traffic.h); "generate" shows it alone. The counters ns_net and
// ratio take it off: ratio = (engine - generate) / (probe - generate), at the same number of flows.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <map>

#include "bench/probe.h"
#include "bench/traffic.h"
#include "dataplane/worker.h"

namespace sluice::bench {
namespace {

using dataplane::ForwardMethod;
using dataplane::PortId;

const net::Endpoint vip{net::Ipv4Addr::of(10, 0, 0, 5), net::L4Port::of(80)};
const net::Endpoint server{net::Ipv4Addr::of(10, 0, 2, 11), net::L4Port::of(8080)};
constexpr std::size_t burst = 64;

// One worker between two traffic ports, one service with one destination, `flows` established connections.
class Setup {
 public:
  Setup(std::uint32_t flows, ForwardMethod method)
      : requests_(flows, Side::client, vip, server, net::tcp_ack),
        replies_(flows, Side::server, vip, server, net::tcp_ack),
        front_(PortId{0}, 4 * burst),
        back_(PortId{1}, 0),
        mailbox_(std::move(*dataplane::Mailbox::create())) {
    dataplane::WorkerConfig config;
    config.connections = std::max<std::size_t>(flows + flows / 8, dataplane::FlowTable::capacity_min);
    config.hash_seed = 0x5eed;
    config.now_s = now_s_;
    config.pool = &front_;
    config.ports = {&front_, &both_back_};
    config.mailbox = mailbox_.get();
    worker_ = std::move(*dataplane::Worker::create(std::move(config)));

    dataplane::Destination destination;
    destination.available = true;
    destination.method = method;
    destination.address = server.address;
    destination.port = method == ForwardMethod::nat ? server.port : vip.port;
    destination.tunnel_source = net::Ipv4Addr::of(10, 0, 2, 254);
    destination.next_hop = {PortId{1}, 0, {{2, 0, 0, 0, 2, 11}}, {{2, 0, 0, 0, 0, 2}}};
    const dataplane::DestinationId id{0};
    mailbox_->post(dataplane::SetDestination{id, destination});
    auto service = std::make_unique<dataplane::Service>();
    service->key = {net::Protocol::tcp, vip.address, vip.port};
    service->scheduler = dataplane::SchedulerKind::rr;
    service->candidates = {{id, 1}};
    service->has_nat = method == ForwardMethod::nat;
    auto scheduler = dataplane::make_scheduler(*service);
    mailbox_->post(dataplane::SetService{std::move(service), std::move(scheduler)});

    // A SYN of each flow, then it is established by its first ACK in the warm-up.
    Traffic opening(flows, Side::client, vip, server, net::tcp_syn);
    front_.play(&opening);
    for (std::uint32_t opened = 0; opened < flows; opened += burst) worker_->poll(now_s_);
    front_.play(&requests_);
    for (std::uint32_t seen = 0; seen < flows; seen += burst) worker_->poll(now_s_);
    if (worker_->flows().size() != flows) {
      std::fprintf(stderr, "bench: %zu of %u connections opened\n", worker_->flows().size(), flows);
      std::abort();
    }
    front_.play(nullptr);
  }

  // One burst from the client's side, or from the server's.
  void turn(Side side) {
    front_.play(side == Side::client ? &requests_ : &replies_);
    worker_->poll(now_s_);
  }
  [[nodiscard]] std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (const auto& counter : worker_->view().counters->dropped) sum += counter.read();
    return sum;
  }

 private:
  // The far port sends into the same pool.
  class Back final : public dataplane::Port {
   public:
    explicit Back(TrafficPort& front) : front_(front) {}
    std::size_t receive(std::span<dataplane::Frame>) override { return 0; }
    std::size_t transmit(std::span<const dataplane::Frame> frames) override { return front_.transmit(frames); }
    void flush() override {}
    [[nodiscard]] int wait_fd() const override { return -1; }
    [[nodiscard]] dataplane::PortStatus status() const override { return {"back", "memory", 0}; }

   private:
    TrafficPort& front_;
  };

  std::uint32_t now_s_ = 1000;
  Traffic requests_, replies_;
  TrafficPort front_;
  TrafficPort back_;
  Back both_back_{front_};
  std::unique_ptr<dataplane::Mailbox> mailbox_;
  std::unique_ptr<dataplane::Worker> worker_;
};

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
  clock_gettime(CLOCK_MONOTONIC, &now);
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
