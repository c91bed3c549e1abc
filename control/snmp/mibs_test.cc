// From the text of a configuration and what is known of it to objects. What is expected is what keepalived 2.2.7 shows
// for the same text.
#include "control/snmp/mibs.h"

#include <gtest/gtest.h>

#include "control/config/parse.h"
#include "control/snmp/snapshot_maker.h"
#include "control/snmp/writes.h"

namespace sluice::control::snmp {
namespace {

constexpr Parts all_parts{true, true, true, true};

config::Config config_of(const std::string& text) {
  auto outcome = config::parse_text(text, "test");
  for (const auto& complaint : outcome.complaints) {
    EXPECT_NE(complaint.severity, config::Severity::error) << complaint.text();
  }
  return std::move(outcome.config);
}

const char* const text_of_all = R"(
global_defs {
    router_id oracle
    smtp_server 127.0.0.1 2525
    notification_email {
        a@example.com
    }
    enable_traps
    lvs_timeouts tcp 800 tcpfin 100 udp 200
    lvs_sync_daemon eth0 VI_1 id 11 maxlen 1400 port 8849 ttl 3 group 224.0.0.82
}
static_ipaddress {
    10.98.5.1/24 brd 10.98.5.255 dev eth0
}
vrrp_script chk {
    script "/usr/bin/no-such x y"
    interval 2
    weight -5 reverse
    rise 2
    fall 3
}
track_file tf {
    file /tmp/tf
    weight 2
}
vrrp_sync_group G1 {
    group {
        VI_1
        VI_2
    }
    sync_group_tracking_weight
}
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 2
    authentication {
        auth_type PASS
        auth_pass s3cret12
    }
    virtual_ipaddress {
        10.98.0.100/24 brd 10.98.0.255 scope link label eth0:1
    }
    virtual_ipaddress_excluded {
        10.98.0.103/24
    }
    virtual_routes {
        10.78.0.0/24 nexthop via 10.98.0.253 dev eth0 weight 2 nexthop via 10.98.0.252 dev eth0 onlink
        blackhole 10.79.0.0/24
    }
    virtual_rules {
        not from 10.83.0.0/24 goto 400 priority 301
    }
    track_interface {
        eth1 weight 5
    }
    track_script {
        chk weight 7
    }
    track_file {
        tf weight 1
    }
    notify_master "/usr/bin/no-such a"
}
vrrp_instance VI_2 {
    interface eth0
    version 3
    virtual_router_id 52
    priority 150
    advert_int 0.5
    nopreempt
    virtual_ipaddress {
        10.98.0.110
    }
}
virtual_server_group GRP {
    10.9.0.110 80
    10.9.2.0/30 81
    10.9.0.111-113 80
    fwmark 7
}
virtual_server 10.9.0.100 80 {
    delay_loop 2.5
    protocol TCP
    lb_algo sh
    lb_kind NAT
    sh-port
    quorum 2
    hysteresis 1
    snmp_name myvs
    retry 2
    sorry_server 10.9.0.1 8099
    real_server 10.9.0.1 8001 {
        weight 2
        uthreshold 100
        inhibit_on_failure
        snmp_name rs1
        TCP_CHECK {
        }
    }
    real_server 10.9.0.1 8002 {
    }
}
virtual_server group GRP {
    lb_algo mh
    lb_kind TUN type gue port 6080 csum
    protocol TCP
    real_server 10.9.0.3 80 {
    }
}
)";

struct Shown {
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<const View> view;

  [[nodiscard]] Cell at(std::initializer_list<std::uint32_t> numbers) const {
    return view->find(keepalived_oid(numbers));
  }
};

