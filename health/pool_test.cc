#include "health/pool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <string>

namespace sluice::health {
namespace {

/// Actions as short words, so that a row of expectations reads like keepalived's log: "+0/1" adds server 0 with weight
/// 1, "=0/0" sets its weight, "-0" removes it, "held0" would do one of these if the sorry server weren't in, "up0" and
/// "down0" are notifies, "+S", "-S", "=S/0" the sorry server, "with(...)" and "without(...)" the quorum at the start.
std::string word(const Action& action) {
  struct Word {
    std::string operator()(const AddServer& a) const { return fmt::format("+{}/{}", a.server, a.weight); }
    std::string operator()(const RemoveServer& a) const { return fmt::format("-{}", a.server); }
    std::string operator()(const SetWeight& a) const { return fmt::format("={}/{}", a.server, a.weight); }
    std::string operator()(const Withheld& a) const { return fmt::format("held{}", a.server); }
    std::string operator()(const WeightChanged& a) const {
      return fmt::format("weight{}:{}>{}{}", a.server, a.from, a.to, a.server_is_up ? "" : "(inactive)");
    }
    std::string operator()(const AddSorryServer& a) const { return fmt::format("+S/{}", a.weight); }
    std::string operator()(const RemoveSorryServer&) const { return "-S"; }
    std::string operator()(const SetSorryServerWeight& a) const { return fmt::format("=S/{}", a.weight); }
    std::string operator()(const NotifyUp& a) const { return fmt::format("up{}", a.server); }
    std::string operator()(const NotifyDown& a) const { return fmt::format("down{}", a.server); }
    std::string operator()(const QuorumUp& a) const {
      return fmt::format("{}({}+{}<={})", a.at_start ? "with" : "gained", a.quorum, a.hysteresis, a.weight_sum);
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
       "+0/1 +1/3 with(1+0<=4)",
       {{up, 0, ""}, {down, 0, "-0 down0"}, {down, 0, ""}, {up, 0, "+0/1 up0"}}},
      {"quorum 1: the last server down loses it, the first one back gains it",
       {.servers = {server(), server()}},
       "+0/1 +1/1 with(1+0<=2)",
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
       {{up, 0, "held0 up0 gained(1+0<=1) -S +0/1"}, {down, 0, "-0 down0 lost(1-0>0) +S/1"}}},
      {"inhibit_on_failure keeps the server with weight 0",
       {.servers = {inhibited(5), server(2)}},
       "+0/5 +1/2 with(1+0<=7)",
       {{down, 0, "=0/0 down0"}, {up, 0, "=0/5 up0"}}},
      {"alpha with inhibit_on_failure is added with weight 0",
       {.servers = {alpha(inhibited(5)), server()}},
       "+0/0 +1/1 with(1+0<=1)",
       {{up, 0, "=0/5 up0"}}},
      {"Q=4 H=1: down below 3, back at 5",
       {.servers = {server(), server(), server(), server(), server()}, .quorum = 4, .hysteresis = 1},
       "+0/1 +1/1 +2/1 +3/1 +4/1 with(4+1<=5)",
       {{down, 0, "-0 down0"},
        {down, 1, "-1 down1"},
        {down, 2, "-2 down2 lost(4-1>2)"},
        {up, 2, "+2/1 up2"},
        {up, 1, "+1/1 up1"},
        {up, 0, "+0/1 up0 gained(4+1<=5)"}}},
      {"losing quorum with servers left: the sorry server comes in, they go, and come back together",
       {.servers = {server(), server(), server()}, .quorum = 2, .has_sorry_server = true},
       "+0/1 +1/1 +2/1 with(2+0<=3)",
       {{down, 0, "-0 down0"},
        {down, 1, "-1 down1 lost(2-0>1) +S/1 -2"},
        {down, 2, "held2 down2"},
        {up, 2, "held2 up2"},
        {up, 0, "held0 up0 gained(2+0<=2) -S +0/1 +2/1"},
        {up, 1, "+1/1 up1"}}},
      {"without a sorry server, losing quorum changes nothing in the table",
       {.servers = {server(), server()}, .quorum = 2},
       "+0/1 +1/1 with(2+0<=2)",
       {{down, 0, "-0 down0 lost(2-0>1)"}, {up, 0, "+0/1 up0 gained(2+0<=2)"}}},
      {"inhibited servers stay with weight 0 while the sorry server stands in",
       {.servers = {inhibited(2), inhibited(2)}, .quorum = 3, .has_sorry_server = true},
       "+0/2 +1/2 with(3+0<=4)",
       {{down, 0, "=0/0 down0 lost(3-0>2) +S/1 =1/0"}, {up, 0, "held0 up0 gained(3+0<=4) -S =0/2 =1/2"}}},
      {"a sorry server that is inhibited stands by with weight 0",
       {.servers = {server()}, .has_sorry_server = true, .sorry_server_inhibit = true},
       "+0/1 with(1+0<=1) +S/0",
       {{down, 0, "-0 down0 lost(1-0>0) =S/1"}, {up, 0, "held0 up0 gained(1+0<=1) =S/0 +0/1"}}},
      {"Q=3 H=1 with a sorry server: lost below 2, and gained at 4, though the servers in between were enough for Q",
       {.servers = {server(4), server(2), server(1)}, .quorum = 3, .hysteresis = 1, .has_sorry_server = true},
       "+0/4 +1/2 +2/1 with(3+1<=7)",
       {{down, 0, "-0 down0"},
        {down, 1, "-1 down1 lost(3-1>1) +S/1 -2"},
        {up, 1, "held1 up1"},
        {down, 1, "held1 down1"},
        {down, 2, "held2 down2"},
        {up, 0, "held0 up0 gained(3+1<=4) -S +0/4"},
        {up, 2, "+2/1 up2"}}},
      {"alpha, Q=2, a sorry server that is inhibited: it stands in from the first until two are up",
       {.servers = {alpha(server()), alpha(server()), alpha(inhibited())},
        .quorum = 2,
        .has_sorry_server = true,
        .sorry_server_inhibit = true},
       "+2/0 without(2-0>0) +S/1",
       {{first_down, 0, "down0"},
        {up, 1, "held1 up1"},
        {up, 2, "held2 up2 gained(2+0<=2) =S/0 +1/1 =2/1"},
        {down, 2, "=2/0 down2 lost(2-0>1) =S/1 -1"}}},
      {"a weight that changes while the sorry server stands in only counts for the quorum",
       {.servers = {server(10), server(5)}, .quorum = 15, .has_sorry_server = true},
       "+0/10 +1/5 with(15+0<=15)",
       {{weight, 0, "weight0:10>5 =0/5 lost(15-0>10) +S/1 -0 -1", 5},
        {weight, 0, "weight0:5>8", 8},
        {weight, 1, "weight1:5>98 gained(15+0<=106) -S +0/8 +1/98", 98}}},
      {"weight 0 is no vote, and losing all votes loses quorum while servers are up",
       {.servers = {server(1), server(0)}, .has_sorry_server = true},
       "+0/1 +1/0 with(1+0<=1)",
       {{weight, 0, "weight0:1>0 =0/0 lost(1-0>0) +S/1 -0 -1", 0},
        {weight, 0, "weight0:0>4 gained(1+0<=4) -S +0/4 +1/0", 4}}},
      {"a new weight of a server that is down waits until it is up",
       {.servers = {server(1), server(1)}},
       "+0/1 +1/1 with(1+0<=2)",
       {{down, 0, "-0 down0"}, {weight, 0, "weight0:1>7(inactive)", 7}, {weight, 0, "", 7}, {up, 0, "+0/7 up0"}}},
      {"rs_init_notifies runs notify_up for who starts up",
       {.servers = {server(), alpha(server())}, .notify_up_at_start = true},
       "+0/1 up0 with(1+0<=1)",
       {{up, 1, "+1/1 up1"}}},
      {"a hysteresis that isn't below the quorum is lowered",
       {.servers = {server()}, .quorum = 1, .hysteresis = 9},
       "+0/1 with(1+0<=1)",
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
  EXPECT_EQ(words(pool.start()), "+0/1 with(1+0<=1)");
  EXPECT_EQ(words(pool.on_checker(0, 0, false, true)), "-0 down0 lost(1-0>0)");
  EXPECT_EQ(words(pool.on_checker(0, 1, false, true)), "");
  EXPECT_EQ(words(pool.on_checker(0, 0, true, false)), "");
  EXPECT_EQ(words(pool.on_checker(0, 1, true, false)), "+0/1 up0 gained(1+0<=1)");
}

TEST(Pool, ServerWithoutCheckersIsAlwaysUp) {
  Pool pool({.servers = {{1, false, {}}}});
  EXPECT_EQ(words(pool.start()), "+0/1 with(1+0<=1)");
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
  void operator()(const Withheld&) { EXPECT_GT(sorry, 0u) << "held back by nobody"; }
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

/// A configuration, and the slow model beside the pool: who is up and what that sums up to is counted anew each time.
class Model {
 public:
  explicit Model(PoolConfig from) : config(std::move(from)) { has_quorum_ = sum() >= quorum() + hysteresis(); }

  [[nodiscard]] bool up(std::size_t i) const {
    const auto& checkers = config.servers[i].checkers_up;
    return std::find(checkers.begin(), checkers.end(), false) == checkers.end();
  }
  [[nodiscard]] std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < config.servers.size(); ++i) all += up(i) ? config.servers[i].weight : 0;
    return all;
  }
  void vote() {
    if (!has_quorum_ && sum() >= quorum() + hysteresis()) {
      has_quorum_ = true;
    } else if (has_quorum_ && (sum() == 0 || sum() < quorum() - hysteresis())) {
      has_quorum_ = false;
    }
  }
  void compare(const Pool& pool, const Table& table) const {
    const bool sorry = config.has_sorry_server && !has_quorum_;
    EXPECT_EQ(pool.sorry_server_serves(), sorry);
    EXPECT_EQ(table.sorry.value_or(0), sorry ? 1u : 0u);
    EXPECT_EQ(table.sorry.has_value(), sorry || (config.has_sorry_server && config.sorry_server_inhibit));
    std::map<std::size_t, std::uint32_t> expected;
    for (std::size_t i = 0; i < config.servers.size(); ++i) {
      const PoolServer& server = config.servers[i];
      const bool serving = up(i) && !sorry;
      if (serving || server.inhibit_on_failure) expected[i] = serving ? server.weight : 0;
      EXPECT_EQ(pool.is_up(i), up(i));
      EXPECT_EQ(pool.in_table(i), expected.contains(i));
      EXPECT_EQ(pool.table_weight(i), serving ? server.weight : 0);
    }
    EXPECT_EQ(table.servers, expected);
  }

  PoolConfig config;  // checkers_up and weights are as they are now

 private:
  [[nodiscard]] std::uint64_t quorum() const { return std::max(config.quorum, 1u); }
  [[nodiscard]] std::uint64_t hysteresis() const { return std::min<std::uint64_t>(config.hysteresis, quorum() - 1); }

  bool has_quorum_;
};

class Random {
 public:
  Random() : seed_(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())) {
    fmt::print("seed {}\n", seed_);
  }
  [[nodiscard]] std::string seed() const { return fmt::format("seed {}", seed_); }
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine_); }

