#include "dataplane/classify/classifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace sluice::dataplane {
namespace {

using net::Protocol;

Ipv4Prefix prefix(const char* address, unsigned length) { return {*net::Ipv4Addr::parse(address), length}; }
net::FiveTuple packet(const char* from, const char* to, std::uint16_t port, Protocol protocol = Protocol::tcp) {
  return {{*net::Ipv4Addr::parse(from), net::L4Port::of(40000)},
          {*net::Ipv4Addr::parse(to), net::L4Port::of(port)},
          protocol};
}

TEST(Classifier, WithoutRulesMarksNothing) {
  const Classifier classifier({});
  EXPECT_FALSE(classifier.has_destination(net::Ipv4Addr::of(10, 0, 0, 1)));
  EXPECT_EQ(classifier.mark_of(packet("10.0.0.1", "10.0.0.2", 80), PortId{0}, 0), 0u);
}

TEST(Classifier, TheFirstRuleThatMatchesDecides) {
  const ClassifyRule narrow{.mark = 1, .destination = prefix("10.0.0.5", 32), .port_first = 80, .port_last = 80};
  const ClassifyRule wide{.mark = 2, .destination = prefix("10.0.0.0", 24)};
  EXPECT_EQ(Classifier(std::vector{narrow, wide}).mark_of(packet("10.1.1.1", "10.0.0.5", 80), PortId{0}, 0), 1u);
  EXPECT_EQ(Classifier(std::vector{wide, narrow}).mark_of(packet("10.1.1.1", "10.0.0.5", 80), PortId{0}, 0), 2u);
  EXPECT_EQ(Classifier(std::vector{narrow, wide}).mark_of(packet("10.1.1.1", "10.0.0.5", 81), PortId{0}, 0), 2u);
}

TEST(Classifier, EachConditionMustHold) {
  const ClassifyRule rule{.mark = 5,
                          .destination = prefix("10.0.0.4", 31),
                          .protocol = Protocol::tcp,
                          .port_first = 80,
                          .port_last = 90,
                          .source = prefix("10.1.0.0", 16),
                          .ingress = Ingress{PortId{1}, 7, 100}};
  const Classifier classifier(std::vector{rule});
  const auto mark = [&](const net::FiveTuple& tuple, unsigned port = 1, std::uint16_t vlan = 100) {
    return classifier.mark_of(tuple, PortId(port), vlan);
  };
  EXPECT_EQ(mark(packet("10.1.255.255", "10.0.0.4", 80)), 5u);
  EXPECT_EQ(mark(packet("10.1.0.0", "10.0.0.5", 90)), 5u);
  EXPECT_EQ(mark(packet("10.1.0.1", "10.0.0.3", 80)), 0u);
  EXPECT_EQ(mark(packet("10.1.0.1", "10.0.0.6", 80)), 0u);
  EXPECT_EQ(mark(packet("10.1.0.1", "10.0.0.5", 79)), 0u);
  EXPECT_EQ(mark(packet("10.1.0.1", "10.0.0.5", 91)), 0u);
  EXPECT_EQ(mark(packet("10.1.0.1", "10.0.0.5", 80, Protocol::udp)), 0u);
  EXPECT_EQ(mark(packet("10.2.0.0", "10.0.0.5", 80)), 0u);
  EXPECT_EQ(mark(packet("10.0.255.255", "10.0.0.5", 80)), 0u);
  EXPECT_EQ(mark(packet("10.1.0.1", "10.0.0.5", 80), 0), 0u);
  EXPECT_EQ(mark(packet("10.1.0.1", "10.0.0.5", 80), 1, 0), 0u);
  EXPECT_EQ(mark(packet("10.1.0.1", "10.0.0.5", 80), 1, 101), 0u);
}

TEST(Classifier, ReachesBothEndsOfTheAddressSpace) {
  const Classifier classifier(std::vector<ClassifyRule>{{.mark = 1, .destination = prefix("0.0.0.0", 32)},
                                                        {.mark = 2, .destination = prefix("255.255.255.255", 32)}});
  EXPECT_EQ(classifier.mark_of(packet("10.0.0.1", "0.0.0.0", 0), PortId{0}, 0), 1u);
  EXPECT_EQ(classifier.mark_of(packet("10.0.0.1", "255.255.255.255", 65535), PortId{0}, 0), 2u);
  EXPECT_EQ(classifier.mark_of(packet("10.0.0.1", "0.0.0.1", 0), PortId{0}, 0), 0u);
  EXPECT_EQ(classifier.mark_of(packet("10.0.0.1", "255.255.255.254", 0), PortId{0}, 0), 0u);
  EXPECT_FALSE(classifier.has_destination(net::Ipv4Addr::of(127, 0, 0, 1)));
}

/// One rule after the other, each condition as it reads.
std::uint32_t slow_mark(const std::vector<ClassifyRule>& rules, const net::FiveTuple& tuple, PortId port,
                        std::uint16_t vlan) {
  const auto within = [](net::Ipv4Addr address, const Ipv4Prefix& wanted) {
    return wanted.length == 0 || (address.host() ^ wanted.address.host()) >> (32 - wanted.length) == 0;
  };
  for (const ClassifyRule& rule : rules) {
    if (!within(tuple.destination.address, rule.destination) || !within(tuple.source.address, rule.source)) continue;
    if (rule.protocol && *rule.protocol != tuple.protocol) continue;
    const std::uint16_t to = tuple.destination.port.host();
    if (to < rule.port_first || to > rule.port_last) continue;
    if (rule.ingress && (rule.ingress->port != port || rule.ingress->vlan != vlan)) continue;
    return rule.mark;
  }
  return 0;
}

// Few addresses and ports, so that rules overlap and packets lie at the edges.
class Random {
 public:
  explicit Random(std::uint32_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t n) { return std::uint32_t(random_() % n); }
  net::Ipv4Addr address() {
    return net::Ipv4Addr::from_host(below(8) == 0 ? std::uint32_t(random_()) : 0x0a000000u | below(2) << 8 | below(16));
  }
  Ipv4Prefix addresses() {
    const unsigned length = below(6) == 0 ? below(33) : 24 + below(9);
    return {address(), length};  // bits beyond the length are noise
  }
  std::uint16_t port() { return std::uint16_t(below(8) == 0 ? random_() : 80 + below(8)); }
  Protocol protocol() { return below(2) == 0 ? Protocol::tcp : Protocol::udp; }
  std::uint16_t vlan() { return std::uint16_t(below(3) * 100); }

