// PoolManager::apply() after the first: what a reload does to the table, to checkers, in the log and to scripts.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "control/pools/diff.h"
#include "control/pools/pool_manager.h"
#include "control/pools/service_name.h"
#include "control/pools/test_pools.h"

namespace sluice::control {
namespace {

using Lines = std::vector<std::string>;

/// A table that refuses what makes no sense, and writes down what it is told.
class TableBackend : public Backend {
 public:
  struct Entry {
    VirtualServiceSpec spec;
    std::map<DestinationKey, DestinationSpec> destinations;
    bool operator==(const Entry&) const = default;
  };
  using Table = std::map<VirtualServiceKey, Entry>;

  void begin() override { ++depth; }
  void commit() override { --depth; }

  Result<> add_service(const VirtualServiceSpec& spec) override {
    note("service", spec.key);
    if (full) return fail("", "no room");
    if (!table.emplace(spec.key, Entry{spec, {}}).second) return fail(spec.key.text(), "is there");
    return {};
  }
  Result<> change_service(const VirtualServiceSpec& spec) override {
    note("change service", spec.key);
    EXPECT_NE(table.at(spec.key).spec, spec) << "nothing changed";
    table.at(spec.key).spec = spec;
    return {};
  }
  Result<> remove_service(const VirtualServiceKey& key) override {
    note("remove service", key);
    return table.erase(key) == 1 ? Result<>{} : fail(key.text(), "isn't there");
  }
  Result<> add_destination(const VirtualServiceKey& service, const DestinationSpec& spec) override {
    note(fmt::format("add {} w{}", spec.key.address.text(), spec.weight), service);
    if (!table.at(service).destinations.emplace(spec.key, spec).second) return fail(spec.key.text(), "is there");
    return {};
  }
  Result<> change_destination(const VirtualServiceKey& service, const DestinationSpec& spec) override {
    note(fmt::format("change {} w{}", spec.key.address.text(), spec.weight), service);
    EXPECT_NE(table.at(service).destinations.at(spec.key), spec) << "nothing changed";
    table.at(service).destinations.at(spec.key) = spec;
    return {};
  }
  Result<> remove_destination(const VirtualServiceKey& service, const DestinationKey& key) override {
    note("remove " + key.address.text(), service);
    return table.at(service).destinations.erase(key) == 1 ? Result<>{} : fail(key.text(), "isn't there");
  }
  [[nodiscard]] std::vector<VirtualServiceStatus> services() const override { return {}; }
  [[nodiscard]] std::string name() const override { return "table"; }

  /// What was called since the last take, without the service.
  Lines take() {
    touched.clear();
    return std::exchange(calls_, {});
  }

  Table table;
  std::set<VirtualServiceKey> touched;
  int depth = 0;
  bool full = false;

 private:
  void note(const std::string& what, const VirtualServiceKey& key) {
    EXPECT_EQ(depth, 1) << what << " outside of a batch";
    calls_.push_back(what);
    touched.insert(key);
  }
  Lines calls_;
};

class Reload : public testing::Test {
 protected:
  static PoolSpec web(std::vector<std::pair<std::uint8_t, std::uint32_t>> servers) {
    PoolSpec spec;
    spec.services = {{.key = {net::Protocol::tcp, net::Ipv4Addr::of(10, 0, 0, 1), net::L4Port::of(80)}}};
    for (const auto& [last, weight] : servers) {
      RealServerSpec server;
      server.destination = {.key = {net::Ipv4Addr::of(10, 0, 2, last), net::L4Port::of(80)}, .weight = weight};
      server.notify_up = ScriptSpec{.argv = {fmt::format("up {}", last)}};
      server.notify_down = ScriptSpec{.argv = {fmt::format("down {}", last)}};
      server.checkers = {{checker(server, 80)}};
      spec.servers.push_back(std::move(server));
    }
    spec.quorum_up = ScriptSpec{.argv = {"quorum_up"}};
    spec.quorum_down = ScriptSpec{.argv = {"quorum_down"}};
    return spec;
  }
  static health::CheckerSpec checker(const RealServerSpec& server, std::uint16_t port) {
    return {.what = health::TcpCheckSpec{{.address = server.destination.key.address, .port = net::L4Port::of(port)}}};
  }