  PoolServer server() {
    PoolServer one{static_cast<std::uint32_t>(below(4) + 1), below(3) == 0, {}};
    for (std::size_t c = below(3); c > 0; --c) one.checkers_up.push_back(below(2) == 0);
    return one;
  }
  PoolConfig config() {
    PoolConfig config;
    for (std::size_t n = below(7); n > 0; --n) config.servers.push_back(server());
    config.quorum = static_cast<std::uint32_t>(below(6));
    config.hysteresis = static_cast<std::uint32_t>(below(4));
    config.has_sorry_server = below(2) == 0;
    config.sorry_server_inhibit = below(3) == 0;
    return config;
  }
  /// Some servers stay, in any order and changed or not, some go, some come.
  PoolReload reload(const PoolConfig& before) {
    PoolReload change{.config = config(), .was = {}, .same_sorry_server = below(2) == 0};
    std::vector<std::size_t> old(before.servers.size());
    std::iota(old.begin(), old.end(), std::size_t{0});
    std::shuffle(old.begin(), old.end(), engine_);
    for (PoolServer& one : change.config.servers) {
      if (old.empty() || below(3) == 0) {
        change.was.push_back(PoolReload::is_new);
        continue;
      }
      change.was.push_back(old.back());
      if (below(3) != 0) one = before.servers[old.back()];
      old.pop_back();
    }
    return change;
  }

