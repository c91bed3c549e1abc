#include "control/pools/from_config.h"

#include <gtest/gtest.h>

#include "control/pools/served.h"

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

config::Config one_server_config() {
  config::HttpGet http;
  http.connect_ip.write(net::Ipv4Addr::of(10, 0, 2, 11));
  http.connect_port.write(net::L4Port::of(8080));
  http.source.ensure().address = net::Ipv4Addr::of(10, 0, 2, 1);
  http.source->port = net::L4Port::of(4000);
  http.source->interface = "eth7";
  http.source->fwmark = 9;
  http.connect_timeout.write(2500us);
  http.retry.write(4);
  http.delay_before_retry.write(2s);
  http.delay_loop.write(6s);
  http.warmup.write(1s);
  http.alpha.write(true);
  http.log_all_failures.write(true);
  http.urls.resize(2);
  http.urls[0].path = "/a";
  http.urls[0].statuses = {{200, 204}};
  http.urls[0].digest = "d41d8cd98f00b204e9800998ecf8427e";
  http.urls[0].virtualhost.write("www.example.org");
  http.urls[1].path = "/b";
  http.urls[1].statuses = {{200, 299}};
  http.http_protocol = config::HttpProtocol::http_1_1;
  http.fast_recovery = true;

  config::RealServer real;
  real.address = net::Ipv4Addr::of(10, 0, 2, 11);
  real.port = net::L4Port::of(80);
  real.weight.write(3);
  real.forwarding.value.method = ForwardingMethod::tunnel;
  real.inhibit_on_failure.write(true);
  real.upper_threshold = 9;
  config::TcpCheck tcp;
  static_cast<config::NetworkCheck&>(tcp) = http;
  real.checkers = {http, tcp};

  config::VirtualServer server;
  server.key = {net::Protocol::tcp, net::Ipv4Addr::of(10, 0, 0, 1), net::L4Port::of(80)};
  server.scheduler.write("sh");
  server.sh_fallback = true;
  server.quorum = 3;
  server.hysteresis = 2;
  server.omega = true;
  config::SorryServer sorry;
  sorry.endpoint = {net::Ipv4Addr::of(127, 0, 0, 1), net::L4Port::of(81)};
  sorry.inhibit = true;
  server.sorry_server = sorry;
  server.real_servers = {real};
  config::Config config;
  config.virtual_servers = {server};
  return config;
}

config::Script script(std::vector<std::string> argv, unsigned line = 0) {
  config::Script one;
  one.position.file = std::make_shared<const std::string>("sluice.conf");
  one.position.line = line;
  one.position.column = 3;
  one.argv = std::move(argv);
  return one;
}

