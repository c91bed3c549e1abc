// FILE_CHECK and BFD_CHECK in a pool, and what they and MISC_CHECK make of weights.
#include "control/pools/watchers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "control/pools/pool_manager.h"

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

/// Writes down what happens to destinations: "add 10.0.2.11 w1".
class Table : public Backend {
 public:
  Result<> add_service(const VirtualServiceSpec&) override { return {}; }
  Result<> change_service(const VirtualServiceSpec&) override { return {}; }
  Result<> remove_service(const VirtualServiceKey&) override { return {}; }
  Result<> add_destination(const VirtualServiceKey&, const DestinationSpec& spec) override { return note("add", spec); }
  Result<> change_destination(const VirtualServiceKey&, const DestinationSpec& spec) override {
    return note("change", spec);
  }
  Result<> remove_destination(const VirtualServiceKey&, const DestinationKey& key) override {
    calls_.push_back("remove " + key.address.text());
    return {};
  }
  [[nodiscard]] std::vector<VirtualServiceStatus> services() const override { return {}; }
  [[nodiscard]] std::string name() const override { return "table"; }

  std::vector<std::string> take() { return std::exchange(calls_, {}); }

 private:
  Result<> note(const char* what, const DestinationSpec& spec) {
    calls_.push_back(fmt::format("{} {} w{}", what, spec.key.address.text(), spec.weight));
    return {};
  }
  std::vector<std::string> calls_;
};

using Lines = std::vector<std::string>;
using What = decltype(health::CheckerSpec::what);

class Watching : public testing::Test {
 protected:
  static RealServerSpec real(const char* address, std::vector<What> checkers, std::uint32_t weight = 10) {
    RealServerSpec spec;
    spec.destination = {.key = {*net::IpAddr::parse(address), net::L4Port::of(80)}, .weight = weight};
    for (What& what : checkers) spec.checkers.push_back({health::CheckerSpec{.what = std::move(what)}});
    return spec;
  }
  static PoolSpec pool(std::vector<RealServerSpec> servers) {
    PoolSpec spec;
    spec.services = {{.key = {net::Protocol::tcp, *net::IpAddr::parse("10.0.0.1"), net::L4Port::of(80)}}};
    spec.servers = std::move(servers);
    return spec;
  }
  static RealServerSpec alpha(RealServerSpec server) {
    for (CheckerSetup& setup : server.checkers) {
      health::CheckerSpec checker = *setup.spec;
      checker.starts_up = false;
      setup.spec = checker;
    }
    return server;
  }
  static health::FileCheckSpec file(std::int32_t weight = 1) { return {"load", weight}; }
  static health::BfdCheckSpec bfd() { return {"peer"}; }
  static health::MiscCheckSpec misc() { return {.script = {.argv = {"/bin/x"}}, .dynamic = true}; }

  PoolManager::Checkers apply(std::vector<RealServerSpec> servers) {
    return manager_.apply({pool(std::move(servers))});
  }
  void weighs(const health::CheckerToRun& checker, health::WeightReport weight) {
    manager_.on_health({.checker = checker.id,
                        .verdict = health::Verdict::success,
                        .reason = "exited",
                        .outcome = {true, false, false, 0, 1s},
                        .latency = {},
                        .ended = {},
                        .weight = weight});
  }

  Table table_;
  Lines log_;
  PoolManager manager_{table_, [](const ScriptSpec&) { return Result<>{}; },
                       [this](LogLevel, const std::string& line) { log_.push_back(line); }};
};

using Kind = health::WeightReport::Kind;

TEST_F(Watching, AFileCheckIsNotProbedAndItsFileMovesTheWeight) {
  manager_.on_file("load", 5);
  EXPECT_TRUE(apply({real("10.0.2.11", {file(2)})}).run.empty());
  EXPECT_EQ(table_.take(), (Lines{"add 10.0.2.11 w10", "change 10.0.2.11 w20"}));
  log_.clear();
  manager_.on_file("load", -3);
  manager_.on_file("load", -3);
  EXPECT_EQ(table_.take(), (Lines{"change 10.0.2.11 w4"}));
  EXPECT_EQ(log_,
            (Lines{"Changing weight from 20 to 4 for active service [10.0.2.11]:tcp:80 of VS [10.0.0.1]:tcp:80"}));
  manager_.on_file("load", -100);
  manager_.on_file("another", 7);
  EXPECT_EQ(table_.take(), (Lines{"change 10.0.2.11 w0"})) << "negative is 0, and it stays in";
}

TEST_F(Watching, AFileCheckOfNoWeightTakesItsServerOut) {
  apply({real("10.0.2.11", {file(0)}), real("10.0.2.12", {})});
  table_.take();
  manager_.on_file("load", 1);
  EXPECT_EQ(table_.take(), (Lines{"remove 10.0.2.11"}));
  EXPECT_EQ(manager_.status()[0].servers[0].checkers[0].reason, "load says 1");
  manager_.on_file("load", 0);
  EXPECT_EQ(table_.take(), (Lines{"add 10.0.2.11 w10"}));
}