 private:
  std::uint64_t seed_;
  std::mt19937_64 engine_{seed_};
};

TEST(Pool, TableIsAFunctionOfState) {
  Random random;
  SCOPED_TRACE(random.seed());
  for (int round = 0; round < 500 && !testing::Test::HasFailure(); ++round) {
    Model model(random.config());
    Pool pool(model.config);
    Table table;
    table.notified.assign(model.config.servers.size(), 0);
    table.apply(pool.start());
    for (int step = 0; step < 60 && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE(fmt::format("round {} step {}", round, step));
      if (step > 0 && random.below(6) == 0) {
        const PoolReload change = random.reload(model.config);
        const auto [leaving, staying] = pool.reload(change);
        table.apply(leaving);
        Table by_new_index;
        by_new_index.sorry = table.sorry;
        for (std::size_t i = 0; i < change.was.size(); ++i) {
          const bool is_new = change.was[i] == PoolReload::is_new;
          by_new_index.notified.push_back(is_new ? 0 : table.notified[change.was[i]]);
          if (is_new) continue;
          if (const auto in = table.servers.extract(change.was[i])) by_new_index.servers[i] = in.mapped();
        }
        EXPECT_TRUE(table.servers.empty()) << "what is gone is out before anything else changes";
        table = std::move(by_new_index);
        table.apply(staying);
        model.config = change.config;
        model.vote();
      } else if (step > 0 && !model.config.servers.empty()) {
        const std::size_t i = random.below(model.config.servers.size());
        PoolServer& server = model.config.servers[i];
        if (server.checkers_up.empty() || random.below(5) == 0) {
          server.weight = static_cast<std::uint32_t>(random.below(5));
          table.apply(pool.on_weight(i, server.weight));
        } else {
          const std::size_t c = random.below(server.checkers_up.size());
          server.checkers_up[c] = random.below(2) == 0;
          table.apply(pool.on_checker(i, c, server.checkers_up[c], false));
        }
        model.vote();
      }
      model.compare(pool, table);
    }
  }
}

