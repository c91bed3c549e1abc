#include "health/pool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace sluice::health {
namespace {

/// Actions as short words, so that a row of expectations reads like keepalived's log: "+0/1" adds server 0 with weight
/// 1, "=0/0" sets its weight, "-0" removes it, "up0" and "down0" are notifies, "+S", "-S", "=S/0" the sorry server.
std::string word(const Action& action) {
  struct Word {
    std::string operator()(const AddServer& a) const { return fmt::format("+{}/{}", a.server, a.weight); }
    std::string operator()(const RemoveServer& a) const { return fmt::format("-{}", a.server); }
    std::string operator()(const SetWeight& a) const { return fmt::format("={}/{}", a.server, a.weight); }
    std::string operator()(const WeightChanged& a) const {
      return fmt::format("weight{}:{}>{}{}", a.server, a.from, a.to, a.server_is_up ? "" : "(inactive)");
    }
    std::string operator()(const AddSorryServer& a) const { return fmt::format("+S/{}", a.weight); }
    std::string operator()(const RemoveSorryServer&) const { return "-S"; }
    std::string operator()(const SetSorryServerWeight& a) const { return fmt::format("=S/{}", a.weight); }
    std::string operator()(const NotifyUp& a) const { return fmt::format("up{}", a.server); }
    std::string operator()(const NotifyDown& a) const { return fmt::format("down{}", a.server); }
    std::string operator()(const QuorumUp& a) const {
      return fmt::format("gained({}+{}<={})", a.quorum, a.hysteresis, a.weight_sum);
    }
    std::string operator()(const QuorumDown& a) const {
      return fmt::format("{}({}-{}>{})", a.at_start ? "without" : "lost", a.quorum, a.hysteresis, a.weight_sum);
    }
  };
  return std::visit(Word{}, action);
}

std::string words(const Actions& actions) {
  std::string text;
  for (const Action& action : actions) text += (text.empty() ? "" : " ") + word(action);
  return text;
}

/// A server with one checker that starts up.
PoolServer server(std::uint32_t weight = 1) { return {weight, false, {true}}; }
PoolServer inhibited(std::uint32_t weight = 1) { return {weight, true, {true}}; }
PoolServer alpha(PoolServer of) {
  of.checkers_up.assign(of.checkers_up.size(), false);
  return of;
}

struct Event {
  enum Kind { up, down, first_down, weight } kind;
  std::size_t server;
  std::string expected;
  std::uint32_t value = 0;
};

struct Row {
  std::string name;
  PoolConfig config;
  std::string at_start;
  std::vector<Event> events;
};

std::vector<Row> rows() {
  using enum Event::Kind;
  return {
      {"without alpha, servers stand in the table before any probe",
       {.servers = {server(1), server(3)}},
       "+0/1 +1/3",
       {{up, 0, ""}, {down, 0, "-0 down0"}, {down, 0, ""}, {up, 0, "+0/1 up0"}}},
      {"quorum 1: the last server down loses it, the first one back gains it",
       {.servers = {server(), server()}},
       "+0/1 +1/1",
       {{down, 0, "-0 down0"},
        {down, 1, "-1 down1 lost(1-0>0)"},
        {up, 1, "+1/1 up1 gained(1+0<=1)"},
        {up, 0, "+0/1 up0"}}},
      {"alpha waits for the first success, and a first failure notifies though nothing changed",
       {.servers = {alpha(server()), alpha(server())}},
       "",
       {{first_down, 0, "down0"}, {down, 0, ""}, {up, 1, "+1/1 up1 gained(1+0<=1)"}}},
      {"alpha with a sorry server starts without quorum",
       {.servers = {alpha(server())}, .has_sorry_server = true},
       "without(1-0>0) +S/1",
       {{up, 0, "up0 gained(1+0<=1) -S +0/1"}, {down, 0, "-0 down0 lost(1-0>0) +S/1"}}},
      {"inhibit_on_failure keeps the server with weight 0",
       {.servers = {inhibited(5), server(2)}},
       "+0/5 +1/2",
       {{down, 0, "=0/0 down0"}, {up, 0, "=0/5 up0"}}},
      {"alpha with inhibit_on_failure is added with weight 0",
       {.servers = {alpha(inhibited(5)), server()}},
       "+0/0 +1/1",
       {{up, 0, "=0/5 up0"}}},
      {"Q=4 H=1: down below 3, back at 5",
       {.servers = {server(), server(), server(), server(), server()}, .quorum = 4, .hysteresis = 1},
       "+0/1 +1/1 +2/1 +3/1 +4/1",
       {{down, 0, "-0 down0"},
        {down, 1, "-1 down1"},
        {down, 2, "-2 down2 lost(4-1>2)"},
        {up, 2, "+2/1 up2"},
        {up, 1, "+1/1 up1"},
        {up, 0, "+0/1 up0 gained(4+1<=5)"}}},
      {"losing quorum with servers left: the sorry server comes in, they go, and come back together",
       {.servers = {server(), server(), server()}, .quorum = 2, .has_sorry_server = true},
       "+0/1 +1/1 +2/1",
       {{down, 0, "-0 down0"},
        {down, 1, "-1 down1 lost(2-0>1) +S/1 -2"},
        {down, 2, "down2"},
        {up, 2, "up2"},
        {up, 0, "up0 gained(2+0<=2) -S +0/1 +2/1"},
        {up, 1, "+1/1 up1"}}},
      {"without a sorry server, losing quorum changes nothing in the table",
       {.servers = {server(), server()}, .quorum = 2},
       "+0/1 +1/1",
       {{down, 0, "-0 down0 lost(2-0>1)"}, {up, 0, "+0/1 up0 gained(2+0<=2)"}}},
      {"inhibited servers stay with weight 0 while the sorry server stands in",
       {.servers = {inhibited(2), inhibited(2)}, .quorum = 3, .has_sorry_server = true},
       "+0/2 +1/2",
       {{down, 0, "=0/0 down0 lost(3-0>2) +S/1 =1/0"}, {up, 0, "up0 gained(3+0<=4) -S =0/2 =1/2"}}},
      {"a sorry server that is inhibited stands by with weight 0",
       {.servers = {server()}, .has_sorry_server = true, .sorry_server_inhibit = true},
       "+0/1 +S/0",
       {{down, 0, "-0 down0 lost(1-0>0) =S/1"}, {up, 0, "up0 gained(1+0<=1) =S/0 +0/1"}}},
      {"weight 0 is no vote, and losing all votes loses quorum while servers are up",
       {.servers = {server(1), server(0)}, .has_sorry_server = true},
       "+0/1 +1/0",
       {{weight, 0, "weight0:1>0 =0/0 lost(1-0>0) +S/1 -0 -1", 0},
        {weight, 0, "weight0:0>4 gained(1+0<=4) -S +0/4 +1/0", 4}}},
      {"a new weight of a server that is down waits until it is up",
       {.servers = {server(1), server(1)}},
       "+0/1 +1/1",
       {{down, 0, "-0 down0"}, {weight, 0, "weight0:1>7(inactive)", 7}, {weight, 0, "", 7}, {up, 0, "+0/7 up0"}}},
      {"rs_init_notifies runs notify_up for who starts up",
       {.servers = {server(), alpha(server())}, .notify_up_at_start = true},
       "+0/1 up0",
       {{up, 1, "+1/1 up1"}}},
      {"a hysteresis that isn't below the quorum is lowered",
       {.servers = {server()}, .quorum = 1, .hysteresis = 9},
       "+0/1",
       {{down, 0, "-0 down0 lost(1-0>0)"}, {up, 0, "+0/1 up0 gained(1+0<=1)"}}},
  };
}

TEST(Pool, FollowsKeepalivedRowByRow) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    Pool pool(row.config);
    EXPECT_EQ(words(pool.start()), row.at_start);
    for (std::size_t i = 0; i < row.events.size(); ++i) {
      const Event& event = row.events[i];
      SCOPED_TRACE(fmt::format("event {}", i));
      const Actions actions = event.kind == Event::weight ? pool.on_weight(event.server, event.value)
                                                          : pool.on_checker(event.server, 0, event.kind == Event::up,
                                                                            event.kind == Event::first_down);
      EXPECT_EQ(words(actions), event.expected);
    }
  }
}