TEST(FromConfig, KeepsEveryValueOfTheFile) {
  const auto [pools, complaints] = pools_from(one_server_config());
  EXPECT_TRUE(complaints.empty());
  ASSERT_EQ(pools.size(), 1u);
  const PoolSpec& pool = pools[0];
  EXPECT_EQ(pool.services[0].scheduler, "sh");
  EXPECT_TRUE(pool.services[0].sh_fallback);
  EXPECT_FALSE(pool.services[0].sh_port);
  EXPECT_EQ(pool.services[0].key.port.host(), 80);
  EXPECT_EQ(pool.quorum, 3u);
  EXPECT_EQ(pool.hysteresis, 2u);
  EXPECT_TRUE(pool.notify_down_at_stop);
  ASSERT_TRUE(pool.sorry_server);
  EXPECT_EQ(pool.sorry_server->key.port.host(), 81);
  EXPECT_EQ(pool.sorry_server->weight, 1u);
  EXPECT_TRUE(pool.sorry_server_inhibit);

  ASSERT_EQ(pool.servers.size(), 1u);
  const RealServerSpec& real = pool.servers[0];
  EXPECT_EQ(real.destination.weight, 3u);
  EXPECT_EQ(real.destination.method, ForwardingMethod::tunnel);
  EXPECT_EQ(real.destination.upper_threshold, 9u);
  EXPECT_TRUE(real.inhibit_on_failure);

  ASSERT_EQ(real.checkers.size(), 2u);
  const CheckerSetup& setup = real.checkers[0];
  EXPECT_TRUE(setup.log_all_failures);
  EXPECT_FALSE(setup.spec->starts_up);
  EXPECT_EQ(setup.spec->warmup, 1s);
  EXPECT_EQ(setup.spec->timings, (health::RetryTimings{6s, 2s, 4}));
  const auto& http = std::get<health::HttpGetSpec>(setup.spec->what);
  EXPECT_EQ(http.connect.timeout, 3ms) << "rounded up, so that it can't become 0";
  EXPECT_EQ(http.connect.bind_address, net::IpAddr(net::Ipv4Addr::of(10, 0, 2, 1)));
  EXPECT_EQ(http.connect.bind_port.host(), 4000);
  EXPECT_EQ(http.connect.bind_interface, "eth7");
  EXPECT_EQ(http.connect.mark, 9u);
  EXPECT_EQ(http.connect.port.host(), 8080);
  EXPECT_EQ(http.version, health::HttpVersion::http_1_1);
  EXPECT_TRUE(http.fast_recovery);
  ASSERT_EQ(http.urls.size(), 2u);
  EXPECT_EQ(http.urls[0].virtual_host, "www.example.org");
  EXPECT_EQ(http.urls[0].status_codes, (std::vector<health::StatusRange>{{200, 204}}));
  EXPECT_EQ(health::to_string(*http.urls[0].digest), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_FALSE(http.urls[1].digest);
  EXPECT_EQ(std::get<health::TcpCheckSpec>(real.checkers[1].spec->what).connect, http.connect);
}

TEST(FromConfig, ScriptsThatCannotRunAreLeftOutWithTheirPlace) {
  config::Config config = one_server_config();
  config::VirtualServer& server = config.virtual_servers[0];
  server.quorum_up = script({"/nonexistent/up.sh"}, 7);
  server.quorum_down = script({"/bin/true", "x"});
  server.real_servers[0].notify_up = script({"/bin/true"}, 9);
  server.real_servers[0].notify_up->user = "no-such-user";
  server.real_servers[0].notify_down = script({"/bin/true"});
  server.real_servers[0].notify_down->user = "root";
  const auto [pools, complaints] = pools_from(config);
  EXPECT_FALSE(pools[0].quorum_up);
  ASSERT_TRUE(pools[0].quorum_down);
  EXPECT_EQ(pools[0].quorum_down->argv, (std::vector<std::string>{"/bin/true", "x"}));
  EXPECT_FALSE(pools[0].servers[0].notify_up);
  ASSERT_TRUE(pools[0].servers[0].notify_down);
  EXPECT_EQ(pools[0].servers[0].notify_down->user->uid, 0u);
  ASSERT_EQ(complaints.size(), 2u);
  EXPECT_EQ(complaints[0].text(), "sluice.conf:9:3: script disabled: user no-such-user: doesn't exist");
  EXPECT_EQ(complaints[1].text(), "sluice.conf:7:3: script disabled: /nonexistent/up.sh: No such file or directory");
}

TEST(FromConfig, ScriptUserOfTheFileIsTheDefault) {
  config::Config config = one_server_config();
  config.global.script_user = "nobody";
  config.virtual_servers[0].quorum_down = script({"/bin/true"});
  const auto pools = pools_from(config).pools;
  ASSERT_TRUE(pools[0].quorum_down && pools[0].quorum_down->user);
  EXPECT_NE(pools[0].quorum_down->user->uid, 0u);
}

std::vector<std::string> texts(const std::vector<Error>& complaints) {
  std::vector<std::string> all;
  for (const Error& complaint : complaints) all.push_back(complaint.what);
  return all;
}

TEST(FromConfig, WhatCannotBeServedIsSaidOncePerVirtualServer) {
  using Strings = std::vector<std::string>;
  const auto complaints_of = [](auto change) {
    config::Config config = one_server_config();
    change(config.virtual_servers[0]);
    const PoolsFromConfig result = pools_from(config);
    EXPECT_TRUE(result.pools.empty());
    EXPECT_FALSE(serves_any(config));
    return texts(result.complaints);
  };
  EXPECT_EQ(complaints_of([](config::VirtualServer& server) { server.key.protocol = net::Protocol::sctp; }),
            (Strings{"virtual server 10.0.0.1:80 isn't served: SCTP isn't forwarded yet"}));
  EXPECT_EQ(complaints_of([](config::VirtualServer& server) { server.key.port = {}; }),
            (Strings{"virtual server 10.0.0.1:0 isn't served: a virtual server without port isn't built yet"}));
  EXPECT_EQ(complaints_of([](config::VirtualServer& server) { server.key.address = *net::IpAddr::parse("fd00::1"); }),
            (Strings{"virtual server [fd00::1]:80 isn't served: IPv6 isn't forwarded yet"}));
  EXPECT_EQ(complaints_of([](config::VirtualServer& server) {
              server.real_servers[0].forwarding.value.tunnel = config::TunnelType::gre;
            }),
            (Strings{"virtual server 10.0.0.1:80 isn't served: no real server can be reached: TUN type gre isn't built "
                     "yet"}));
}

TEST(FromConfig, RealServersThatCannotBeReachedDoNotCountForTheQuorum) {
  config::Config config = one_server_config();
  config::VirtualServer& server = config.virtual_servers[0];
  server.real_servers.push_back(server.real_servers[0]);
  server.real_servers[1].forwarding.value.tunnel = config::TunnelType::gue;
  server.quorum = 5;
  const PoolsFromConfig result = pools_from(config);
  ASSERT_EQ(result.pools.size(), 1u);
  EXPECT_EQ(result.pools[0].servers.size(), 1u);
  EXPECT_EQ(result.pools[0].quorum, 3u);
  EXPECT_EQ(texts(result.complaints),
            (std::vector<std::string>{"real server 10.0.2.11 is left out: TUN type gue isn't built yet"}));
}

TEST(FromConfig, AGroupIsOnePoolWithAServicePerEntry) {
  config::Config config = one_server_config();
  config::VirtualServerGroup group;
  group.name = "web";
  config::GroupEntry entry;
  entry.form = config::GroupEntry::Form::last_part;
  entry.first = net::Ipv4Addr::of(10, 0, 0, 1);
  entry.last = net::Ipv4Addr::of(10, 0, 0, 3);
  entry.port = net::L4Port::of(80);
  group.entries = {entry};
  config.virtual_server_groups = {group};
  config::VirtualServer& server = config.virtual_servers[0];
  server.kind = config::VirtualServerKind::group;
  server.group = "web";
  config.virtual_servers.push_back(server);
  const PoolsFromConfig result = pools_from(config);
  ASSERT_EQ(result.pools.size(), 2u);
  ASSERT_EQ(result.pools[0].services.size(), 3u);
  EXPECT_EQ(result.pools[0].services[2].key.text(), "TCP 10.0.0.3:80");
  EXPECT_EQ(result.pools[0].services[2].scheduler, "sh");
  EXPECT_EQ(result.pools[0].group, "[web]:0");
  EXPECT_EQ(result.pools[1].group, "[web]:1");
  EXPECT_TRUE(result.complaints.empty());

  config::GroupEntry mark;
  mark.form = config::GroupEntry::Form::fwmark;
  mark.fwmark = 7;
  config.virtual_server_groups[0].entries.push_back(mark);
  config.virtual_servers.pop_back();
  const PoolsFromConfig mixed = pools_from(config);
  ASSERT_EQ(mixed.pools.at(0).services.size(), 4u);
  EXPECT_EQ(mixed.pools[0].services[3].key, VirtualServiceKey::of_mark(7));
  EXPECT_EQ(texts(mixed.complaints),
            (std::vector<std::string>{"virtual server group web gets no packets of FWM 7: marks of netfilter don't "
                                      "reach the engine, expected 'fwmark 7 destination PREFIX ...' in dataplane { "
                                      "classify { } }"}));
  config.dataplane.classify.emplace_back().mark = 7;
  EXPECT_TRUE(pools_from(config).complaints.empty());
}

TEST(FromConfig, SchedulersThatAreNotBuiltBecomeWlc) {
  config::Config config = one_server_config();
  config.virtual_servers[0].scheduler.write("mh");
  const PoolsFromConfig result = pools_from(config);
  EXPECT_EQ(result.pools[0].services[0].scheduler, "wlc");
  EXPECT_EQ(texts(result.complaints),
            (std::vector<std::string>{"virtual server 10.0.0.1:80 is served by wlc: scheduler mh isn't built yet"}));
}

TEST(FromConfig, TheFirstFlagsOfShAreItsFallbackAndPort) {
  config::Config config = one_server_config();
  config.virtual_servers[0].sh_fallback = false;
  config.virtual_servers[0].flag_2 = true;
  const PoolsFromConfig result = pools_from(config);
  EXPECT_FALSE(result.pools[0].services[0].sh_fallback);
  EXPECT_TRUE(result.pools[0].services[0].sh_port);
}

TEST(FromConfig, ChecksThatCannotBeRunLeaveAServerUnwatchedAndThatIsSaid) {
  config::Config config = one_server_config();
  config::RealServer& real = config.virtual_servers[0].real_servers[0];
  real.checkers = {config::MiscCheck{}, config::BfdCheck{}};
  const PoolsFromConfig result = pools_from(config);
  EXPECT_TRUE(result.pools[0].servers[0].checkers.empty());
  ASSERT_EQ(result.complaints.size(), 2u);
  EXPECT_TRUE(result.complaints[0].what.starts_with("BFD_CHECK ignored"));
  EXPECT_TRUE(result.complaints[1].what.starts_with("real server 10.0.2.11:80 counts as ALWAYS UP"));
}

}  // namespace
}  // namespace sluice::control