TEST_F(Watching, WeightsOfScriptsAndFilesAddUp) {
  const auto run = apply({real("10.0.2.11", {misc(), file(), misc()})}).run;
  ASSERT_EQ(run.size(), 2u);
  table_.take();
  weighs(run[0], {Kind::absolute, 30});
  weighs(run[1], {Kind::absolute, 5});
  manager_.on_file("load", 2);
  EXPECT_EQ(table_.take(), (Lines{"change 10.0.2.11 w30", "change 10.0.2.11 w25", "change 10.0.2.11 w27"}));
  weighs(run[0], {});
  weighs(run[1], {Kind::absolute, 0});
  EXPECT_EQ(table_.take(), (Lines{"change 10.0.2.11 w7", "change 10.0.2.11 w2"}));
}

TEST_F(Watching, AnOperatorsWeightHidesThemUntilItIsUndone) {
  const auto run = apply({real("10.0.2.11", {misc()})}).run;
  table_.take();
  ASSERT_TRUE(manager_.set_weight("10.0.0.1:80", "10.0.2.11:80", 3));
  weighs(run[0], {Kind::absolute, 30});
  EXPECT_EQ(table_.take(), (Lines{"change 10.0.2.11 w3"}));
  ASSERT_TRUE(manager_.set_weight("10.0.0.1:80", "10.0.2.11:80", std::nullopt));
  EXPECT_EQ(table_.take(), (Lines{"change 10.0.2.11 w30"}));
}

TEST_F(Watching, AReloadKeepsWhatCheckersThatStaySaidOfWeights) {
  const auto run = apply({real("10.0.2.11", {misc()})}).run;
  weighs(run[0], {Kind::absolute, 30});
  table_.take();
  EXPECT_TRUE(apply({real("10.0.2.11", {misc()}), real("10.0.2.12", {})}).run.empty());
  EXPECT_EQ(table_.take(), (Lines{"add 10.0.2.12 w10"}));
  apply({real("10.0.2.11", {}), real("10.0.2.12", {})});
  EXPECT_EQ(table_.take(), (Lines{"change 10.0.2.11 w10"}));
}

TEST_F(Watching, ASessionTakesAllItsServersOutAndBringsThemBack) {
  apply({real("10.0.2.11", {bfd()}), real("10.0.2.12", {bfd()})});
  table_.take();
  manager_.on_session("peer", false);
  EXPECT_EQ(table_.take(), Lines{}) << "it never was up: it has said nothing yet";
  manager_.on_session("peer", true);
  EXPECT_EQ(table_.take(), Lines{});
  log_.clear();
  manager_.on_session("peer", false);
  EXPECT_EQ(table_.take(), (Lines{"remove 10.0.2.11", "remove 10.0.2.12"}));
  EXPECT_EQ(log_.front(), "BFD_CHECK peer on service [10.0.2.11]:tcp:80 failed. (the session is down)");
  manager_.on_session("peer", true);
  EXPECT_EQ(table_.take(), (Lines{"add 10.0.2.11 w10", "add 10.0.2.12 w10"}));
}

TEST_F(Watching, WithAlphaAServerWaitsForItsSession) {
  apply({alpha(real("10.0.2.11", {bfd()}))});
  EXPECT_EQ(table_.take(), Lines{});
  manager_.on_session("peer", true);
  EXPECT_EQ(table_.take(), (Lines{"add 10.0.2.11 w10"}));
  // A checker that comes later is told what is known.
  apply({alpha(real("10.0.2.11", {bfd()})), alpha(real("10.0.2.12", {bfd()}))});
  EXPECT_EQ(table_.take(), (Lines{"add 10.0.2.12 w10"}));
}

TEST_F(Watching, CheckersThatAreGoneHearOfNothing) {
  apply({real("10.0.2.11", {bfd()})});
  manager_.on_session("peer", true);
  apply({real("10.0.2.11", {})});
  table_.take();
  manager_.on_session("peer", false);
  EXPECT_EQ(table_.take(), Lines{});
}

TEST_F(Watching, WhoRestsHearsWhatItHasMissedAndAFileIsAlwaysHeard) {
  PoolSpec spec = pool({real("10.0.2.11", {file(), bfd()})});
  spec.ha_suspend = true;
  manager_.on_file("load", 1);
  EXPECT_TRUE(manager_.apply({spec}).run.empty());
  manager_.on_file("load", 5);
  EXPECT_EQ(table_.take(), (Lines{"add 10.0.2.11 w10", "change 10.0.2.11 w11", "change 10.0.2.11 w15"}));
  manager_.on_session("peer", true);
  manager_.on_session("peer", false);
  EXPECT_TRUE(table_.take().empty());
  static_cast<void>(manager_.on_address(*net::IpAddr::parse("10.0.0.1"), true));
  EXPECT_EQ(table_.take(), (Lines{"remove 10.0.2.11"}));
}

}  // namespace
}  // namespace sluice::control