Shown shown(std::vector<VirtualServiceStatus> services = {}) {
  Gathered gathered;
  gathered.config = std::make_shared<const config::Config>(config_of(text_of_all));
  gathered.programs = std::make_shared<const std::map<std::string, std::string>>(
      std::map<std::string, std::string>{{"/usr/bin/no-such", "/bin/real"}});
  VirtualRouterStatus one;
  one.name = "VI_1";
  one.state = vrrp::State::master;
  one.effective_priority = 105;
  one.ifindex = 3;
  one.advert_interface = "eth0";
  one.source = net::Ipv4Addr::of(10, 98, 0, 1);
  one.counters.become_master = 4;
  one.master_reason = NewMasterReason::preempted;
  one.held = {.addresses = {true, false}, .interfaces = {"eth0", "eth0"}, .routes = {true, false}, .rules = {true}};
  gathered.vrrp.routers = {one};
  gathered.vrrp.groups = {{"G1", vrrp::State::master, {"VI_1", "VI_2"}}};
  gathered.tracked = {{vrrp::TrackKind::script, "chk", true}, {vrrp::TrackKind::file, "tf", std::nullopt, 42}};
  PoolStatus pool;
  pool.service = {net::Protocol::tcp, net::Ipv4Addr::of(10, 9, 0, 100), net::L4Port::of(80)};
  pool.services = {pool.service};
  pool.name = "[10.9.0.100]:tcp:80";
  pool.has_quorum = false;
  RealServerStatus real;
  real.destination = {.key = {net::Ipv4Addr::of(10, 9, 0, 1), net::L4Port::of(8001)}, .weight = 2};
  real.up = false;
  real.checkers.resize(1);
  real.checkers[0].up = false;
  RealServerStatus other;
  other.destination = {.key = {net::Ipv4Addr::of(10, 9, 0, 1), net::L4Port::of(8002)}, .weight = 1};
  pool.servers = {real, other};
  gathered.pools = {pool};
  gathered.services = std::move(services);
  SnapshotMaker maker("Sluice 1", "host", {});
  Shown result;
  result.snapshot = maker.make(std::move(gathered), {{"eth0", {3, {{2, 0, 0, 0, 0, 1}}}}, {"eth1", {5, {}}}},
                               std::chrono::steady_clock::now());
  result.view = make_view(result.snapshot, all_parts);
  return result;
}

TEST(SnmpMibs, TheDaemonItself) {
  const Shown s = shown();
  EXPECT_EQ(s.at({1, 1, 0}), text("Sluice 1"));
  EXPECT_EQ(s.at({1, 2, 0}), text("oracle"));
  EXPECT_EQ(s.at({1, 3, 1, 0}), integer(1));
  EXPECT_EQ(s.at({1, 3, 2, 0}), text(std::string("\x7f\0\0\x01", 4)));
  EXPECT_EQ(s.at({1, 3, 4, 0}), std::nullopt);
  EXPECT_EQ(s.at({1, 3, 5, 1, 2, 1}), text("a@example.com"));
  EXPECT_EQ(s.at({1, 3, 6, 0}), gauge32(2525));
  EXPECT_EQ(s.at({1, 3, 8, 0}), integer(3)) << "unset";
  EXPECT_EQ(s.at({1, 4, 0}), integer(1));
  EXPECT_EQ(s.at({1, 11, 0}), integer(2));
}

TEST(SnmpMibs, InstancesAndGroups) {
  const Shown s = shown();
  EXPECT_EQ(s.at({2, 1, 1, 3, 1}), integer(2));
  EXPECT_EQ(s.at({2, 2, 1, 2, 1, 2}), text("VI_2"));
  const auto instance = [&](std::uint32_t column, std::uint32_t number) { return s.at({2, 3, 1, column, number}); };
  EXPECT_EQ(instance(4, 1), integer(2));
  EXPECT_EQ(instance(5, 1), integer(2));
  EXPECT_EQ(instance(7, 1), integer(100));
  EXPECT_EQ(instance(8, 1), integer(105));
  EXPECT_EQ(instance(9, 1), integer(2)) << "one address isn't set";
  EXPECT_EQ(instance(12, 1), gauge32(2)) << "seconds";
  EXPECT_EQ(instance(12, 2), gauge32(50)) << "hundredths";
  EXPECT_EQ(instance(13, 2), integer(2));
  EXPECT_EQ(instance(15, 1), integer(1));
  EXPECT_EQ(instance(16, 1), integer(1));
  EXPECT_EQ(instance(17, 1), text("eth0"));
  EXPECT_EQ(instance(17, 2), std::nullopt);
  EXPECT_EQ(instance(18, 2), text("G1"));
  EXPECT_EQ(instance(21, 1), integer(1));
  EXPECT_EQ(instance(22, 1), text("'/bin/real' 'a'")) << "where the link leads";
  EXPECT_EQ(instance(27, 1), integer(0));
  EXPECT_EQ(instance(27, 2), integer(1));
  EXPECT_EQ(instance(4, 2), integer(0)) << "nothing is known of it";
}

