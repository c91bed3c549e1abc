// What a configuration costs, from its text to the workers' tables, at 1,000, 10,000 and 100,000 real servers (ten per
// virtual server, one TCP_CHECK each), beside the least work on the same text and the same number of servers.
//
//   bench_config [--benchmark_...]
//
// Each size runs in a process of its own, so that memory can be told; medians of several runs. Processor time of the
// control thread in ms, so that a busy machine doesn't count:
//   parse     text -> Config                          (ratio: to splitting the text into words and hashing them)
//   resolve   Config -> what the pool manager runs    (ratio of the next three: to remembering each server by address
//                                                      in a hash table, 64 bytes each)
//   apply     an empty table -> the workers have it all
//   reload    one weight differs: diff, table, on the way to the workers; reload_bytes: allocated until then;
//             reload_wall: until the worker has it, by the clock; tidy: what the control thread does afterwards (lets
//             the old configuration go)
//             reload_whole: all that the control thread does, from the text on, letting go included
//   same      nothing differs: diff alone
// Memory in bytes per real server, resident, of all threads but for the worker's own arrays (which are there before):
// rss_config (the Config alone), rss (what serves without it: pools, backend, health thread, the worker's services),
// rss_health (the part of it that comes when the checkers run).
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <unordered_map>

#include "control/backend/engine_backend.h"
#include "control/config/parse.h"
#include "control/pools/from_config.h"
#include "control/pools/pool_manager.h"
#include "dataplane/engine.h"
#include "dataplane/port/memory.h"
#include "health/health_thread.h"

namespace {

// Of this thread: the control thread's are meant.
thread_local std::size_t bytes_allocated = 0;

}  // namespace

