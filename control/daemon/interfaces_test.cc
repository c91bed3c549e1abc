#include "control/daemon/interfaces.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

using netlink::RouteDecision;

netlink::Link ethernet(int ifindex, const std::string& name) {
  netlink::Link link;
  link.ifindex = ifindex;
  link.name = name;
  link.ethernet = true;
  link.up = link.running = true;
  return link;
}

net::IpAddr ip(const char* text) { return *net::IpAddr::parse(text); }

// eth0 (2) faces clients, eth1 (3) servers, eth1.7 (4) lies on eth1, tun0 (5) has no Ethernet.
class ChooseInterfaces : public ::testing::Test {
 protected:
  ChooseInterfaces() {
    mirror.apply(netlink::LinkSet{ethernet(2, "eth0")});
    mirror.apply(netlink::LinkSet{ethernet(3, "eth1")});
    netlink::Link vlan = ethernet(4, "eth1.7");
    vlan.kind = "vlan";
    vlan.parent_ifindex = 3;
    mirror.apply(netlink::LinkSet{vlan});
    netlink::Link tun = ethernet(5, "tun0");
    tun.ethernet = false;
    mirror.apply(netlink::LinkSet{tun});
  }

  void carry(int ifindex, const char* address) { mirror.apply(netlink::AddressSet{{ifindex, ip(address), 32}}); }
  void route(const char* address, int ifindex) {
    RouteDecision decision;
    decision.ifindex = ifindex;
    routes[ip(address)] = decision;
  }
  void serve(const char* address, std::initializer_list<const char*> servers) {
    config::VirtualServer server;
    server.position = {std::make_shared<const std::string>("f"), unsigned(config.virtual_servers.size() + 1), 1};
    server.key.address = ip(address);
    server.key.port = net::L4Port::of(80);
    for (const char* real : servers) {
      server.real_servers.emplace_back();
      server.real_servers.back().position = {std::make_shared<const std::string>("f"), 99, 1};
      server.real_servers.back().address = ip(real);
    }
    config.virtual_servers.push_back(server);
  }
  Result<InterfaceChoices> choose() {
    return choose_interfaces(config, mirror, [this](const net::IpAddr& address) -> Result<RouteDecision> {
      if (const auto found = routes.find(address); found != routes.end()) return found->second;
      RouteDecision refused;
      refused.kind = RouteDecision::Kind::refused;
      refused.reason = "no route";
      return refused;
    });
  }

  netlink::Mirror mirror;
  std::map<net::IpAddr, RouteDecision> routes;
  config::Config config;
};

using Names = std::vector<std::string>;

TEST_F(ChooseInterfaces, ThoseOfTheAddressesAndOfTheRoutesEachOnce) {
  carry(2, "10.0.0.5");
  route("10.0.2.11", 3);
  route("10.0.2.12", 3);
  serve("10.0.0.5", {"10.0.2.11", "10.0.2.12"});
  const auto chosen = choose();
  ASSERT_TRUE(chosen) << chosen.error().text();
  EXPECT_EQ(chosen->names, (Names{"eth0", "eth1"}));
  EXPECT_TRUE(chosen->warnings.empty());
}

TEST_F(ChooseInterfaces, WhereAMarksPacketsComeIn) {
  carry(2, "10.0.0.5");
  route("10.0.7.11", 4);
  serve("0.0.0.0", {"10.0.7.11"});
  config.virtual_servers[0].kind = config::VirtualServerKind::fwmark;
  config.virtual_servers[0].fwmark = 5;
  EXPECT_EQ(choose()->names, (Names{"eth1"})) << "no rule gives the mark";
  config::Classify& rule = config.dataplane.classify.emplace_back();
  rule.mark = 6;
  rule.destination = {ip("10.0.0.0"), 24};
  EXPECT_EQ(choose()->names, (Names{"eth1"})) << "another's mark";
  rule.mark = 5;
  EXPECT_EQ(choose()->names, (Names{"eth0", "eth1"}));
  rule.destination = {ip("10.0.1.0"), 24};
  EXPECT_EQ(choose()->names, (Names{"eth1"})) << "nothing carries that, no route leads there";
  rule.interface = "eth0";
  EXPECT_EQ(choose()->names, (Names{"eth0", "eth1"}));
}

TEST_F(ChooseInterfaces, TheDeviceBelowAVlan) {
  carry(2, "10.0.0.5");
  route("10.0.7.11", 4);
  serve("10.0.0.5", {"10.0.7.11"});
  EXPECT_EQ(choose()->names, (Names{"eth0", "eth1"}));
}

TEST_F(ChooseInterfaces, ABackupsAddressCountsWithItsVrrpInstanceElseWithItsRoute) {
  route("10.0.2.11", 3);
  serve("10.0.0.5", {"10.0.2.11"});
  config::VrrpInstance instance;
  instance.interface = "eth0";
  config::InterfaceAddress owned;
  owned.address = ip("10.0.0.5");
  owned.interface = "eth0";
  instance.addresses.push_back(owned);
  config.vrrp_instances.push_back(instance);
  EXPECT_EQ(choose()->names, (Names{"eth0", "eth1"}));
  config.vrrp_instances.clear();
  route("10.0.0.5", 3);
  EXPECT_EQ(choose()->names, (Names{"eth1"}));
}

TEST_F(ChooseInterfaces, WhatCannotBeReachedIsSaidAndTheRestServed) {
  carry(2, "10.0.0.5");
  serve("10.0.0.5", {"10.9.9.9"});
  const auto chosen = choose();
  EXPECT_EQ(chosen->names, (Names{"eth0"}));
  ASSERT_EQ(chosen->warnings.size(), 1u);
  EXPECT_EQ(chosen->warnings[0], "f:99:1: 10.9.9.9 can't be reached: no route");
}

TEST_F(ChooseInterfaces, NothingLeftIsAnErrorThatSaysWhatToDo) {
  serve("10.0.0.5", {"10.9.9.9"});
  const auto chosen = choose();
  ASSERT_FALSE(chosen);
  EXPECT_NE(chosen.error().what.find("interfaces eth0"), std::string::npos) << chosen.error().text();
}

TEST_F(ChooseInterfaces, NamedOnesMustBeThereAndBeEthernet) {
  config.dataplane.position = {std::make_shared<const std::string>("f"), 3, 5};
  config.dataplane.interfaces = {"eth1", "eth0"};
  EXPECT_EQ(choose()->names, (Names{"eth1", "eth0"}));
  config.dataplane.interfaces = {"eth9"};
  EXPECT_EQ(choose().error().text(), "f:3:5: interface 'eth9' doesn't exist: name one that `ip link` shows");
  config.dataplane.interfaces = {"tun0"};
  EXPECT_NE(choose().error().what.find("isn't an Ethernet device"), std::string::npos);
}

}  // namespace
}  // namespace sluice::control