TEST(SnmpMibs, AddressesRoutesAndRules) {
  const Shown s = shown();
  EXPECT_EQ(s.at({2, 6, 1, 3, 0, 1})->octets.size(), 4u);
  EXPECT_EQ(s.at({2, 6, 1, 6, 1, 1}), integer(2)) << "linkLocal";
  EXPECT_EQ(s.at({2, 6, 1, 6, 1, 2}), integer(14)) << "global";
  EXPECT_EQ(s.at({2, 6, 1, 7, 1, 1}), integer(3));
  EXPECT_EQ(s.at({2, 6, 1, 9, 1, 1}), text("eth0:1"));
  EXPECT_EQ(s.at({2, 6, 1, 10, 1, 1}), integer(1));
  EXPECT_EQ(s.at({2, 6, 1, 10, 1, 2}), integer(2));
  EXPECT_EQ(s.at({2, 6, 1, 11, 1, 1}), integer(1));
  EXPECT_EQ(s.at({2, 6, 1, 11, 1, 2}), integer(2)) << "excluded";
  EXPECT_EQ(s.at({2, 7, 1, 10, 1, 1}), integer(2)) << "ecmp";
  EXPECT_EQ(s.at({2, 7, 1, 10, 1, 2}), integer(3)) << "blackhole";
  EXPECT_EQ(s.at({2, 7, 1, 14, 1, 2}), integer(2));
  EXPECT_EQ(s.at({2, 7, 1, 18, 1, 1}), integer(19));
  EXPECT_EQ(s.at({2, 8, 1, 2, 1, 1}), text("from"));
  EXPECT_EQ(s.at({2, 8, 1, 8, 1, 1}), integer(1));
  EXPECT_EQ(s.at({2, 8, 1, 22, 1, 1}), gauge32(400));
  EXPECT_EQ(s.at({2, 8, 1, 24, 1, 1}), std::nullopt);
  EXPECT_EQ(s.at({2, 11, 1, 6, 1, 1, 1}), gauge32(2));
  EXPECT_EQ(s.at({2, 11, 1, 6, 1, 1, 2}), std::nullopt);
  EXPECT_EQ(s.at({2, 11, 1, 7, 1, 1, 2}), integer(1));
}

TEST(SnmpMibs, WhatIsTracked) {
  const Shown s = shown();
  EXPECT_EQ(s.at({2, 4, 1, 1, 1, 1}), text("eth1")) << "numbered, whatever the interface's index is";
  EXPECT_EQ(s.at({2, 4, 1, 2, 1, 1}), integer(5));
  EXPECT_EQ(s.at({2, 5, 1, 3, 1, 1}), integer(7));
  EXPECT_EQ(s.at({2, 9, 1, 3, 1}), text("'/bin/real' 'x' 'y'"));
  EXPECT_EQ(s.at({2, 9, 1, 5, 1}), integer(-5));
  EXPECT_EQ(s.at({2, 9, 1, 6, 1}), integer(3)) << "good";
  EXPECT_EQ(s.at({2, 9, 1, 9, 1}), integer(1));
  EXPECT_EQ(s.at({2, 12, 1, 3, 1, 1}), integer(1)) << "the instance's weight, not the file's";
  EXPECT_EQ(s.at({2, 13, 1, 4, 1}), integer(42));
  EXPECT_EQ(s.at({2, 13, 1, 5, 1}), integer(2));
}

TEST(SnmpMibs, VirtualAndRealServersTheSorryServerFirst) {
  const Shown s = shown();
  const auto server = [&](std::uint32_t column, std::uint32_t number) { return s.at({3, 4, 1, column, 1, number}); };
  EXPECT_EQ(s.at({3, 3, 1, 2, 1}), integer(2));
  EXPECT_EQ(s.at({3, 3, 1, 9, 1}), integer(8));
  EXPECT_EQ(s.at({3, 3, 1, 16, 1}), gauge32(2));
  EXPECT_EQ(s.at({3, 3, 1, 64, 1}), gauge32(2'500'000));
  EXPECT_EQ(s.at({3, 3, 1, 20, 1}), gauge32(2));
  EXPECT_EQ(s.at({3, 3, 1, 21, 1}), gauge32(1));
  EXPECT_EQ(s.at({3, 3, 1, 23, 1}), integer(2));
  EXPECT_EQ(s.at({3, 3, 1, 54, 1}), integer(1));
  EXPECT_EQ(s.at({3, 3, 1, 63, 1}), integer(1)) << "the same bit of LVS";
  EXPECT_EQ(s.at({3, 3, 1, 71, 1}), text("myvs"));
  EXPECT_EQ(server(2, 1), integer(2)) << "sorry";
  EXPECT_EQ(server(5, 1), gauge32(8099));
  EXPECT_EQ(server(6, 1), std::nullopt);
  EXPECT_EQ(server(7, 1), std::nullopt);
  EXPECT_EQ(server(2, 2), integer(1));
  EXPECT_EQ(server(6, 2), integer(2)) << "dead";
  EXPECT_EQ(server(7, 2), integer(2)) << "its weight all the same";
  EXPECT_EQ(server(8, 2), gauge32(100));
  EXPECT_EQ(server(9, 2), std::nullopt);
  EXPECT_EQ(server(10, 2), integer(2));
  EXPECT_EQ(server(13, 2), gauge32(1));
  EXPECT_EQ(server(43, 2), gauge32(2));
  EXPECT_EQ(server(55, 2), text("rs1"));
  EXPECT_EQ(server(6, 3), integer(1));
  // One that isn't served.
  EXPECT_EQ(s.at({3, 3, 1, 3, 2}), text("GRP"));
  EXPECT_EQ(s.at({3, 3, 1, 6, 2}), std::nullopt);
  EXPECT_EQ(s.at({3, 3, 1, 11, 2}), integer(2));
  EXPECT_EQ(s.at({3, 3, 1, 68, 2}), integer(2));
  EXPECT_EQ(s.at({3, 3, 1, 69, 2}), gauge32(6080));
}

