#include "control/pools/diff.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "control/pools/service_name.h"
#include "control/pools/test_pools.h"

namespace sluice::control {
namespace {

/// What a list of virtual servers says, without order: the model that changes are carried out on, one by one.
class Model {
 public:
  explicit Model(const PoolList& pools) {
    for (const PoolSpec& pool : pools) add(pool);
  }

  void apply(const Change& change, const PoolList& old, const PoolList& next) {
    std::visit(Apply{*this, old, next}, change);
  }

  bool operator==(const Model&) const = default;

 private:
  struct Pool {
    std::map<VirtualServiceKey, VirtualServiceSpec> services;
    std::map<DestinationKey, RealServerSpec> servers;
    PoolSpec rest;  // without the two above
    bool operator==(const Pool&) const = default;
  };

  void add(const PoolSpec& spec) {
    Pool pool;
    for (const VirtualServiceSpec& service : spec.services)
      EXPECT_TRUE(pool.services.emplace(service.key, service).second);
    for (const RealServerSpec& server : spec.servers) {
      EXPECT_TRUE(pool.servers.emplace(server.destination.key, server).second);
    }
    pool.rest = spec;
    pool.rest.services.clear();
    pool.rest.servers.clear();
    EXPECT_TRUE(pools_.emplace(pool_name(spec), std::move(pool)).second);
  }

  struct Apply {
    Model& model;
    const PoolList& old;
    const PoolList& next;

    Pool& pool(std::size_t was) const { return model.pools_.at(pool_name(old[was])); }

    void operator()(const PoolRemoved& change) const { EXPECT_EQ(model.pools_.erase(pool_name(old[change.was])), 1u); }
    void operator()(const PoolAdded& change) const { model.add(next[change.is]); }
    void operator()(const ServiceRemoved& change) const {
      EXPECT_EQ(pool(change.was).services.erase(old[change.was].services[change.service].key), 1u);
    }
    void operator()(const ServiceAdded& change) const {
      const VirtualServiceSpec& service = next[change.is].services[change.service];
      EXPECT_TRUE(pool(change.was).services.emplace(service.key, service).second);
    }
    void operator()(const ServiceChanged& change) const {
      const VirtualServiceSpec& service = next[change.is].services[change.service_is];
      VirtualServiceSpec& known = pool(change.was).services.at(service.key);
      EXPECT_NE(known, service) << "nothing changed";
      EXPECT_EQ(known, old[change.was].services[change.service_was]);
      known = service;
    }
    void operator()(const ServerRemoved& change) const {
      EXPECT_EQ(pool(change.was).servers.erase(old[change.was].servers[change.server].destination.key), 1u);
    }
    void operator()(const ServerAdded& change) const {
      const RealServerSpec& server = next[change.is].servers[change.server];
      EXPECT_TRUE(pool(change.was).servers.emplace(server.destination.key, server).second);
    }
    void operator()(const ServerChanged& change) const {
      const RealServerSpec& server = next[change.is].servers[change.server_is];
      RealServerSpec& known = pool(change.was).servers.at(server.destination.key);
      EXPECT_NE(known, server) << "nothing changed";
      EXPECT_EQ(known, old[change.was].servers[change.server_was]);
      known = server;
    }
    void operator()(const SorryServerChanged& change) const {
      PoolSpec& rest = pool(change.was).rest;
      const PoolSpec before = rest;
      rest.sorry_server = next[change.is].sorry_server;
      rest.sorry_server_inhibit = next[change.is].sorry_server_inhibit;
      EXPECT_NE(rest, before) << "nothing changed";
    }
    void operator()(const QuorumChanged& change) const {
      PoolSpec& rest = pool(change.was).rest;
      const PoolSpec before = rest;
      rest.quorum = next[change.is].quorum;
      rest.hysteresis = next[change.is].hysteresis;
      EXPECT_NE(rest, before) << "nothing changed";
    }
    void operator()(const NoticesChanged& change) const {
      PoolSpec& rest = pool(change.was).rest;
      const PoolSpec before = rest;
      const PoolSpec& is = next[change.is];
      rest.protocol = is.protocol;
      rest.quorum_up = is.quorum_up;
      rest.quorum_down = is.quorum_down;
      rest.notify_up_at_start = is.notify_up_at_start;
      rest.notify_down_at_stop = is.notify_down_at_stop;
      rest.mails_quorum = is.mails_quorum;
      rest.ha_suspend = is.ha_suspend;
      EXPECT_NE(rest, before) << "nothing changed";
    }
    void operator()(const ServersReordered&) const {}
  };