void* operator new(std::size_t size) {
  bytes_allocated += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t align) {
  bytes_allocated += size;
  if (void* memory =
          std::aligned_alloc(std::size_t(align), (size + std::size_t(align) - 1) & ~(std::size_t(align) - 1))) {
    return memory;
  }
  throw std::bad_alloc();
}
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace sluice::bench {
namespace {

using namespace sluice::control;

constexpr unsigned servers_each = 10;

std::uint32_t service_address(unsigned n) { return (10u << 24) + n; }
std::uint32_t server_address(unsigned n) { return (11u << 24) + n; }
std::string text_of(std::uint32_t address) { return net::Ipv4Addr::from_host(address).text(); }

/// odd_weight: of the server in the middle.
std::string config_of(unsigned servers, unsigned odd_weight) {
  std::string text;
  for (unsigned n = 0; n < servers; ++n) {
    if (n % servers_each == 0) {
      text += fmt::format("{}virtual_server {} 80 {{\n  delay_loop 6\n  lb_algo wlc\n  lb_kind NAT\n  protocol TCP\n",
                          n > 0 ? "}\n" : "", text_of(service_address(n / servers_each)));
    }
    text +=
        fmt::format("  real_server {} 80 {{\n    weight {}\n    TCP_CHECK {{\n      connect_timeout 3\n    }}\n  }}\n",
                    text_of(server_address(n)), n == servers / 2 ? odd_weight : 1);
  }
  return text + "}\n";
}

std::size_t resident_bytes() {
  malloc_trim(0);
  std::size_t total = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%zu %zu", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * std::size_t(sysconf(_SC_PAGESIZE));
}

double now_ms(clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  timespec now{};
  clock_gettime(clock, &now);
  return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

double timed_ms(const std::function<void()>& work, clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  const double start = now_ms(clock);
  work();
  return now_ms(clock) - start;
}

// --- the yardsticks

/// Words of the text, hashed: nothing that understands it can be faster.
std::uint64_t split(const std::string& text) {
  std::uint64_t sum = 0, word = 0;
  for (const char c : text) {
    if (c > ' ') {
      word = (word ^ std::uint64_t(c)) * 0x100000001b3ull;
    } else if (word != 0) {
      sum += std::exchange(word, 0);
    }
  }
  return sum;
}

struct Remembered {
  std::uint8_t bytes[64];
};

std::size_t remember(unsigned servers) {
  std::unordered_map<std::uint32_t, std::unique_ptr<Remembered>> table;
  for (unsigned n = 0; n < servers; ++n) table.emplace(n * 2654435761u, std::make_unique<Remembered>());
  return table.size();
}

// --- the thing itself

/// Tells when a batch is with the workers.
class Telling final : public Backend {
 public:
  explicit Telling(dataplane::Engine& engine, EngineBackendHooks hooks)
      : engine_(engine, nullptr, std::vector<EngineInterface>{{"eth0", 1}}, std::move(hooks)) {}

  void begin() override { engine_.begin(); }
  void commit() override {
    engine_.commit();
    if (on_commit) on_commit();
  }
  Result<> add_service(const VirtualServiceSpec& spec) override { return engine_.add_service(spec); }
  Result<> change_service(const VirtualServiceSpec& spec) override { return engine_.change_service(spec); }
  Result<> remove_service(const VirtualServiceKey& key) override { return engine_.remove_service(key); }
  Result<> add_destination(const VirtualServiceKey& service, const DestinationSpec& spec) override {
    return engine_.add_destination(service, spec);
  }
  Result<> change_destination(const VirtualServiceKey& service, const DestinationSpec& spec) override {
    return engine_.change_destination(service, spec);
  }
  Result<> remove_destination(const VirtualServiceKey& service, const DestinationKey& key) override {
    return engine_.remove_destination(service, key);
  }
  [[nodiscard]] std::vector<VirtualServiceStatus> services() const override { return engine_.services(); }
  [[nodiscard]] std::string name() const override { return engine_.name(); }
  bool collect() { return engine_.collect(); }

  std::function<void()> on_commit;

 private:
  EngineBackend engine_;
};

/// A director without network: engine in memory, backend, pools, health thread that doesn't probe yet.
class Director {
 public:
  Director() {
    auto pool = std::make_unique<dataplane::MemoryPool>(64);
    std::vector<dataplane::WorkerPorts> ports(1);
    ports[0].ports.push_back(std::make_unique<dataplane::MemoryPort>(dataplane::PortId{0}, *pool));
    ports[0].pool = std::move(pool);
    dataplane::EngineConfig config;
    config.connections = 4096;
    engine_ = std::move(*dataplane::Engine::create(std::move(config), std::move(ports)));
    EngineBackendHooks hooks;
    hooks.watch = hooks.unwatch = [](const net::IpAddr&) {};
    hooks.now_s = [] { return 1000u; };
    backend_.emplace(*engine_, std::move(hooks));
    manager_.emplace(
        *backend_, [](const ScriptSpec&) { return Result<>{}; }, [](LogLevel, const std::string&) {});
    engine_->start();
    health_.start();
  }
  ~Director() { health_.stop(); }

  /// Has the worker touch its arrays, as far as so many servers will need them.
  void touch_tables(unsigned servers) {
    using namespace dataplane;
    for (unsigned n = 0; n < servers; ++n) {
      Destination destination;
      destination.address = net::Ipv4Addr::from_host(server_address(n));
      engine_->mailbox(0).post(SetDestination{DestinationId{n}, destination});
      engine_->mailbox(0).post(SetDestination{DestinationId{n}, {}});
    }
    for (unsigned n = 0; n < servers / servers_each; ++n) {
      auto service = std::make_unique<Service>();
      service->id = ServiceId{n};
      service->key = {net::Protocol::tcp, net::Ipv4Addr::from_host(service_address(n)), net::L4Port::of(80)};
      auto scheduler = make_scheduler(*service);
      engine_->mailbox(0).post(SetService{std::move(service), std::move(scheduler)});
      engine_->mailbox(0).post(RemoveService{ServiceId{n}, nullptr, nullptr});
    }
    settle();
  }

  /// Until the workers have it.
  void apply(PoolList pools) {
    checkers_ = manager_->apply(std::move(pools));
    settle();
  }
  struct Reload {
    double cpu_ms, wall_ms, tidy_ms;
    std::size_t bytes;
  };
  Reload reload(PoolList pools) {
    Reload figures{};
    const std::size_t bytes = bytes_allocated;
    const double cpu = now_ms(), wall = now_ms(CLOCK_MONOTONIC);
    backend_->on_commit = [&] {
      figures.cpu_ms = now_ms() - cpu;
      figures.bytes = bytes_allocated - bytes;
      while (engine_->view(0).counters->polls.read() == polls_) std::this_thread::yield();
      figures.wall_ms = now_ms(CLOCK_MONOTONIC) - wall;
      figures.tidy_ms = -now_ms();
    };
    polls_ = engine_->view(0).counters->polls.read();
    checkers_ = manager_->apply(std::move(pools));
    figures.tidy_ms += now_ms();
    backend_->on_commit = {};
    settle();
    return figures;
  }
  void run_checkers() {
    health_.remove(std::move(checkers_.end));
    health_.add(std::move(checkers_.run));
    // They are taken over by the health thread one after the other; a last one, which is removed again, says when.
    std::this_thread::sleep_for(std::chrono::milliseconds(2000));
  }
  [[nodiscard]] std::vector<std::string> preview(const PoolList& pools) const { return manager_->preview(pools); }

 private:
  void settle() {
    while (backend_->collect()) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }

  std::unique_ptr<dataplane::Engine> engine_;
  std::optional<Telling> backend_;
  std::uint64_t polls_ = 0;
  std::optional<PoolManager> manager_;
  health::HealthThread health_{{.start_delay = std::chrono::hours(1), .seed = 1}, [](const auto&) {}};
  PoolManager::Checkers checkers_;
};

struct Figures {
  double split_ms = 0, remember_ms = 0;
  double parse_ms = 0, resolve_ms = 0, apply_ms = 0, reload_ms = 0, reload_wall_ms = 0, reload_whole_ms = 0,
         tidy_ms = 0, same_ms = 0;
  double reload_bytes = 0, rss_config = 0, rss = 0, rss_health = 0;
};

Figures measure(unsigned servers) {
  Figures figures;
  const std::string text = config_of(servers, 1);
  figures.split_ms = timed_ms([&] { benchmark::DoNotOptimize(split(text)); });
  figures.remember_ms = timed_ms([&] { benchmark::DoNotOptimize(remember(servers)); });

  const config::ParseOptions options{.config_id = "bench", .follow_includes = false};
  const auto pools_of = [&](unsigned weight) {
    return PoolList(pools_from(config::parse_text(config_of(servers, weight), "bench.conf", options).config).pools);
  };
  Director director;
  director.apply({});
  director.touch_tables(servers);
  const std::size_t rss_before = resident_bytes();
  std::optional<config::ParseOutcome> outcome;
  figures.parse_ms = timed_ms([&] { outcome = config::parse_text(text, "bench.conf", options); });
  figures.rss_config = double(resident_bytes()) - double(rss_before);
  PoolList pools;
  figures.resolve_ms = timed_ms([&] { pools = pools_from(outcome->config).pools; });
  if (pools.size() != servers / servers_each) std::abort();
  outcome.reset();
  figures.apply_ms = timed_ms([&] { director.apply(std::move(pools)); });
  const std::size_t rss_idle = resident_bytes();
  director.run_checkers();
  figures.rss = double(resident_bytes()) - double(rss_before);
  figures.rss_health = double(resident_bytes()) - double(rss_idle);

  const PoolList same = pools_of(1);
  figures.same_ms = timed_ms([&] {
    if (!director.preview(same).empty()) std::abort();
  });
  const std::string other_text = config_of(servers, 7);
  Director::Reload reload{};
  figures.reload_whole_ms = timed_ms([&] {
    PoolList changed = pools_from(config::parse_text(other_text, "bench.conf", options).config).pools;
    if (director.preview(changed).size() != 1) std::abort();
    reload = director.reload(std::move(changed));
  });
  figures.reload_ms = reload.cpu_ms;
  figures.reload_wall_ms = reload.wall_ms;
  figures.tidy_ms = reload.tidy_ms;
  figures.reload_bytes = double(reload.bytes);
  figures.rss /= servers;
  figures.rss_health /= servers;
  figures.rss_config /= servers;
  return figures;
}

Figures measure_in_a_process(unsigned servers) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    // Huge pages would make resident memory a matter of 2 MiB pieces.
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    const Figures figures = measure(servers);
    const auto written = write(ends[1], &figures, sizeof figures);
    _exit(written == sizeof figures ? 0 : 1);
  }
  close(ends[1]);
  Figures figures;
  const auto got = read(ends[0], &figures, sizeof figures);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (got != sizeof figures) {
    std::fprintf(stderr, "bench: the process for %u servers ended with status %d\n", servers, status);
    std::exit(1);
  }
  return figures;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void configuration(benchmark::State& state) {
  std::vector<Figures> runs;
  for (auto _ : state) {
    runs.push_back(measure_in_a_process(unsigned(state.range(0))));
    state.SetIterationTime((runs.back().parse_ms + runs.back().resolve_ms + runs.back().apply_ms) / 1e3);
  }
  const auto of = [&](double Figures::*figure) {
    std::vector<double> values;
    for (const Figures& run : runs) values.push_back(run.*figure);
    return median(values);
  };
  state.counters["parse_ms"] = of(&Figures::parse_ms);
  state.counters["parse_ratio"] = of(&Figures::parse_ms) / of(&Figures::split_ms);
  const double remember_ms = of(&Figures::remember_ms);
  state.counters["resolve_ms"] = of(&Figures::resolve_ms);
  state.counters["resolve_ratio"] = of(&Figures::resolve_ms) / remember_ms;
  state.counters["apply_ms"] = of(&Figures::apply_ms);
  state.counters["apply_ratio"] = of(&Figures::apply_ms) / remember_ms;
  state.counters["same_ms"] = of(&Figures::same_ms);
  state.counters["reload_ms"] = of(&Figures::reload_ms);
  state.counters["reload_wall_ms"] = of(&Figures::reload_wall_ms);
  state.counters["reload_whole_ms"] = of(&Figures::reload_whole_ms);
  state.counters["tidy_ms"] = of(&Figures::tidy_ms);
  state.counters["reload_ratio"] = of(&Figures::reload_ms) / remember_ms;
  state.counters["reload_bytes"] = of(&Figures::reload_bytes);
  state.counters["rss_config"] = of(&Figures::rss_config);
  state.counters["rss"] = of(&Figures::rss);
  state.counters["rss_health"] = of(&Figures::rss_health);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  auto* bench = benchmark::RegisterBenchmark("configuration", sluice::bench::configuration);
  bench->Arg(1000)->Arg(10'000)->Arg(100'000)->Iterations(5)->UseManualTime()->Unit(benchmark::kMillisecond);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