TEST(SnmpMibs, AGroupsMarksComeFirstThenItsAddressesThenItsRanges) {
  const Shown s = shown();
  const auto member = [&](std::uint32_t column, std::uint32_t number) { return s.at({3, 2, 1, column, 1, number}); };
  EXPECT_EQ(s.at({3, 1, 1, 2, 1}), text("GRP"));
  EXPECT_EQ(member(2, 1), integer(1));
  EXPECT_EQ(member(3, 1), gauge32(7));
  EXPECT_EQ(member(2, 2), integer(2));
  EXPECT_EQ(member(5, 2), address(net::Ipv4Addr::of(10, 9, 0, 110)));
  EXPECT_EQ(member(6, 3), address(net::Ipv4Addr::of(10, 9, 2, 0)));
  EXPECT_EQ(member(7, 3), address(net::Ipv4Addr::of(10, 9, 2, 3)));
  EXPECT_EQ(member(7, 4), address(net::Ipv4Addr::of(10, 9, 0, 113)));
  EXPECT_EQ(member(8, 4), gauge32(80));
}

TEST(SnmpMibs, LvsSettings) {
  const Shown s = shown();
  EXPECT_EQ(s.at({3, 6, 1, 0}), integer(1));
  EXPECT_EQ(s.at({3, 6, 4, 0}), integer(11));
  EXPECT_EQ(s.at({3, 6, 6, 0}), integer(8849));
  EXPECT_EQ(s.at({3, 6, 9, 0}), address(net::Ipv4Addr::of(224, 0, 0, 82)));
  EXPECT_EQ(s.at({3, 7, 2, 0}), integer(100));
}

TEST(SnmpMibs, TheRfcsShowInstancesByInterfaceAndId) {
  const Shown s = shown();
  EXPECT_EQ(s.view->find(below(vrrp_mib, {1, 3, 1, 3, 3, 51})), integer(3));
  EXPECT_EQ(s.view->find(below(vrrp_mib, {1, 3, 1, 2, 3, 51})), text(std::string("\x02\0\0\0\0\x01", 6)));
  EXPECT_EQ(s.view->find(below(vrrp_mib, {1, 3, 1, 3, 3, 52})), std::nullopt) << "version 3";
  EXPECT_EQ(s.view->find(below(vrrp_mib, {1, 4, 1, 2, 3, 51, 10, 98, 0, 100})), integer(1));
  EXPECT_EQ(s.view->find(below(vrrp_mib, {2, 4, 1, 1, 3, 51})), counter32(4));
  EXPECT_EQ(s.view->find(below(vrrpv3_mib, {1, 1, 1, 1, 3, 3, 51, 1})), address(net::Ipv4Addr::of(10, 98, 0, 1)));
  EXPECT_EQ(s.view->find(below(vrrpv3_mib, {1, 1, 1, 1, 6, 3, 52, 1})), integer(1));
  EXPECT_EQ(s.view->find(below(vrrpv3_mib, {1, 2, 5, 1, 2, 3, 51, 1})), integer(2));
  EXPECT_EQ(s.view->find(below(vrrpv3_mib, {1, 2, 5, 1, 13, 3, 51, 1})), gauge32(2000));
}

TEST(SnmpMibs, PartsThatAreOffShowNothing) {
  const Shown s = shown();
  const auto only_rfc = make_view(s.snapshot, {.rfc6527 = true});
  EXPECT_EQ(only_rfc->next({1})->first, below(vrrpv3_mib, {1, 1, 1, 1, 3, 3, 51, 1}));
  EXPECT_EQ(subtrees({.rfc6527 = true}), std::vector<Oid>{vrrpv3_mib});
  EXPECT_EQ(subtrees({.checker = true}), (std::vector<Oid>{keepalived_oid({1}), keepalived_oid({3})}));
  EXPECT_FALSE(make_view(s.snapshot, {})->next({}).has_value());
}

