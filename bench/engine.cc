// The engine in memory, one core, 64-byte TCP over IPv4, the whole path: parse, look up, state, count, rewrite, hand to
// the port. Beside the probe (bench/probe.h) in the same run: each round measures making the packets alone, the probe
// and the engine, one after the other; what is compared is net of making packets. Prints one line of JSON per result.
//
//   bench_engine [--quick] [--only WORD]      only: cases whose name holds the word
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "bench/engine_setup.h"
#include "bench/measure.h"
#include "bench/probe.h"

namespace sluice::bench {
namespace {

using dataplane::ForwardMethod;
using dataplane::PortId;
using dataplane::SchedulerKind;

struct Options {
  bool quick = false;
  std::string only;

  [[nodiscard]] bool wants(const std::string& name) const { return name.find(only) != std::string::npos; }
  [[nodiscard]] int rounds() const { return quick ? 3 : 9; }
  [[nodiscard]] double seconds() const { return quick ? 0.03 : 0.1; }
};

std::string words(std::uint32_t flows) {
  if (flows >= 1'000'000) return std::to_string(flows / 1'000'000) + "M flows";
  return std::to_string(flows) + " flows";
}

/// Making packets, and nothing else.
class Generator {
 public:
  explicit Generator(Traffic& traffic) : port_(PortId{0}, 2 * burst) { port_.play(&traffic); }
  std::uint64_t operator()() {
    const std::size_t count = port_.receive(frames_);
    // As if somebody would read it.
    asm volatile("" : : "g"(frames_[0].data) : "memory");
    port_.transmit(std::span(frames_).first(count));
    return count;
  }

 private:
  TrafficPort port_;
  std::array<dataplane::Frame, burst> frames_;
};

class ProbeRun {
 public:
  ProbeRun(std::uint32_t flows, std::span<const std::uint32_t> follow)
      : probe_(flows), traffic_(flows, Side::client, vip, server, net::tcp_ack), port_(PortId{0}, 2 * burst) {
    if (!follow.empty()) traffic_.follow(follow);
    port_.play(&traffic_);
    for (std::uint32_t seen = 0; seen < flows; seen += Probe::batch) (*this)();
  }
  std::uint64_t operator()() {
    const std::size_t count = port_.receive(frames_);
    probe_.forward(std::span(frames_).first(count));
    port_.transmit(std::span(frames_).first(count));
    return count;
  }

 private:
  Probe probe_;
  Traffic traffic_;
  TrafficPort port_;
  std::array<dataplane::Frame, Probe::batch> frames_;
};

/// Flows drawn by Zipf's law with exponent 1.1, the most popular spread over the table.
std::vector<std::uint32_t> zipf(std::uint32_t flows) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  constexpr double s = 1.1;
  const double most = std::pow(double(flows), 1 - s);
  std::vector<std::uint32_t> drawn(1u << 21);
  for (std::uint32_t& flow : drawn) {
    const double rank = std::pow(1 - uniform(random) * (1 - most), 1 / (1 - s));
    flow = std::uint32_t((std::uint64_t(rank) * 2654435761u) % flows);
  }
  return drawn;
}

struct Steady {
  std::string name;
  ForwardMethod method;
  Goal small, large;
};

void steady(const Options& options, const Steady& what, std::uint32_t flows, bool is_zipf) {
  const std::string name = what.name + ", " + words(flows) + (is_zipf ? ", Zipf 1.1" : "");
  if (!options.wants(name)) return;
  const std::vector<std::uint32_t> follow = is_zipf ? zipf(flows) : std::vector<std::uint32_t>();
  Setup setup({.flows = flows, .method = what.method});
  ProbeRun probe(flows, follow);
  Traffic made(flows, Side::client, vip, server, net::tcp_ack);
  if (is_zipf) {
    for (Traffic* traffic : {&made, &setup.requests(), &setup.replies()}) traffic->follow(follow);
  }
  Generator generator(made);
  bool reply = false;
  const auto engine = [&] {
    setup.turn(reply ? setup.replies() : setup.requests());
    reply = what.method == ForwardMethod::nat && !reply;
    return burst;
  };
  for (std::uint32_t seen = 0; seen < 2 * flows; seen += burst) engine();
  Result result{.name = name, .unit = "ns_per_packet", .to = "probe, " + words(flows)};
  if (!is_zipf) result.goal = flows < 100'000 ? what.small : what.large;
  Result yardstick{.name = "probe, " + words(flows) + (is_zipf ? ", Zipf 1.1" : "") + ", beside " + what.name,
                   .unit = "ns_per_packet"};
  for (int round = 0; round < options.rounds(); ++round) {
    const double made_ns = ns_per_packet(std::ref(generator), options.seconds() / 2);
    const double probe_ns = ns_per_packet(std::ref(probe), options.seconds()) - made_ns;
    const double engine_ns = ns_per_packet(engine, options.seconds()) - made_ns;
    yardstick.values.push_back(probe_ns);
    result.values.push_back(engine_ns);
    result.ratios.push_back(engine_ns / probe_ns);
  }
  if (setup.dropped() != 0) result.note = "packets were dropped";
  print(yardstick);
  print(result);
}

/// SYN to scheduled, recorded and forwarded, beside a table that is as full as asked.
void opening(const Options& options, SchedulerKind kind, unsigned destinations, Goal goal) {
  const std::uint32_t flows = options.quick ? 1'000'000 : 10'000'000;
  const std::string name = "new connections, " + std::string(to_string(kind)) + ", " + std::to_string(destinations) +
                           " servers, " + words(flows);
  if (!options.wants(name)) return;
  const int rounds = options.rounds();
  const std::uint32_t each = 100'000 / burst * burst;
  Setup setup({.flows = flows,
               .room = each * std::uint32_t(rounds + 1),
               .scheduler = kind,
               .destinations = destinations,
               .establish = false});
  Traffic syns(flows, Side::client, vip, server, net::tcp_syn), made(flows, Side::client, vip, server, net::tcp_syn);
  syns.in_order_from(flows);
  made.in_order_from(flows);
  Generator generator(made);
  Result result{.name = name, .unit = "per_second", .goal = goal};
  for (int round = 0; round < rounds; ++round) {
    const double made_ns = ns_per_packet(std::ref(generator), options.seconds() / 4);
    const double start = thread_ns();
    for (std::uint32_t sent = 0; sent < each; sent += burst) setup.turn(syns);
    result.values.push_back(1e9 / ((thread_ns() - start) / each - made_ns));
  }
  if (setup.dropped() != 0) result.note = "packets were dropped";
  print(result);
}

std::uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long size = 0, resident = 0;
  if (file == nullptr) return 0;
  const int read = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return read == 2 ? resident * std::uint64_t(sysconf(_SC_PAGESIZE)) : 0;
}