TEST(Pool, ServerIsUpOnlyWhileAllItsCheckersAre) {
  Pool pool({.servers = {{1, false, {true, true}}}});
  EXPECT_EQ(words(pool.start()), "+0/1");
  EXPECT_EQ(words(pool.on_checker(0, 0, false, true)), "-0 down0 lost(1-0>0)");
  EXPECT_EQ(words(pool.on_checker(0, 1, false, true)), "");
  EXPECT_EQ(words(pool.on_checker(0, 0, true, false)), "");
  EXPECT_EQ(words(pool.on_checker(0, 1, true, false)), "+0/1 up0 gained(1+0<=1)");
}

TEST(Pool, ServerWithoutCheckersIsAlwaysUp) {
  Pool pool({.servers = {{1, false, {}}}});
  EXPECT_EQ(words(pool.start()), "+0/1");
  EXPECT_TRUE(pool.is_up(0));
}

TEST(Pool, WeightsAddUpBeyond32Bits) {
  Pool pool({.servers = {server(4000000000), server(4000000000)}, .quorum = 4000000000});
  static_cast<void>(pool.start());
  EXPECT_EQ(pool.weight_sum(), 8000000000u);
  EXPECT_TRUE(pool.has_quorum());
}

/// The table that the actions build, beside what the pool says of itself.
struct Table {
  std::map<std::size_t, std::uint32_t> servers;
  std::optional<std::uint32_t> sorry;
  std::vector<int> notified;  // -1 down, 1 up, 0 nothing yet

