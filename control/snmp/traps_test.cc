// Each trap as keepalived 2.2.7 sends it: its values in the same order, the columns without a row's index.
#include "control/snmp/traps.h"

#include <gtest/gtest.h>

namespace sluice::control::snmp {
namespace {

constexpr Parts all_parts{true, true, true, true};

std::vector<Oid> names(const Trap& trap) {
  std::vector<Oid> result;
  for (const auto& [name, value] : trap.values) result.push_back(name);
  return result;
}

config::VrrpInstance instance(unsigned version) {
  config::VrrpInstance one;
  one.name = "VI_1";
  one.version = version;
  one.virtual_router_id = 51;
  one.state = config::InitialState::master;
  return one;
}

TEST(SnmpTraps, AnInstanceThatBecomesMasterIsToldThreeTimes) {
  const config::VrrpInstance one = instance(2);
  const VrrpNotice notice{.name = "VI_1",
                          .event = vrrp::NotifyEvent::master,
                          .ifindex = 3,
                          .source = net::Ipv4Addr::of(10, 98, 0, 1),
                          .master_reason = NewMasterReason::no_response};
  const std::vector<Trap> traps = traps_of(notice, &one, all_parts, "oracle");
  ASSERT_EQ(traps.size(), 3u);
  const Trap expected{keepalived_oid({2, 10, 0, 2}),
                      {{keepalived_oid({2, 3, 1, 2}), text("VI_1")},
                       {keepalived_oid({2, 3, 1, 4}), integer(2)},
                       {keepalived_oid({2, 3, 1, 5}), integer(2)},
                       {keepalived_oid({1, 2, 0}), text("oracle")}}};
  EXPECT_EQ(traps[0], expected);
  const Trap rfc2787{below(vrrp_mib, {0, 1}),
                     {{below(vrrp_mib, {1, 3, 1, 7, 3, 51}), ip_address(net::Ipv4Addr::of(10, 98, 0, 1))}}};
  EXPECT_EQ(traps[1], rfc2787);
  const Trap rfc6527{below(vrrpv3_mib, {0, 1}),
                     {{below(vrrpv3_mib, {1, 1, 1, 1, 3, 3, 51, 1}), address(net::Ipv4Addr::of(10, 98, 0, 1))},
                      {below(vrrpv3_mib, {1, 2, 5, 1, 2, 3, 51, 1}), integer(3)}}};
  EXPECT_EQ(traps[2], rfc6527);

  const config::VrrpInstance other = instance(3);
  EXPECT_EQ(traps_of(notice, &other, all_parts, "oracle").size(), 2u) << "version 3 isn't RFC 2787's";
  EXPECT_EQ(traps_of(notice, &one, {.rfc2787 = true}, "oracle"), std::vector<Trap>{rfc2787});
  EXPECT_TRUE(traps_of(notice, &one, {.checker = true}, "oracle").empty());
}

TEST(SnmpTraps, AGroupsChangeAndAnEndAndNothingThatIsNoState) {
  const std::vector<Trap> traps =
      traps_of({.of_group = true, .name = "G1", .event = vrrp::NotifyEvent::stop}, nullptr, all_parts, "oracle");
  ASSERT_EQ(traps.size(), 1u);
  const Trap expected{keepalived_oid({2, 10, 0, 1}),
                      {{keepalived_oid({2, 1, 1, 2}), text("G1")},
                       {keepalived_oid({2, 1, 1, 3}), integer(5)},
                       {keepalived_oid({1, 2, 0}), text("oracle")}}};
  EXPECT_EQ(traps[0], expected);
  const config::VrrpInstance one = instance(2);
  EXPECT_TRUE(traps_of({.name = "VI_1", .event = vrrp::NotifyEvent::backup_priority}, &one, all_parts, "").empty());
  EXPECT_TRUE(traps_of({.name = "gone", .event = vrrp::NotifyEvent::master}, nullptr, all_parts, "").empty());
}

TEST(SnmpTraps, ARejectedAdvertisementByWhatIsWrongWithIt) {
  const net::IpAddr from = net::Ipv4Addr::of(10, 98, 0, 2);
  const config::VrrpInstance two = instance(2), three = instance(3);
  const auto password = traps_of({"VI_1", vrrp::ReceiveError::password, from, 2}, two, all_parts);
  ASSERT_EQ(password.size(), 1u);
  const Trap expected{
      below(vrrp_mib, {0, 2}),
      {{below(vrrp_mib, {1, 5, 2, 51}), ip_address(from.v4())}, {below(vrrp_mib, {1, 6, 2, 51}), integer(3)}}};
  EXPECT_EQ(password[0], expected);
  const auto ttl = traps_of({"VI_1", vrrp::ReceiveError::ttl, from, 2}, three, all_parts);
  ASSERT_EQ(ttl.size(), 1u);
  EXPECT_EQ(ttl[0].oid, below(vrrpv3_mib, {0, 2}));
  EXPECT_EQ(ttl[0].values[0].second, integer(1));
  EXPECT_TRUE(traps_of({"VI_1", vrrp::ReceiveError::interval, from, 2}, two, all_parts).empty());
}

PoolEvent event(PoolEvent::What what) {
  return {.what = what,
          .service = {net::Protocol::tcp, net::Ipv4Addr::of(10, 9, 0, 100), net::L4Port::of(80)},
          .quorum = 2,
          .servers_up = 1,
          .servers = 3};
}

TEST(SnmpTraps, ARealServersChange) {
  PoolEvent down = event(PoolEvent::What::down);
  down.server = DestinationKey{net::Ipv4Addr::of(10, 9, 0, 1), net::L4Port::of(8001)};
  const std::vector<Trap> traps = traps_of(down, all_parts, "oracle");
  ASSERT_EQ(traps.size(), 1u);
  const Trap& trap = traps[0];
  EXPECT_EQ(trap.oid, keepalived_oid({3, 5, 0, 1}));
  EXPECT_EQ(names(trap), (std::vector<Oid>{
                             keepalived_oid({3, 4, 1, 3}), keepalived_oid({3, 4, 1, 4}), keepalived_oid({3, 4, 1, 5}),
                             keepalived_oid({3, 4, 1, 6}), keepalived_oid({3, 3, 1, 2}), keepalived_oid({3, 3, 1, 5}),
                             keepalived_oid({3, 3, 1, 6}), keepalived_oid({3, 3, 1, 7}), keepalived_oid({3, 3, 1, 8}),
                             keepalived_oid({3, 3, 1, 21}), keepalived_oid({3, 3, 1, 20}), keepalived_oid({1, 2, 0})}));
  EXPECT_EQ(trap.values[3].second, integer(2));
  EXPECT_EQ(trap.values[9].second, gauge32(1));
  EXPECT_EQ(trap.values[10].second, gauge32(3));
  EXPECT_TRUE(traps_of(down, {.vrrp = true}, "oracle").empty());
}

TEST(SnmpTraps, AQuorumsChangeOfEachKindOfVirtualServer) {
  PoolEvent lost = event(PoolEvent::What::down);
  EXPECT_EQ(names(traps_of(lost, all_parts, "")[0]),
            (std::vector<Oid>{keepalived_oid({3, 3, 1, 2}), keepalived_oid({3, 3, 1, 5}), keepalived_oid({3, 3, 1, 6}),
                              keepalived_oid({3, 3, 1, 7}), keepalived_oid({3, 3, 1, 8}), keepalived_oid({3, 3, 1, 23}),
                              keepalived_oid({3, 3, 1, 22}), keepalived_oid({3, 3, 1, 21}),
                              keepalived_oid({3, 3, 1, 20}), keepalived_oid({1, 2, 0})}));
  lost.service = VirtualServiceKey::of_mark(5);
  const Trap mark = traps_of(lost, all_parts, "")[0];
  EXPECT_EQ(mark.values[0].second, integer(1));
  EXPECT_EQ(mark.values[1], (std::pair{keepalived_oid({3, 3, 1, 4}), gauge32(5)}));
  EXPECT_EQ(mark.values[3].second, integer(2)) << "notMet";
  lost.group = "GRP";
  lost.what = PoolEvent::What::shutdown;
  const Trap group = traps_of(lost, all_parts, "")[0];
  EXPECT_EQ(group.values[1], (std::pair{keepalived_oid({3, 3, 1, 3}), text("GRP")}));
  EXPECT_EQ(group.values[3].second, integer(3)) << "shutdown";
}

}  // namespace
}  // namespace sluice::control::snmp
