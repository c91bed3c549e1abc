#include "control/netlink/route_decision.h"

#include <gtest/gtest.h>
#include <linux/neighbour.h>

namespace sluice::control::netlink {
namespace {

const net::IpAddr server = net::Ipv4Addr::of(10, 0, 2, 11);
const net::IpAddr gateway = net::Ipv4Addr::of(10, 0, 2, 254);
const net::Ipv4Addr source = net::Ipv4Addr::of(10, 0, 2, 1);
const net::MacAddr server_mac{{2, 0, 0, 0, 2, 11}};
const net::MacAddr gateway_mac{{2, 0, 0, 0, 2, 254}};
const net::MacAddr eth_mac{{2, 0, 0, 0, 0, 1}};
const net::MacAddr vlan_mac{{2, 0, 0, 0, 0, 5}};

Link ethernet(int ifindex, const char* name) {
  return {.ifindex = ifindex, .name = name, .mac = eth_mac, .mtu = 1500, .up = true, .running = true, .ethernet = true};
}

Link vlan(int ifindex, const char* name, int parent, std::uint16_t id) {
  Link link = ethernet(ifindex, name);
  link.kind = "vlan";
  link.vlan_8021q = true;
  link.vlan = id;
  link.parent_ifindex = parent;
  link.mac = vlan_mac;
  link.mtu = 1496;
  return link;
}

class ChooseNextHop : public testing::Test {
 protected:
  ChooseNextHop() {
    mirror_.apply(LinkSet{ethernet(1, "eth0")});
    mirror_.apply(LinkSet{vlan(2, "eth0.5", 1, 5)});
    for (const int ifindex : {1, 2, 3}) {
      mirror_.apply(NeighbourSet{{.key = {ifindex, server}, .mac = server_mac, .state = NUD_REACHABLE}});
      mirror_.apply(NeighbourSet{{.key = {ifindex, gateway}, .mac = gateway_mac, .state = NUD_STALE}});
    }
  }
  NextHop choose(const RouteDecision& decision) { return choose_next_hop(server, decision, mirror_); }