// --- rates

TEST(SnmpSnapshot, RatesAreBetweenTwoReadingsAndReadingsAreAnIntervalApart) {
  using namespace std::chrono_literals;
  SnapshotMaker maker("v", "h", {});
  const auto config = std::make_shared<const config::Config>(config_of(text_of_all));
  const SnapshotMaker::Time start{100s};
  const auto read = [&](SnapshotMaker::Time at, std::uint64_t packets) {
    Gathered gathered;
    gathered.config = config;
    gathered.programs = std::make_shared<const std::map<std::string, std::string>>();
    PoolStatus pool;
    pool.service = {net::Protocol::tcp, net::Ipv4Addr::of(10, 9, 0, 100), net::L4Port::of(80)};
    pool.services = {pool.service};
    gathered.pools = {pool};
    VirtualServiceStatus service;
    service.spec.key = pool.service;
    service.counters.in_packets = packets;
    gathered.services = {service};
    return maker.make(std::move(gathered), {}, at)->servers[0].traffic;
  };
  EXPECT_EQ(read(start, 1000).rates.in_packets, 0u);
  EXPECT_EQ(read(start + 1s, 1500).counters.in_packets, 1000u) << "too soon to read again";
  const Traffic later = read(start + 10s, 2000);
  EXPECT_EQ(later.counters.in_packets, 2000u);
  EXPECT_EQ(later.rates.in_packets, 100u);
  EXPECT_EQ(read(start + 12s, 9000).rates.in_packets, 100u);
}

// --- writes

WriteError error_of(const Write& write) {
  const auto* error = std::get_if<WriteError>(&write);
  return error != nullptr ? *error : WriteError::none;
}

TEST(SnmpWrites, PriorityPreemptAndWeightAreWritable) {
  const Shown s = shown();
  const auto write = [&](std::initializer_list<std::uint32_t> oid, const Value& value) {
    return write_of(*s.snapshot, all_parts, keepalived_oid(oid), value);
  };
  const auto priority = std::get<SetPriority>(write({2, 3, 1, 7, 2}, integer(120)));
  EXPECT_EQ(priority.instance, "VI_2");
  EXPECT_EQ(priority.priority, 120u);
  EXPECT_FALSE(std::get<SetPreempt>(write({2, 3, 1, 13, 1}, integer(2))).preempt);
  const auto weight = std::get<SetWeight>(write({3, 4, 1, 7, 1, 2}, integer(9)));
  EXPECT_EQ(weight.service, "[10.9.0.100]:tcp:80");
  EXPECT_EQ(weight.server, "10.9.0.1:8001");
  EXPECT_EQ(weight.weight, 9u);
  EXPECT_EQ(std::get<SetWeight>(write({3, 4, 1, 7, 1, 3}, integer(-1))).weight, 0u) << "as keepalived takes it";
}

TEST(SnmpWrites, WhatIsRefusedHasKeepalivedsErrors) {
  const Shown s = shown();
  const auto error = [&](std::initializer_list<std::uint32_t> oid, const Value& value) {
    return error_of(write_of(*s.snapshot, all_parts, keepalived_oid(oid), value));
  };
  EXPECT_EQ(error({2, 3, 1, 7, 1}, integer(0)), WriteError::wrong_value);
  EXPECT_EQ(error({2, 3, 1, 7, 1}, integer(256)), WriteError::wrong_value);
  EXPECT_EQ(error({2, 3, 1, 7, 1}, gauge32(3)), WriteError::wrong_type);
  EXPECT_EQ(error({2, 3, 1, 7, 9}, integer(3)), WriteError::not_writable);
  EXPECT_EQ(error({2, 3, 1, 13, 1}, integer(3)), WriteError::wrong_value);
  EXPECT_EQ(error({2, 3, 1, 2, 1}, text("x")), WriteError::not_writable);
  EXPECT_EQ(error({2, 3, 1, 27, 2}, integer(1)), WriteError::not_writable);
  EXPECT_EQ(error({3, 4, 1, 7, 1, 1}, integer(3)), WriteError::not_writable) << "the sorry server";
  EXPECT_EQ(error({3, 4, 1, 7, 2, 1}, integer(3)), WriteError::not_writable) << "not served";
  EXPECT_EQ(error_of(write_of(*s.snapshot, {.checker = true}, keepalived_oid({2, 3, 1, 7, 1}), integer(3))),
            WriteError::not_writable)
      << "that part is off";
}

}  // namespace
}  // namespace sluice::control::snmp