void memory(const Options& options) {
  const std::uint32_t flows = options.quick ? 1'000'000 : 10'000'000;
  const std::string name = "memory per NAT connection, " + words(flows);
  if (!options.wants(name)) return;
  const std::uint64_t before = resident_bytes();
  const Setup setup({.flows = flows});
  print({.name = name, .unit = "bytes", .values = {double(resident_bytes() - before) / flows}, .goal = Goal{96}});
}

/// What a burst takes at most while a million connections end in the same second.
void expiry(const Options& options) {
  const std::string name = "expiry of 1M connections in one second, longest turn beyond a usual one";
  if (!options.wants(name)) return;
  Result result{.name = name, .unit = "latency_us", .goal = Goal{50}};
  Result lasting{.name = "expiry of 1M connections, until all are gone", .unit = "latency_us"};
  for (int round = 0; round < (options.quick ? 1 : 3); ++round) {
    Setup setup({.flows = 1'000'000});
    Traffic few(64, Side::client, vip, server, net::tcp_ack);
    std::vector<double> usual;
    for (int i = 0; i < 2000; ++i) {
      const double start = thread_ns();
      setup.turn(few);
      usual.push_back(thread_ns() - start);
    }
    // Kept alive by a packet; the others' 900 s are over.
    setup.now_s += 899;
    setup.turn(few);
    setup.now_s += 1;
    double longest = 0, all = 0;
    while (setup.worker().flows().size() > 64) {
      const double start = thread_ns();
      setup.turn(few);
      const double took = thread_ns() - start;
      longest = std::max(longest, took);
      all += took;
    }
    result.values.push_back((longest - median(usual)) / 1e3);
    lasting.values.push_back(all / 1e3);
  }
  print(result);
  print(lasting);
}

void updates(const Options& options) {
  const std::string name = "1,000 weight changes a second while forwarding";
  if (!options.wants(name)) return;
  Setup setup({.flows = 1'000'000, .destinations = 100});
  std::uint32_t weight = 1;
  double next = 0;
  const auto plain = [&] {
    setup.turn(setup.requests());
    return burst;
  };
  const auto changing = [&] {
    if (const double now = wall_ns(); now >= next) {
      next = now + 1e6;
      setup.set_weight(++weight % 100 + 1);
    }
    return plain();
  };
  plain();
  Result result{.name = name, .unit = "ns_per_packet", .to = "without", .goal = Goal{1.03}};
  for (int round = 0; round < 2 * options.rounds(); ++round) {
    const double without = ns_per_packet(plain, options.seconds());
    result.values.push_back(ns_per_packet(changing, options.seconds()));
    result.ratios.push_back(result.values.back() / without);
  }
  print(result);
}

