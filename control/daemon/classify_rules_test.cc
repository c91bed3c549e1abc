#include "control/daemon/classify_rules.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

config::Prefix prefix(const char* address, unsigned length) { return {*net::IpAddr::parse(address), length}; }

config::Classify rule(std::uint32_t mark, config::Prefix destination) {
  config::Classify rule;
  rule.position = {std::make_shared<const std::string>("f"), mark, 1};
  rule.mark = mark;
  rule.destination = std::move(destination);
  return rule;
}

// eth0 (2) and eth1 (3) are the engine's ports 0 and 1; eth1.7 (4) lies on eth1, eth1.7.8 (5) on that, eth9 (9) is the
// host's.
class ClassifyRulesTest : public ::testing::Test {
 protected:
  ClassifyRulesTest() {
    add(2, "eth0", 0, 0);
    add(3, "eth1", 0, 0);
    add(4, "eth1.7", 3, 7);
    add(5, "eth1.7.8", 4, 8);
    add(9, "eth9", 0, 0);
  }
  void add(int ifindex, const char* name, int parent, std::uint16_t vlan) {
    netlink::Link link;
    link.ifindex = ifindex;
    link.name = name;
    link.ethernet = true;
    link.parent_ifindex = parent;
    link.vlan = vlan;
    if (vlan != 0) link.kind = "vlan", link.vlan_8021q = true;
    mirror.apply(netlink::LinkSet{link});
  }
  [[nodiscard]] ClassifyRules compile(std::vector<config::Classify> rules) const {
    return classify_rules(rules, interfaces, mirror);
  }

  netlink::Mirror mirror;
  std::vector<EngineInterface> interfaces = {{"eth0", 2}, {"eth1", 3}};
};

TEST_F(ClassifyRulesTest, ConditionsArriveAsTheyAre) {
  config::Classify full = rule(7, prefix("10.0.0.0", 24));
  full.protocol = net::Protocol::udp;
  full.port_first = 80;
  full.port_last = 89;
  full.source = prefix("10.1.0.0", 16);
  full.interface = "eth1";
  const ClassifyRules result = compile({rule(1, prefix("10.0.0.5", 32)), full});
  ASSERT_EQ(result.rules.size(), 2u);
  EXPECT_EQ(result.rules[0], (dataplane::ClassifyRule{.mark = 1, .destination = {net::Ipv4Addr::of(10, 0, 0, 5), 32}}));
  EXPECT_EQ(result.rules[1], (dataplane::ClassifyRule{.mark = 7,
                                                      .destination = {net::Ipv4Addr::of(10, 0, 0, 0), 24},
                                                      .protocol = net::Protocol::udp,
                                                      .port_first = 80,
                                                      .port_last = 89,
                                                      .source = {net::Ipv4Addr::of(10, 1, 0, 0), 16},
                                                      .ingress = dataplane::Ingress{dataplane::PortId{1}, 3, 0}}));
  EXPECT_TRUE(result.complaints.empty());
}

TEST_F(ClassifyRulesTest, AVlanIsATagOnThePortBelow) {
  config::Classify tagged = rule(1, prefix("10.0.0.5", 32));
  tagged.interface = "eth1.7";
  EXPECT_EQ(compile({tagged}).rules.at(0).ingress, (dataplane::Ingress{dataplane::PortId{1}, 3, 7}));
}

TEST_F(ClassifyRulesTest, WhatCannotBeDoneIsSaidAndTheRestServed) {
  config::Classify missing = rule(1, prefix("10.0.0.5", 32)), hosts = missing, twice = missing, sctp = missing;
  missing.interface = "nosuch0";
  hosts.interface = "eth9";
  twice.interface = "eth1.7.8";
  sctp.protocol = net::Protocol::sctp;
  const ClassifyRules result =
      compile({missing, hosts, twice, sctp, rule(2, prefix("2001:db8::1", 128)), rule(3, prefix("10.0.0.6", 32))});
  ASSERT_EQ(result.rules.size(), 1u);
  EXPECT_EQ(result.rules[0].mark, 3u);
  std::vector<std::string> texts;
  for (const Error& complaint : result.complaints) texts.push_back(complaint.text());
  EXPECT_EQ(texts,
            (std::vector<std::string>{
                "f:1:1: this classify rule marks nothing: interface 'nosuch0' doesn't exist",
                "f:1:1: this classify rule marks nothing: 'eth9' isn't one of the engine's interfaces",
                "f:1:1: this classify rule marks nothing: the frames of 'eth1.7.8' have more than one 802.1Q tag",
                "f:1:1: this classify rule marks nothing: SCTP isn't forwarded yet",
                "f:2:1: this classify rule marks nothing: IPv6 isn't forwarded yet"}));
}

TEST_F(ClassifyRulesTest, MoreThanTheEngineTakesAreCutOff) {
  const ClassifyRules result = compile(std::vector<config::Classify>(1030, rule(1, prefix("10.0.0.5", 32))));
  EXPECT_EQ(result.rules.size(), 1024u);
  ASSERT_EQ(result.complaints.size(), 1u);
  EXPECT_NE(result.complaints[0].what.find("takes 1024"), std::string::npos);
}

TEST(ClassifyChanges, AreALineForEachRule) {
  const config::Classify one = rule(1, prefix("10.0.0.5", 32));
  config::Classify two = rule(2, prefix("10.0.0.0", 24));
  using Rules = std::vector<config::Classify>;
  EXPECT_TRUE(classify_changes(Rules{one, two}, Rules{one, two}).empty());
  EXPECT_EQ(classify_changes(Rules{one, two}, Rules{two, one}),
            (std::vector<std::string>{"~ classify: the same rules in another order"}));
  config::Classify narrow = two;
  narrow.protocol = net::Protocol::tcp;
  narrow.port_first = narrow.port_last = 80;
  narrow.source = prefix("10.1.0.0", 16);
  narrow.interface = "eth0";
  EXPECT_EQ(classify_changes(Rules{one, two}, Rules{one, narrow}),
            (std::vector<std::string>{"- classify fwmark 2 destination 10.0.0.0/24",
                                      "+ classify fwmark 2 destination 10.0.0.0/24 protocol TCP port 80 source "
                                      "10.1.0.0/16 interface eth0"}));
}

}  // namespace
}  // namespace sluice::control