  std::map<std::string, Pool> pools_;
};

TEST(DiffProperty, CarriedOutOnTheOldListGivesTheNewOneAndNothingElseIsTouched) {
  RandomPools random;
  SCOPED_TRACE(random.seed());
  for (int round = 0; round < 2000 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    const auto before = random.pools();
    const PoolList old(before), next(random.changed(before));
    const Diff difference = diff(old, next);
    Model model(old);
    for (const Change& change : difference.changes) {
      model.apply(change, old, next);
      EXPECT_FALSE(text(change, old, next).empty());
    }
    EXPECT_EQ(model, Model(next));
    std::set<std::string> lines;
    for (const Change& change : difference.changes) {
      EXPECT_TRUE(lines.insert(text(change, old, next)).second) << "said twice: " << text(change, old, next);
    }
  }
}

TEST(DiffProperty, OfAListWithItselfIsEmptyInWhateverOrder) {
  RandomPools random;
  SCOPED_TRACE(random.seed());
  for (int round = 0; round < 200; ++round) {
    const auto old = random.pools();
    auto next = old;
    EXPECT_TRUE(diff(old, next).changes.empty());
    EXPECT_TRUE(diff(old, next).changed.empty());
    std::shuffle(next.begin(), next.end(), random.engine());
    EXPECT_TRUE(diff(old, next).changes.empty());
    for (std::size_t i = 0; i < next.size(); ++i) EXPECT_EQ(old[diff(old, next).was[i]], next[i]);
  }
}

// Equal fingerprints for equal values, others for others, whatever field it is.
TEST(PoolListProperty, IsEqualWherePoolsAre) {
  RandomPools random;
  SCOPED_TRACE(random.seed());
  for (int round = 0; round < 500; ++round) {
    const std::vector<PoolSpec> a{random.pool(round % 8)};
    std::vector<PoolSpec> b = a;
    EXPECT_TRUE(PoolList(a).is_equal(0, PoolList(b), 0));
    const auto differs = [&] { return !PoolList(a).is_equal(0, PoolList(b), 0) || a == b; };
    b[0] = random.pool(round % 8);
    EXPECT_TRUE(differs());
    b = a;
    b[0].services[0].sh_port = true;
    EXPECT_TRUE(differs());
    b = a;
    b[0].hysteresis += 1;
    EXPECT_TRUE(differs());
    b = a;
    b[0].notify_up_at_start = true;
    EXPECT_TRUE(differs());
    b = a;
    b[0].quorum_down = ScriptSpec{.argv = {"x"}};
    b[0].quorum_up = b[0].quorum_down;
    EXPECT_TRUE(differs());
    if (a[0].servers.empty()) continue;
    b = a;
    b[0].servers[0].destination.lower_threshold = 1;
    EXPECT_TRUE(differs());
    b = a;
    health::CheckerSpec checker;
    checker.warmup = std::chrono::milliseconds{1};
    b[0].servers.back().checkers = {{checker}};
    EXPECT_TRUE(differs());
    auto c = b;
    checker.what = health::PingCheckSpec{};
    c[0].servers.back().checkers = {{checker}};
    EXPECT_FALSE(PoolList(c).is_equal(0, PoolList(b), 0));
  }
}

TEST(Diff, ManyInAnotherOrderAreStillMatched) {
  RandomPools random;
  SCOPED_TRACE(random.seed());
  std::vector<PoolSpec> old;
  for (unsigned i = 0; i < 3000; ++i) {
    old.push_back(random.pool(0));
    old.back().services[0].key.address = net::Ipv4Addr::from_host(0x0a000000 + i);
  }
  auto next = old;
  std::shuffle(next.begin(), next.end(), random.engine());
  EXPECT_TRUE(diff(old, next).changes.empty());
}

TEST(Diff, OfEqualsTheFirstIsTheFirst) {
  RandomPools random;
  SCOPED_TRACE(random.seed());
  const PoolSpec pool = random.pool(0);
  const std::vector<PoolSpec> twice{pool, pool};
  const std::vector<PoolSpec> once{pool};
  EXPECT_TRUE(diff(twice, twice).changes.empty());
  EXPECT_EQ(diff(twice, once).changes, (std::vector<Change>{PoolRemoved{1}}));
  EXPECT_EQ(diff(once, twice).changes, (std::vector<Change>{PoolAdded{1}}));
}

// --- in words

PoolSpec web() {
  PoolSpec spec;
  spec.services = {{.key = {net::Protocol::tcp, net::Ipv4Addr::of(10, 0, 0, 1), net::L4Port::of(80)}}};
  for (const std::uint8_t last : {std::uint8_t{11}, std::uint8_t{12}}) {
    RealServerSpec server;
    server.destination.key = {net::Ipv4Addr::of(10, 0, 2, last), net::L4Port::of(80)};
    spec.servers.push_back(server);
  }
  return spec;
}

std::vector<std::string> lines(const PoolSpec& old, const PoolSpec& next) {
  const PoolList a(std::vector<PoolSpec>{old}), b(std::vector<PoolSpec>{next});
  std::vector<std::string> list;
  for (const Change& change : diff(a, b).changes) list.push_back(text(change, a, b));
  return list;
}

using Lines = std::vector<std::string>;

TEST(DiffText, NamesWhatChangesAndHow) {
  PoolSpec next = web();
  next.services[0].scheduler = "sh";
  next.services[0].sh_port = true;
  next.servers[0].destination.weight = 3;
  next.servers[0].destination.upper_threshold = 100;
  next.servers[0].inhibit_on_failure = true;
  next.servers[0].mails = ServerMails::changes;
  next.servers[0].checkers = {{health::CheckerSpec{}}};
  next.servers[1].destination.key.port = net::L4Port::of(81);
  next.servers[1].destination.method = ForwardingMethod::tunnel;
  next.sorry_server = DestinationSpec{.key = {net::Ipv4Addr::of(127, 0, 0, 1), net::L4Port::of(80)}};
  next.quorum = 2;
  next.quorum_up = ScriptSpec{.argv = {"up"}};
  next.notify_down_at_stop = true;
  next.mails_quorum = true;
  EXPECT_EQ(lines(web(), next),
            (Lines{"~ virtual server [10.0.0.1]:tcp:80: scheduler wlc -> sh, sh-port on",
                   "- real server [10.0.2.12]:tcp:80 of [10.0.0.1]:tcp:80",
                   "~ real server [10.0.2.11]:tcp:80 of [10.0.0.1]:tcp:80: weight 1 -> 3, uthreshold 0 -> 100, "
                   "inhibit_on_failure on, smtp_alert changed, checkers changed",
                   "+ real server [10.0.2.12]:tcp:81 of [10.0.0.1]:tcp:80 (Tunnel, weight 1)",
                   "~ virtual server [10.0.0.1]:tcp:80: sorry server none -> [127.0.0.1]:tcp:80 (Masq)",
                   "~ virtual server [10.0.0.1]:tcp:80: quorum 1, hysteresis 0 -> 2, hysteresis 0",
                   "~ virtual server [10.0.0.1]:tcp:80: quorum scripts changed, omega on, smtp_alert on"}));
}

TEST(DiffText, NamesWholeVirtualServersAndEntriesOfGroups) {
  PoolSpec marked = web();
  marked.services[0].key = VirtualServiceKey::of_mark(5);
  EXPECT_EQ(lines(web(), marked),
            (Lines{"- virtual server [10.0.0.1]:tcp:80", "+ virtual server FWM 5 (wlc, 2 real servers)"}));
  PoolSpec group = web();
  group.group = "[web]:0";
  PoolSpec moved = group;
  moved.services = {marked.services[0]};
  EXPECT_EQ(lines(group, moved), (Lines{"- entry [10.0.0.1]:tcp:80 of [web]:0", "+ entry FWM 5 of [web]:0"}));
}

TEST(DiffText, SaysThatAnotherOrderIsNoChangeOfTheTable) {
  PoolSpec next = web();
  std::swap(next.servers[0], next.servers[1]);
  EXPECT_EQ(lines(web(), next),
            (Lines{"~ virtual server [10.0.0.1]:tcp:80: real servers in another order (the table keeps its own)"}));
}

}  // namespace
}  // namespace sluice::control