/// A reload, and what it does beside the table's contents.
struct ReloadRow {
  std::string name;
  PoolConfig before;
  std::vector<std::size_t> down;  ///< servers that are down by then
  PoolReload change;
  std::string leaving;
  std::string staying;
};

TEST(Pool, ReloadsRowByRow) {
  constexpr std::size_t is_new = PoolReload::is_new;
  const std::vector<ReloadRow> reload_rows = {
      {"the same again does nothing",
       {.servers = {server(), server()}},
       {},
       {{.servers = {server(), server()}}, {0, 1}},
       "",
       ""},
      {"another order does nothing",
       {.servers = {server(1), server(2)}},
       {},
       {{.servers = {server(2), server(1)}}, {1, 0}},
       "",
       ""},
      {"a server that is gone notifies down, and goes before the new one comes",
       {.servers = {server(), server()}},
       {},
       {{.servers = {server(), server(4)}}, {1, is_new}},
       "-0 down0",
       "+1/4"},
      {"a server that was down goes without a word",
       {.servers = {server(), server()}},
       {0},
       {{.servers = {server()}}, {1}},
       "",
       ""},
      {"a new alpha server waits",
       {.servers = {server()}},
       {},
       {{.servers = {server(), alpha(server())}}, {0, is_new}},
       "",
       ""},
      {"rs_init_notifies tells of a new server",
       {.servers = {server()}},
       {},
       {{.servers = {server(), server()}, .notify_up_at_start = true}, {0, is_new}},
       "",
       "+1/1 up1"},
      {"a weight changes, of a server that is down in silence",
       {.servers = {server(), server()}},
       {1},
       {{.servers = {server(3), alpha(server(5))}}, {0, 1}},
       "",
       "weight0:1>3 =0/3 weight1:1>5(inactive)"},
      {"a server whose failing checker is gone comes back",
       {.servers = {server(), server()}},
       {0},
       {{.servers = {{1, false, {}}, server()}}, {0, 1}},
       "",
       "+0/1 up0"},
      {"inhibit_on_failure puts a failed server back with weight 0, and takes it out again",
       {.servers = {server(), server()}},
       {0},
       {{.servers = {alpha(inhibited()), server()}}, {0, 1}},
       "",
       "+0/0"},
      {"quorum is lost by a higher number",
       {.servers = {server(), server()}, .has_sorry_server = true},
       {},
       {{.servers = {server(), server()}, .quorum = 3, .has_sorry_server = true}, {0, 1}},
       "",
       "without(3-0>2) +S/1 -0 -1"},
      {"quorum is gained by a new server",
       {.servers = {server()}, .quorum = 2, .has_sorry_server = true},
       {},
       {{.servers = {server(), server()}, .quorum = 2, .has_sorry_server = true}, {0, is_new}},
       "",
       "with(2+0<=2) -S +0/1 +1/1"},
      {"the sorry server that serves is gone: the servers that are up serve again",
       {.servers = {server(), server()}, .quorum = 2, .has_sorry_server = true},
       {0},
       {{.servers = {alpha(server()), server()}, .quorum = 2}, {0, 1}},
       "-S",
       "+1/1"},
      {"a sorry server that is new while quorum is lost stands in",
       {.servers = {server(), server()}, .quorum = 2},
       {0},
       {{.servers = {alpha(server()), server()}, .quorum = 2, .has_sorry_server = true}, {0, 1}},
       "",
       "without(2-0>1) +S/1 -1"},
      {"another sorry server takes the place of the one that serves",
       {.servers = {server()}, .has_sorry_server = true},
       {0},
       {{.servers = {alpha(server())}, .has_sorry_server = true}, {0}, false},
       "-S",
       "without(1-0>0) +S/1"},
      {"all servers are gone",
       {.servers = {server(), server()}},
       {},
       {{.servers = {}}, {}},
       "-0 down0 -1 down1",
       "without(1-0>0)"},
  };
  for (const ReloadRow& row : reload_rows) {
    SCOPED_TRACE(row.name);
    Pool pool(row.before);
    static_cast<void>(pool.start());
    for (const std::size_t i : row.down) static_cast<void>(pool.on_checker(i, 0, false, true));
    const auto [leaving, staying] = pool.reload(row.change);
    EXPECT_EQ(words(leaving), row.leaving);
    EXPECT_EQ(words(staying), row.staying);
  }
}

}  // namespace
}  // namespace sluice::health
