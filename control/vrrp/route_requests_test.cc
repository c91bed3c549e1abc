// Each line is given to ip(8) in one network namespace and, read as the configuration reads it, to the kernel by us in
// another: both must show the same afterwards.
#include "control/vrrp/route_requests.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "control/config/parse.h"
#include "control/netlink/changes.h"
#include "control/netlink/test_namespace.h"

namespace sluice::control {
namespace {

using netlink::TestNamespace;

/// A host whose interfaces have the same indices everywhere.
class Host {
 public:
  static constexpr const char* set_up =
      "ip link set lo up; ip link add e0 index 50 address 02:00:00:00:00:50 type veth peer name e1 index 51; "
      "ip link set e1 address 02:00:00:00:00:51; ip link set e0 up; ip link set e1 up; "
      "ip address add 192.0.2.1/24 dev e0; ip -6 address add fd00::1/64 dev e0 nodad";

  bool good() { return namespace_ && namespace_->run(set_up); }
  TestNamespace::Inside enter() { return namespace_->enter(); }

 private:
  std::optional<TestNamespace> namespace_ = TestNamespace::create();
};

config::VrrpInstance instance_of(const std::string& block, const std::string& line, const std::string& vip) {
  const auto outcome =
      config::parse_text("vrrp_instance V {\ninterface e0\nvirtual_router_id 1\nvirtual_ipaddress {\n" + vip + "\n}\n" +
                             block + " {\n" + line + "\n}\n}\n",
                         "test.conf");
  std::string complaints;
  for (const auto& complaint : outcome.complaints) {
    if (complaint.severity == config::Severity::error) complaints += complaint.text() + "\n";
  }
  EXPECT_EQ(complaints, "");
  return outcome.config.vrrp_instances.empty() ? config::VrrpInstance{} : outcome.config.vrrp_instances.front();
}

class RouteRequests : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!theirs_.good() || !ours_.good()) GTEST_SKIP() << "needs root, to make network namespaces";
  }

  static int index_of(const std::string& name) { return int(::if_nametoindex(name.c_str())); }

  /// What ip(8) shows after `command`, and after our requests.
  void compare(const std::string& line, const std::string& command, const std::string& show,
               const std::function<int(netlink::Changer&)>& add, const std::function<int(netlink::Changer&)>& remove) {
    SCOPED_TRACE(line);
    std::string expected, before;
    {
      const auto inside = theirs_.enter();
      before = netlink::output_of(show);
      const std::string said = netlink::output_of(command);
      expected = netlink::output_of(show);
      if (expected == before) {
        // This kernel can't do it: then it refuses us, too.
        std::printf("ip(8) couldn't: %s: %s", line.c_str(), said.c_str());
      }
      std::string undo = command;
      undo.replace(undo.find(" add "), 5, " del ");
      netlink::output_of(undo);
    }
    const auto inside = ours_.enter();
    auto changer = netlink::Changer::open();
    ASSERT_TRUE(changer);
    EXPECT_EQ(add(*changer) == 0, expected != before);
    EXPECT_EQ(netlink::output_of(show), expected);
    if (expected != before) EXPECT_EQ(remove(*changer), 0);
    EXPECT_EQ(netlink::output_of(show), before);
  }

  void route(const std::string& line) {
    const bool is_v6 = line.find(':') != std::string::npos;
    const config::VrrpInstance vi = instance_of("virtual_routes", line, is_v6 ? "fe80::9" : "192.0.2.9");
    ASSERT_EQ(vi.routes.size(), 1u) << line;
    const std::string ip = is_v6 ? "ip -6" : "ip";
    compare(
        line, ip + " route add proto 18 " + line, ip + " -d route show table all proto 18",
        [&](netlink::Changer& changer) {
          auto request = add_route_request(vi.routes[0], index_of);
          return request ? changer.apply(std::move(*request)) : -1;
        },
        [&](netlink::Changer& changer) { return changer.apply(*remove_route_request(vi.routes[0], index_of)); });
  }

  void rule(const std::string& line) {
    const bool is_v6 = line.find(':') != std::string::npos;
    const config::VrrpInstance vi = instance_of("virtual_rules", line, is_v6 ? "fe80::9" : "192.0.2.9");
    ASSERT_EQ(vi.rules.size(), 1u) << line;
    const std::string ip = is_v6 ? "ip -6" : "ip";
    compare(
        line, ip + " rule add " + line + " protocol 18", ip + " -d rule show",
        [&](netlink::Changer& changer) { return changer.apply(add_rule_request(vi.rules[0])); },
        [&](netlink::Changer& changer) { return changer.apply(remove_rule_request(vi.rules[0])); });
  }

  Host theirs_;
  Host ours_;
};