/// Half of the packets are SYNs of sources that nobody has seen and that never go on.
void flood(const Options& options) {
  const std::string name = "established flows beside as many SYNs from random sources";
  if (!options.wants(name)) return;
  const std::uint32_t flows = 1'000'000;
  Setup setup({.flows = flows, .room = flows / 2});
  Traffic syns(flows, Side::client, vip, server, net::tcp_syn), made(flows, Side::client, vip, server, net::tcp_ack);
  syns.in_order_from(2 * flows);
  Generator generator(made);
  const auto plain = [&] {
    setup.turn(setup.requests());
    return burst;
  };
  double flood_ns = 0;
  const auto beside = [&] {
    const double start = thread_ns();
    setup.turn(syns);
    flood_ns += thread_ns() - start;
    return plain();
  };
  for (std::uint32_t seen = 0; seen < flows; seen += burst) plain();
  Result result{.name = name, .unit = "ns_per_packet", .to = "without the flood", .goal = Goal{1 / 0.8}};
  std::uint64_t lost = 0;
  for (int round = 0; round < options.rounds(); ++round) {
    const double made_ns = ns_per_packet(std::ref(generator), options.seconds() / 4);
    const double without = ns_per_packet(plain, options.seconds()) - made_ns;
    std::uint64_t packets = 0;
    flood_ns = 0;
    const double start = thread_ns();
    while (thread_ns() - start < options.seconds() * 4e9) {
      for (int i = 0; i < 64; ++i) packets += beside();
    }
    const double with = (thread_ns() - start - flood_ns) / double(packets) - made_ns;
    result.values.push_back(with);
    result.ratios.push_back(with / without);
    const std::uint64_t sent = setup.sent();
    plain();
    lost += burst - (setup.sent() - sent);
  }
  result.note = std::to_string(lost) + " packets of established flows lost, " +
                std::to_string(setup.worker().flows().size() - flows) + " half-open connections at the end, room for " +
                std::to_string(setup.worker().flows().capacity() - flows);
  print(result);
}

/// Each worker with clients, table and core of its own: what DR is, and NAT whose packets come where they belong.
void two_workers(const Options& options) {
  const std::string name = "two workers, DR, 1M flows each";
  if (!options.wants(name) || std::thread::hardware_concurrency() < 2) return;
  Result result{.name = name, .unit = "per_second", .to = "one worker", .goal = Goal{1.85, true}};
  Setup one({.flows = 1'000'000, .method = ForwardMethod::direct}),
      other({.flows = 1'000'000, .method = ForwardMethod::direct});
  const auto rate = [&](std::vector<Setup*> setups) {
    std::vector<std::thread> threads;
    std::vector<double> rates(setups.size());
    for (std::size_t i = 0; i < setups.size(); ++i) {
      threads.emplace_back([&, i] {
        cpu_set_t core;
        CPU_ZERO(&core);
        CPU_SET(i, &core);
        pthread_setaffinity_np(pthread_self(), sizeof core, &core);
        std::uint64_t packets = 0;
        const double start = wall_ns();
        while (wall_ns() - start < options.seconds() * 2e9) {
          for (int turn = 0; turn < 256; ++turn) setups[i]->turn(setups[i]->requests()), packets += burst;
        }
        rates[i] = double(packets) / (wall_ns() - start) * 1e9;
      });
    }
    double sum = 0;
    for (std::size_t i = 0; i < setups.size(); ++i) threads[i].join(), sum += rates[i];
    return sum;
  };
  for (int round = 0; round < options.rounds(); ++round) {
    const double alone = (rate({&one}) + rate({&other})) / 2;
    result.values.push_back(rate({&one, &other}));
    result.ratios.push_back(result.values.back() / alone);
  }
  print(result);
}

void run(const Options& options) {
  const Steady paths[] = {{"DR", ForwardMethod::direct, {3}, {1.6}},
                          {"NAT, both directions", ForwardMethod::nat, {3}, {1.6}},
                          {"TUN", ForwardMethod::tunnel, {3}, {1.8}}};
  const std::vector<std::uint32_t> sizes = options.quick ? std::vector<std::uint32_t>{1'000, 1'000'000}
                                                         : std::vector<std::uint32_t>{1'000, 1'000'000, 10'000'000};
  for (const std::uint32_t flows : sizes) {
    for (const Steady& path : paths) steady(options, path, flows, false);
  }
  for (const Steady& path : paths) steady(options, path, sizes.back(), true);
  for (const SchedulerKind kind : {SchedulerKind::rr, SchedulerKind::wrr, SchedulerKind::lc, SchedulerKind::wlc,
                                   SchedulerKind::sh, SchedulerKind::dh, SchedulerKind::lblc}) {
    opening(options, kind, 8, {4e6, true});
  }
  opening(options, SchedulerKind::wlc, 1000, {1e6, true});
  memory(options);
  expiry(options);
  updates(options);
  flood(options);
  two_workers(options);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  sluice::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0)
      options.quick = true;
    else if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc)
      options.only = argv[++i];
    else
      return std::fprintf(stderr, "usage: %s [--quick] [--only WORD]\n", argv[0]), 2;
  }
  sluice::bench::run(options);
  return 0;
}
