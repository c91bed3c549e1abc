// Every scheduler against its slow model: random histories of a service, the same choice at every connection.
// SLUICE_SEED=n replays one seed; a failure names it and the step.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "dataplane/sched/slow_models.h"
#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

struct Case {
  std::string name;
  SchedulerKind kind;
  bool sh_port = false;
  bool sh_fallback = false;
};

void PrintTo(const Case& scheduler, std::ostream* out) { *out << scheduler.name; }

class Models : public testing::TestWithParam<Case> {};

ModelList list_of(const Bench& bench) {
  ModelList list;
  for (const Candidate& candidate : bench.service().candidates) {
    const Load& load = bench.loads()[index(candidate.destination)];
    list.push_back(
        {Bench::name_of(candidate.destination), candidate.weight, load.active, load.inactive, load.overloaded});
  }
  return list;
}

/// One history of `steps` operations on a service and its model. Weights are small, and now and then not.
class History {
 public:
  History(const Case& scheduler, std::uint32_t seed)
      : random_(seed),
        bench_(scheduler.kind, Service{.sh_fallback = scheduler.sh_fallback, .sh_port = scheduler.sh_port}),
        model_(make_model(bench_.service())) {}

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      const int what = below(100);
      if (what < 8) {
        add();
      } else if (what < 14) {
        edit();
      } else if (what < 19) {
        remove();
      } else if (what < 45) {
        finish_or_end();
      } else {
        connect();
      }
      if (testing::Test::HasFailure()) return;
    }
  }

 private:
  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }
  std::uint32_t weight() {
    constexpr std::array<std::uint32_t, 16> weights{0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 9, 10, 100, 300, 65535};
    return weights[static_cast<std::size_t>(below(below(4) == 0 ? 16 : 12))];
  }
  Thresholds thresholds() {
    if (below(3) != 0) return {};
    const auto upper = static_cast<std::uint32_t>(1 + below(5));
    return {upper, below(2) == 0 ? 0 : static_cast<std::uint32_t>(below(static_cast<int>(upper) + 1))};
  }
  char some_server() {
    const auto& list = bench_.service().candidates;
    return Bench::name_of(list[static_cast<std::size_t>(below(static_cast<int>(list.size())))].destination);
  }

  void add() {
    const char name = static_cast<char>('A' + below(7));
    if (bench_.has(name)) return;
    bench_.add(name, weight(), thresholds());
    model_->added_or_edited(list_of(bench_));
  }
  void edit() {
    if (bench_.service().candidates.empty()) return;
    bench_.edit(some_server(), weight(), thresholds());
    model_->added_or_edited(list_of(bench_));
  }
  void remove() {
    if (bench_.service().candidates.empty()) return;
    const char name = some_server();
    const ModelList before = list_of(bench_);
    bench_.remove(name);
    model_->removed(name, before, list_of(bench_));
  }
  void finish_or_end() {
    std::vector<std::size_t>& from = below(2) == 0 ? active_ : inactive_;
    if (from.empty()) return;
    const auto which = from.begin() + below(static_cast<int>(from.size()));
    const std::size_t connection = *which;
    const bool was_active = &from == &active_;
    from.erase(which);
    if (was_active) {
      bench_.finish(connection);
      inactive_.push_back(connection);
    } else {
      bench_.end(connection);
    }
  }
  void connect() {
    const auto client = net::Ipv4Addr::from_host(0x0a000100u + static_cast<std::uint32_t>(below(512)));
    const auto port = static_cast<std::uint16_t>(1024 + below(60000));
    const auto to = net::Ipv4Addr::from_host(0x0a090100u + static_cast<std::uint32_t>(below(6)));
    const char expected = model_->pick(list_of(bench_), {client.host(), port, to.host()});
    EXPECT_EQ(bench_.connect({client, net::L4Port::of(port)}, to), expected);
    if (expected != nobody) active_.push_back(made_++);
  }

  std::mt19937 random_;
  Bench bench_;
  std::unique_ptr<Model> model_;
  std::vector<std::size_t> active_, inactive_;
  std::size_t made_ = 0;
};

TEST_P(Models, ChooseTheSameThroughoutRandomHistories) {
  const char* fixed = std::getenv("SLUICE_SEED");
  const std::uint32_t first =
      fixed != nullptr ? std::uint32_t(std::strtoul(fixed, nullptr, 10)) : std::random_device{}();
  const std::uint32_t histories = fixed != nullptr ? 1 : 40;
  RecordProperty("seed", std::to_string(first));
  for (std::uint32_t seed = first; seed != first + histories; ++seed) {
    SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed));
    History(GetParam(), seed).run(400);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Scheduler, Models,
                         testing::Values(Case{"rr", SchedulerKind::rr}, Case{"wrr", SchedulerKind::wrr},
                                         Case{"lc", SchedulerKind::lc}, Case{"wlc", SchedulerKind::wlc},
                                         Case{"dh", SchedulerKind::dh}, Case{"sh", SchedulerKind::sh},
                                         Case{"sh_port", SchedulerKind::sh, true, false},
                                         Case{"sh_fallback", SchedulerKind::sh, false, true},
                                         Case{"lblc", SchedulerKind::lblc}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace sluice::dataplane::test