  /// Starts with these, and forgets what was said and done so far.
  void start(std::vector<PoolSpec> pools) {
    apply(std::move(pools));
    static_cast<void>(take());
  }
  void apply(std::vector<PoolSpec> pools) {
    log.clear();
    scripts.clear();
    auto checkers = manager.apply(std::move(pools));
    for (const health::CheckerId id : checkers.end) EXPECT_EQ(running.erase(id), 1u) << "ended, but doesn't run";
    ended = checkers.end.size();
    started = checkers.run;
    for (const auto& checker : checkers.run) EXPECT_TRUE(running.emplace(checker.id, checker).second);
  }
  Lines take() { return backend.take(); }

  /// The checkers of the `nth` server that was started.
  void result(health::CheckerId id, bool up, bool first = false, bool changed = true) {
    log.clear();
    scripts.clear();
    manager.on_health({.checker = id,
                       .verdict = up ? health::Verdict::success : health::Verdict::failure,
                       .reason = "for a reason",
                       .outcome = {up, changed, first, 0, std::chrono::seconds{6}},
                       .latency = {},
                       .ended = {}});
  }
  health::CheckerId id_of(std::size_t nth) const { return std::next(running.begin(), std::ptrdiff_t(nth))->first; }

  Lines log;
  Lines scripts;
  std::map<health::CheckerId, health::CheckerToRun> running;
  std::vector<health::CheckerToRun> started;
  std::size_t ended = 0;
  TableBackend backend;
  PoolManager manager{backend,
                      [this](const ScriptSpec& script) {
                        scripts.push_back(script.argv[0]);
                        return Result<>{};
                      },
                      [this](LogLevel, const std::string& line) { log.push_back(line); }};
};

TEST_F(Reload, OfTheSameDoesNothing) {
  start({web({{11, 1}, {12, 2}})});
  apply({web({{11, 1}, {12, 2}})});
  EXPECT_EQ(take(), Lines{});
  EXPECT_EQ(log, Lines{});
  EXPECT_EQ(scripts, Lines{});
  EXPECT_TRUE(ended == 0 && started.empty());
}

TEST_F(Reload, ChangesAWeightInKeepalivedsWords) {
  start({web({{11, 1}, {12, 2}})});
  apply({web({{11, 5}, {12, 2}})});
  EXPECT_EQ(take(), (Lines{"change 10.0.2.11 w5"}));
  EXPECT_EQ(log, (Lines{"Changing weight from 1 to 5 for active service [10.0.2.11]:tcp:80 of VS [10.0.0.1]:tcp:80"}));
  EXPECT_TRUE(ended == 0 && started.empty()) << "its checker isn't disturbed";
}

TEST_F(Reload, AWeightOfAServerThatIsDownWaitsUntilItIsUp) {
  start({web({{11, 1}, {12, 2}})});
  result(id_of(0), false);
  take();
  apply({web({{11, 5}, {12, 2}})});
  EXPECT_EQ(take(), Lines{});
  EXPECT_EQ(log,
            (Lines{"Changing weight from 1 to 5 for inactive service [10.0.2.11]:tcp:80 of VS [10.0.0.1]:tcp:80"}));
  result(id_of(0), true);
  EXPECT_EQ(take(), (Lines{"add 10.0.2.11 w5"}));
}

TEST_F(Reload, AddsAndRemovesServers) {
  start({web({{11, 1}, {12, 1}})});
  apply({web({{12, 1}, {13, 4}})});
  EXPECT_EQ(take(), (Lines{"remove 10.0.2.11", "add 10.0.2.13 w4"}));
  EXPECT_EQ(log, (Lines{"service [10.0.2.11]:tcp:80 no longer exist",
                        "Removing service [10.0.2.11]:tcp:80 from VS [10.0.0.1]:tcp:80",
                        "Activating healthchecker for service [10.0.2.13]:tcp:80 for VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(scripts, (Lines{"down 11"}));
  EXPECT_EQ(ended, 1u);
  ASSERT_EQ(started.size(), 1u);
  EXPECT_TRUE(started[0].spec.starts_up);
  // Indices have moved: who stays is still who he was.
  result(id_of(0), false);
  EXPECT_EQ(take(), (Lines{"remove 10.0.2.12"}));
}

TEST_F(Reload, AServerThatWasDownStaysOutAndItsCheckerGoesOn) {
  start({web({{11, 1}, {12, 1}})});
  result(id_of(0), false);
  take();
  apply({web({{11, 1}, {12, 1}, {13, 1}})});
  EXPECT_EQ(take(), (Lines{"add 10.0.2.13 w1"}));
  EXPECT_EQ(ended, 0u);
  EXPECT_FALSE(manager.status()[0].servers[0].up);
  EXPECT_EQ(manager.status()[0].servers[0].checkers[0].reason, "for a reason");
  EXPECT_EQ(manager.status()[0].servers[0].checkers[0].flaps, 1u);
}

TEST_F(Reload, AChangedCheckerTakesAServerThatIsUpToBeUp) {
  start({web({{11, 1}, {12, 1}})});
  PoolSpec next = web({{11, 1}, {12, 1}});
  health::CheckerSpec alpha = checker(next.servers[0], 8080);
  alpha.starts_up = false;
  next.servers[0].checkers = {{alpha}};
  apply({next});
  EXPECT_EQ(take(), Lines{});
  EXPECT_EQ(ended, 1u);
  ASSERT_EQ(started.size(), 1u);
  EXPECT_TRUE(started[0].spec.starts_up) << "alpha or not";
  result(started[0].id, false, true);
  EXPECT_EQ(take(), (Lines{"remove 10.0.2.11"})) << "one failure is enough";
}

TEST_F(Reload, AChangedCheckerOfAFailedServerHasToSucceedFirstAndItsFailureIsNoNews) {
  start({web({{11, 1}, {12, 1}})});
  result(id_of(0), false);
  take();
  PoolSpec next = web({{11, 1}, {12, 1}});
  next.servers[0].checkers = {{checker(next.servers[0], 8080)}};
  apply({next});
  EXPECT_EQ(take(), Lines{});
  ASSERT_EQ(started.size(), 1u);
  EXPECT_FALSE(started[0].spec.starts_up);
  result(started[0].id, false, true, false);
  EXPECT_EQ(scripts, Lines{}) << "it was told when it went down";
  result(started[0].id, true);
  EXPECT_EQ(take(), (Lines{"add 10.0.2.11 w1"}));
}

TEST_F(Reload, WhatOnlyCountsAtACheckersStartDoesNotDisturbIt) {
  start({web({{11, 1}})});
  PoolSpec next = web({{11, 1}});
  health::CheckerSpec spec = checker(next.servers[0], 80);
  spec.warmup = std::chrono::milliseconds{1};
  spec.starts_up = false;
  next.servers[0].checkers = {{spec, true}};
  apply({next});
  EXPECT_TRUE(ended == 0 && started.empty());
  EXPECT_EQ(take(), Lines{});
}

TEST_F(Reload, SchedulerAndThresholdsReachTheTable) {
  start({web({{11, 1}, {12, 1}})});
  PoolSpec next = web({{11, 1}, {12, 1}});
  next.services[0].scheduler = "rr";
  next.servers[1].destination.upper_threshold = 7;
  next.servers[1].destination.method = ForwardingMethod::tunnel;
  apply({next});
  EXPECT_EQ(take(), (Lines{"change service", "change 10.0.2.12 w1"}));
  EXPECT_EQ(backend.table.begin()->second.destinations.at(next.servers[1].destination.key),
            next.servers[1].destination);
}

TEST_F(Reload, RemovesAVirtualServerWithItsNotices) {
  PoolSpec other = web({{21, 1}});
  other.services[0].key.port = net::L4Port::of(443);
  start({web({{11, 1}, {12, 1}}), other});
  result(id_of(1), false);
  take();
  apply({other});
  EXPECT_EQ(take(), (Lines{"remove 10.0.2.11", "remove service"}));
  EXPECT_EQ(log, (Lines{"Removing Virtual Server [10.0.0.1]:tcp:80",
                        "Removing service [10.0.2.11]:tcp:80 from VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(scripts, (Lines{"down 11", "quorum_down"}));
  EXPECT_EQ(ended, 2u);
  EXPECT_EQ(manager.status().size(), 1u);
}

TEST_F(Reload, AnotherPortIsAnotherVirtualServer) {
  start({web({{11, 1}})});
  PoolSpec next = web({{11, 1}});
  next.services[0].key.port = net::L4Port::of(81);
  apply({next});
  EXPECT_EQ(take(), (Lines{"remove 10.0.2.11", "remove service", "service", "add 10.0.2.11 w1"}));
}

TEST_F(Reload, SorryServerThatServesIsReplaced) {
  const auto with_sorry = [](std::uint8_t last) {
    PoolSpec spec = web({{11, 1}});
    spec.sorry_server = DestinationSpec{.key = {net::Ipv4Addr::of(127, 0, 0, last), net::L4Port::of(80)}};
    return spec;
  };
  start({with_sorry(1)});
  result(id_of(0), false);
  take();
  apply({with_sorry(2)});
  EXPECT_EQ(take(), (Lines{"remove 127.0.0.1", "add 127.0.0.2 w1"}));
  EXPECT_EQ(log, (Lines{"Removing sorry server [127.0.0.1]:tcp:80 from VS [10.0.0.1]:tcp:80",
                        "Starting with quorum down 1-0=1 > 0 for VS [10.0.0.1]:tcp:80",
                        "Adding sorry server [127.0.0.2]:tcp:80 to VS [10.0.0.1]:tcp:80",
                        "Removing alive servers from the pool for VS [10.0.0.1]:tcp:80"}));
  apply({web({{11, 1}})});
  EXPECT_EQ(take(), (Lines{"remove 127.0.0.2"}));
}

TEST_F(Reload, QuorumIsCountedAnew) {
  PoolSpec strict = web({{11, 1}, {12, 1}});
  strict.quorum = 3;
  start({web({{11, 1}, {12, 1}})});
  apply({strict});
  EXPECT_EQ(log, (Lines{"Starting with quorum down 3-0=3 > 2 for VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(scripts, (Lines{"quorum_down"}));
  apply({web({{11, 1}, {12, 1}})});
  EXPECT_EQ(log, (Lines{"Gained quorum 1+0=1 <= 2 for VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(take(), Lines{});
}

TEST_F(Reload, EntriesOfAGroupComeAndGoAloneWithOneSetOfCheckers) {
  const auto group = [](std::vector<std::uint8_t> entries) {
    PoolSpec spec = web({{11, 1}, {12, 1}});
    spec.group = "[web]:0";
    spec.services.clear();
    for (const std::uint8_t last : entries) {
      spec.services.push_back({.key = {net::Protocol::tcp, net::Ipv4Addr::of(10, 0, 0, last), net::L4Port::of(80)}});
    }
    return spec;
  };
  apply({group({1, 2})});
  EXPECT_EQ(take(), (Lines{"service", "service", "add 10.0.2.11 w1", "add 10.0.2.11 w1", "add 10.0.2.12 w1",
                           "add 10.0.2.12 w1"}));
  EXPECT_EQ(started.size(), 2u);
  EXPECT_EQ(log[0], "Gained quorum 1+0=1 <= 2 for VS [web]:0");
  EXPECT_EQ(log[1], "Activating healthchecker for service [10.0.2.11]:tcp:80 for VS [web]:0");
  result(id_of(0), false);
  EXPECT_EQ(take(), (Lines{"remove 10.0.2.11", "remove 10.0.2.11"}));
  EXPECT_EQ(log.back(), "Removing service [10.0.2.11]:tcp:80 from VS [web]:0");
  apply({group({3, 2})});
  EXPECT_EQ(take(), (Lines{"remove service", "service", "add 10.0.2.12 w1"})) << "only who is up";
  EXPECT_TRUE(ended == 0 && started.empty());
  result(id_of(0), true);
  EXPECT_EQ(take(), (Lines{"add 10.0.2.11 w1", "add 10.0.2.11 w1"}));
}

TEST_F(Reload, TriesAgainWhatTheBackendRefused) {
  backend.full = true;
  start({web({{11, 1}})});
  EXPECT_EQ(manager.status()[0].backend_error, "no room");
  backend.full = false;
  apply({web({{11, 1}})});
  EXPECT_EQ(take(), (Lines{"service", "add 10.0.2.11 w1"}));
}

TEST_F(Reload, PreviewsWhatItWouldDoAndDoesNothing) {
  start({web({{11, 1}})});
  const std::vector<PoolSpec> next{web({{11, 2}})};
  EXPECT_EQ(manager.preview(next), (Lines{"~ real server [10.0.2.11]:tcp:80 of [10.0.0.1]:tcp:80: weight 1 -> 2"}));
  EXPECT_EQ(take(), Lines{});
}

// --- whatever the configurations, and whatever has happened in between

std::string name_of(const PoolSpec& pool, const RealServerSpec& server) {
  return pool_name(pool) + " " + server.destination.key.text();
}

class ReloadProperty : public Reload {
 protected:
  /// The table as the pools' own words of themselves have it.
  TableBackend::Table expected(const std::vector<PoolSpec>& pools) const {
    TableBackend::Table table;
    const auto status = manager.status();
    EXPECT_EQ(status.size(), pools.size());
    for (std::size_t p = 0; p < pools.size(); ++p) {
      for (const VirtualServiceSpec& service : pools[p].services) {
        TableBackend::Entry& entry = table[service.key];
        entry.spec = service;
        for (std::size_t i = 0; i < pools[p].servers.size(); ++i) {
          if (!status[p].servers[i].in_table) continue;
          DestinationSpec destination = pools[p].servers[i].destination;
          destination.weight = status[p].servers[i].table_weight;
          entry.destinations[destination.key] = destination;
        }
        if (pools[p].sorry_server && (status[p].sorry_server_serves || pools[p].sorry_server_inhibit)) {
          DestinationSpec sorry = *pools[p].sorry_server;
          sorry.weight = status[p].sorry_server_serves ? 1 : 0;
          entry.destinations[sorry.key] = sorry;
        }
      }
    }
    return table;
  }

  /// What is known of each real server's checkers that the next configuration has, too.
  static std::map<std::string, std::vector<bool>> kept_checkers(const std::vector<PoolSpec>& pools,
                                                                const std::vector<PoolStatus>& status,
                                                                const std::vector<PoolSpec>& others) {
    std::map<std::string, std::vector<bool>> kept;
    for (std::size_t p = 0; p < pools.size(); ++p) {
      for (const PoolSpec& other : others) {
        if (pool_name(pools[p]) != pool_name(other)) continue;
        for (std::size_t i = 0; i < pools[p].servers.size(); ++i) {
          for (const RealServerSpec& server : other.servers) {
            if (server.destination.key != pools[p].servers[i].destination.key) continue;
            std::vector<bool>& up = kept[name_of(other, server)];
            // Only where all are the same, in the same order: what else there is, the tests above look at.
            const auto& a = pools[p].servers[i].checkers;
            const auto& b = server.checkers;
            if (!std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same_checker)) continue;
            for (const CheckerStatus& checker : status[p].servers[i].checkers) up.push_back(checker.up);
          }
        }
      }
    }
    return kept;
  }

  /// (name of the virtual server) -> its services, for those that are the same in both.
  static std::set<VirtualServiceKey> untouched(const std::vector<PoolSpec>& old, const std::vector<PoolSpec>& next) {
    std::set<VirtualServiceKey> keys;
    for (const PoolSpec& pool : next) {
      if (std::find(old.begin(), old.end(), pool) == old.end()) continue;
      for (const VirtualServiceSpec& service : pool.services) keys.insert(service.key);
    }
    return keys;
  }
};

TEST_F(ReloadProperty, TheTableIsWhatAFreshStartInTheSameHealthWouldMake) {
  RandomPools random;
  SCOPED_TRACE(random.seed());
  std::vector<PoolSpec> pools;
  for (int round = 0; round < 1500 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    for (int events = 0; events < 8 && !running.empty(); ++events) {
      auto at = running.begin();
      std::advance(at, random.below(unsigned(running.size())));
      result(at->first, random.one_in(2));
      EXPECT_EQ(backend.table, expected(pools)) << "after a checker's result";
    }
    const auto next = round % 20 == 19 ? std::vector<PoolSpec>{} : random.changed(pools);
    const auto kept_before = kept_checkers(pools, manager.status(), next);
    backend.take();
    apply(next);
    EXPECT_EQ(backend.table, expected(next));
    EXPECT_EQ(kept_before, kept_checkers(next, manager.status(), pools)) << "checkers that stay keep what they know";
    for (const VirtualServiceKey& key : untouched(pools, next)) {
      EXPECT_FALSE(backend.touched.contains(key)) << key.text() << " didn't change";
    }
    std::size_t checkers = 0;
    for (const PoolSpec& pool : next) {
      for (const RealServerSpec& server : pool.servers) checkers += server.checkers.size();
    }
    EXPECT_EQ(running.size(), checkers);
    pools = next;
  }
  manager.stop();
  EXPECT_TRUE(backend.table.empty());
}

}  // namespace
}  // namespace sluice::control