TEST_F(RouteRequests, RoutesAreThoseOfIpRoute) {
  route("10.0.0.0/8 via 192.0.2.254");
  route("default via 192.0.2.254 dev e0");
  route("10.1.0.0/16 dev e0");
  route("10.1.2.3 dev e0 src 192.0.2.1 metric 20");
  route("10.2.0.0/16 via 192.0.2.254 table 100");
  route("10.2.0.0/16 via 192.0.2.254 table 1000");
  route("blackhole 10.3.0.0/16");
  route("unreachable 10.3.0.0/16 metric 5");
  route("prohibit 10.4.0.0/16");
  route("10.5.0.0/16 dev e0 scope host");
  route("10.6.0.0/16 via 198.51.100.1 dev e0 onlink");
  route("10.7.0.0/16 via 192.0.2.254 mtu 1400 advmss 1300 hoplimit 7 initcwnd 20 initrwnd 30 window 4000");
  route("10.7.0.0/16 via 192.0.2.254 mtu lock 1400");
  route("10.7.0.0/16 via 192.0.2.254 rtt 100ms rttvar 50ms rto_min 40ms reordering 5 cwnd 9 ssthresh 8");
  route("10.7.0.0/16 via 192.0.2.254 quickack 1");
  route("10.7.0.0/16 via 192.0.2.254 congctl reno");
  route("10.8.0.0/16 nexthop via 192.0.2.253 dev e0 weight 2 nexthop via 192.0.2.254 dev e0 weight 5");
  route("10.9.0.0/16 via 192.0.2.254 tos 0x10");
}

TEST_F(RouteRequests, Ipv6RoutesToo) {
  route("fd01::/64 via fd00::2");
  route("fd01::/64 dev e0 metric 30");
  route("fd02::/64 via fe80::2 dev e0 pref high");
  route("fd03::/64 nexthop via fe80::2 dev e0 weight 3 nexthop via fe80::3 dev e0");
  route("blackhole fd04::/64");
  route("fd05::/64 via fd00::2 mtu 1300 table 200");
}

TEST_F(RouteRequests, RulesAreThoseOfIpRule) {
  rule("from 10.0.0.0/8 table 100 preference 500");
  rule("to 10.0.0.0/8 lookup 1000 priority 501");
  rule("not from 10.1.0.0/16 table 100 preference 502");
  rule("iif e0 oif e1 table 100 preference 503");
  rule("fwmark 5/255 table 100 preference 504");
  rule("from 10.0.0.0/8 blackhole preference 505");
  rule("from 10.0.0.0/8 prohibit preference 506");
  rule("from 10.0.0.0/8 goto 32766 preference 507");
  rule("from 10.0.0.0/8 uidrange 5-9 table 100 preference 508");
  rule("ipproto tcp sport 10-20 dport 30-40 table 100 preference 509");
  rule("from 10.0.0.0/8 table 100 suppress_prefixlength 0 preference 510");
  rule("from 10.0.0.0/8 tos 0x10 table 100 preference 511");
  rule("from fd01::/64 table 100 preference 512");
}

TEST_F(RouteRequests, AnInterfaceThatIsNotThereIsAnError) {
  const config::VrrpInstance vi = instance_of("virtual_routes", "10.0.0.0/8 dev nowhere", "192.0.2.9");
  ASSERT_EQ(vi.routes.size(), 1u);
  const auto request = add_route_request(vi.routes[0], [](const std::string&) { return 0; });
  ASSERT_FALSE(request);
  EXPECT_NE(request.error().text().find("nowhere isn't there"), std::string::npos);
}

}  // namespace
}  // namespace sluice::control