  void apply(const Actions& actions) {
    for (const Action& action : actions) std::visit(*this, action);
  }
  void operator()(const AddServer& a) { EXPECT_TRUE(servers.emplace(a.server, a.weight).second) << "added twice"; }
  void operator()(const RemoveServer& a) { EXPECT_EQ(servers.erase(a.server), 1u) << "removed what isn't there"; }
  void operator()(const SetWeight& a) {
    const auto found = servers.find(a.server);
    ASSERT_NE(found, servers.end()) << "weight of what isn't there";
    EXPECT_TRUE(a.weight == 0 || found->second != a.weight) << "an edit that changes nothing";
    found->second = a.weight;
  }
  void operator()(const WeightChanged&) {}
  void operator()(const AddSorryServer& a) {
    EXPECT_FALSE(sorry) << "sorry server added twice";
    sorry = a.weight;
  }
  void operator()(const RemoveSorryServer&) {
    EXPECT_TRUE(sorry) << "sorry server removed twice";
    sorry.reset();
  }
  void operator()(const SetSorryServerWeight& a) {
    ASSERT_TRUE(sorry);
    EXPECT_NE(*sorry, a.weight);
    sorry = a.weight;
  }
  void operator()(const NotifyUp& a) {
    EXPECT_NE(notified[a.server], 1) << "notify_up twice";
    notified[a.server] = 1;
  }
  void operator()(const NotifyDown& a) {
    EXPECT_NE(notified[a.server], -1) << "notify_down twice";
    notified[a.server] = -1;
  }
  void operator()(const QuorumUp& a) { EXPECT_GE(a.weight_sum, std::uint64_t{a.quorum} + a.hysteresis); }
  void operator()(const QuorumDown& a) { EXPECT_LT(a.weight_sum, std::uint64_t{a.quorum} + a.hysteresis); }
};

TEST(Pool, TableIsAFunctionOfState) {
  const auto seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  fmt::print("seed {}\n", seed);
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };

  for (int round = 0; round < 300 && !testing::Test::HasFailure(); ++round) {
    PoolConfig config;
    for (std::size_t n = below(7); n > 0; --n) {
      PoolServer one{static_cast<std::uint32_t>(below(4) + 1), below(3) == 0, {}};
      for (std::size_t c = below(3); c > 0; --c) one.checkers_up.push_back(below(2) == 0);
      config.servers.push_back(one);
    }
    config.quorum = static_cast<std::uint32_t>(below(6));
    config.hysteresis = static_cast<std::uint32_t>(below(4));
    config.has_sorry_server = below(2) == 0;
    config.sorry_server_inhibit = below(3) == 0;

    Pool pool(config);
    std::vector<std::vector<bool>> checkers;  // the slow model: who is up is counted anew each time
    std::vector<std::uint32_t> weights;
    for (const PoolServer& one : config.servers) {
      checkers.push_back(one.checkers_up);
      weights.push_back(one.weight);
    }
    const auto model_up = [&](std::size_t i) {
      return std::find(checkers[i].begin(), checkers[i].end(), false) == checkers[i].end();
    };
    const std::uint64_t quorum = std::max(config.quorum, 1u);
    const std::uint64_t hysteresis = std::min<std::uint64_t>(config.hysteresis, quorum - 1);
    const auto model_sum = [&] {
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) sum += model_up(i) ? weights[i] : 0;
      return sum;
    };
    bool model_quorum = model_sum() >= quorum + hysteresis;

    Table table;
    table.notified.assign(config.servers.size(), 0);
    table.apply(pool.start());
    for (int step = 0; step < 60 && !testing::Test::HasFailure(); ++step) {
      if (step > 0 && !config.servers.empty()) {
        const std::size_t i = below(config.servers.size());
        if (checkers[i].empty() || below(5) == 0) {
          weights[i] = static_cast<std::uint32_t>(below(5));
          table.apply(pool.on_weight(i, weights[i]));
        } else {
          const std::size_t c = below(checkers[i].size());
          checkers[i][c] = below(2) == 0;
          table.apply(pool.on_checker(i, c, checkers[i][c], false));
        }
        const std::uint64_t sum = model_sum();
        if (!model_quorum && sum >= quorum + hysteresis) {
          model_quorum = true;
        } else if (model_quorum && (sum == 0 || sum < quorum - hysteresis)) {
          model_quorum = false;
        }
      }
      const bool sorry = config.has_sorry_server && !model_quorum;
      EXPECT_EQ(pool.sorry_server_serves(), sorry);
      EXPECT_EQ(table.sorry.value_or(0), sorry ? 1u : 0u);
      EXPECT_EQ(table.sorry.has_value(), sorry || (config.has_sorry_server && config.sorry_server_inhibit));
      std::map<std::size_t, std::uint32_t> expected;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const bool serving = model_up(i) && !sorry;
        if (serving || config.servers[i].inhibit_on_failure) expected[i] = serving ? weights[i] : 0;
        EXPECT_EQ(pool.is_up(i), model_up(i));
        EXPECT_EQ(pool.in_table(i), expected.contains(i));
        EXPECT_EQ(pool.table_weight(i), serving ? weights[i] : 0);
      }
      EXPECT_EQ(table.servers, expected) << "round " << round << " step " << step;
    }
  }
}

}  // namespace
}  // namespace sluice::health