  Mirror mirror_;
};

TEST_F(ChooseNextHop, OnLinkUsesTheServersOwnMac) {
  const NextHop expected{.state = NextHop::State::resolved,
                         .ifindex = 1,
                         .destination_mac = server_mac,
                         .source_mac = eth_mac,
                         .source_address = source,
                         .mtu = 1500};
  EXPECT_EQ(choose({.ifindex = 1, .source_address = source}), expected);
}

TEST_F(ChooseNextHop, ThroughAGatewayUsesTheGatewaysMacAndTheRoutesMtu) {
  const NextHop expected{.state = NextHop::State::resolved,
                         .ifindex = 1,
                         .destination_mac = gateway_mac,
                         .source_mac = eth_mac,
                         .source_address = source,
                         .mtu = 1400};
  EXPECT_EQ(choose({.ifindex = 1, .gateway = gateway, .source_address = source, .mtu = 1400}), expected);
}

TEST_F(ChooseNextHop, VlanSubInterfaceBecomesItsLowerDeviceAndATag) {
  const NextHop expected{.state = NextHop::State::resolved,
                         .ifindex = 1,
                         .vlan = 5,
                         .destination_mac = server_mac,
                         .source_mac = vlan_mac,
                         .source_address = source,
                         .mtu = 1496};
  EXPECT_EQ(choose({.ifindex = 2, .source_address = source}), expected);
}

TEST_F(ChooseNextHop, VlanThatCannotBeTaggedOnceIsUnresolvedWithAReason) {
  mirror_.apply(LinkSet{vlan(3, "eth0.5.6", 2, 6)});
  EXPECT_EQ(choose({.ifindex = 3}).reason, "eth0.5.6 is a VLAN within a VLAN, only one tag is supported");
  mirror_.apply(LinkSet{vlan(3, "eth9", 0, 6)});
  EXPECT_EQ(choose({.ifindex = 3}).reason, "eth9 has its lower device in another network namespace");
  Link service_tag = vlan(3, "eth9", 1, 6);
  service_tag.vlan_8021q = false;
  mirror_.apply(LinkSet{service_tag});
  EXPECT_EQ(choose({.ifindex = 3}).reason, "eth9 tags with 802.1ad, only 802.1Q is supported");
  EXPECT_EQ(choose({.ifindex = 3}).state, NextHop::State::unresolved);
}

TEST_F(ChooseNextHop, LocalNeedsNoNeighbour) {
  const RouteDecision decision{.kind = RouteDecision::Kind::local, .ifindex = 1, .source_address = source};
  EXPECT_EQ(choose(decision).state, NextHop::State::local);
  EXPECT_FALSE(deciding_neighbour(server, decision, mirror_));
}

TEST_F(ChooseNextHop, RefusalKeepsTheKernelsReason) {
  const auto hop = choose({.kind = RouteDecision::Kind::refused, .reason = "no route"});
  EXPECT_EQ(hop.state, NextHop::State::unresolved);
  EXPECT_EQ(hop.reason, "10.0.2.11: no route");
}

TEST_F(ChooseNextHop, OnlyANeighbourThatTheKernelWouldUseResolves) {
  struct Row {
    std::uint16_t state;
    bool resolved;
  };
  for (const auto& [state, resolved] :
       {Row{NUD_REACHABLE, true}, Row{NUD_STALE, true}, Row{NUD_DELAY, true}, Row{NUD_PROBE, true},
        Row{NUD_PERMANENT, true}, Row{NUD_INCOMPLETE, false}, Row{NUD_FAILED, false}, Row{NUD_NONE, false}}) {
    mirror_.apply(NeighbourSet{{.key = {1, server}, .mac = server_mac, .state = state}});
    const auto hop = choose({.ifindex = 1});
    EXPECT_EQ(hop.state == NextHop::State::resolved, resolved) << state;
    if (!resolved) {
      EXPECT_EQ(hop.reason, "no answer to ARP for 10.0.2.11 on eth0");
      EXPECT_TRUE(hop.destination_mac.is_zero());
    }
  }
}

TEST_F(ChooseNextHop, DownAndWithoutCarrierAreToldApart) {
  Link link = ethernet(1, "eth0");
  link.running = false;
  mirror_.apply(LinkSet{link});
  EXPECT_EQ(choose({.ifindex = 1}).reason, "eth0 has no carrier");
  EXPECT_EQ(choose({.ifindex = 2}).reason, "eth0 has no carrier") << "the lower device counts";
  link.up = false;
  mirror_.apply(LinkSet{link});
  EXPECT_EQ(choose({.ifindex = 1}).reason, "eth0 is down");
  EXPECT_EQ(choose({.ifindex = 9}).reason, "interface 9 is not there");
}

TEST_F(ChooseNextHop, InterfaceWithoutNeighboursResolvesAtOnce) {
  Link tun = ethernet(4, "tun0");
  tun.no_arp = true;
  tun.ethernet = false;
  tun.mac = {};
  mirror_.apply(LinkSet{tun});
  EXPECT_FALSE(deciding_neighbour(server, {.ifindex = 4}, mirror_));
  EXPECT_EQ(choose({.ifindex = 4}).state, NextHop::State::resolved);
}

TEST_F(ChooseNextHop, Ipv6NeighboursServeAsGatewaysOfIpv4) {
  const auto v6 = *net::IpAddr::parse("fe80::1");
  EXPECT_EQ(choose({.ifindex = 1, .gateway = v6}).reason, "no answer to neighbour discovery for fe80::1 on eth0");
  mirror_.apply(NeighbourSet{{.key = {1, v6}, .mac = gateway_mac, .state = NUD_REACHABLE}});
  EXPECT_EQ(choose({.ifindex = 1, .gateway = v6}).destination_mac, gateway_mac);
}

}  // namespace
}  // namespace sluice::control::netlink