  ClassifyRule rule() {
    ClassifyRule rule{.mark = 1 + std::uint32_t(random_() % 0xffffffff), .destination = addresses()};
    if (below(2) == 0) rule.protocol = protocol();
    if (below(2) == 0) {
      const auto [first, last] = std::minmax({port(), port()});
      rule.port_first = first;
      rule.port_last = last;
    }
    if (below(3) == 0) rule.source = addresses();
    if (below(4) == 0) rule.ingress = Ingress{PortId(below(3)), 1, vlan()};
    return rule;
  }

 private:
  std::mt19937 random_;
};

TEST(ClassifierProperty, DecidesAsAListOfRulesReadInOrder) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<ClassifyRule> rules(random.below(round % 10 == 0 ? 200 : 12));
    for (ClassifyRule& rule : rules) rule = random.rule();
    const Classifier classifier(rules);
    for (int i = 0; i < 200; ++i) {
      const net::FiveTuple tuple{{random.address(), net::L4Port::of(random.port())},
                                 {random.address(), net::L4Port::of(random.port())},
                                 random.protocol()};
      const auto port = PortId(random.below(3));
      const std::uint16_t vlan = random.vlan();
      const std::uint32_t expected = slow_mark(rules, tuple, port, vlan);
      ASSERT_EQ(classifier.mark_of(tuple, port, vlan), expected) << "round " << round << ", packet " << i;
      const bool some = std::any_of(rules.begin(), rules.end(), [&](const ClassifyRule& rule) {
        return rule.destination.contains({tuple.destination.address, 32});
      });
      ASSERT_EQ(classifier.has_destination(tuple.destination.address), some) << "round " << round << ", packet " << i;
    }
  }
}

}  // namespace
}  // namespace sluice::dataplane
