// A director and a real server in namespaces of their own:
//
//   director                        server
//   eth1 10.0.2.1/24  ------------- eth0 10.0.2.11/24 02:00:00:00:02:0b, 10.0.9.1/32 behind it
#include "control/netlink/next_hop.h"

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>

#include "control/netlink/test_namespace.h"
#include "net/headers.h"

namespace sluice::control::netlink {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using State = NextHop::State;

const net::Ipv4Addr server_address = net::Ipv4Addr::of(10, 0, 2, 11);
const net::IpAddr server = server_address;
const net::IpAddr behind = net::Ipv4Addr::of(10, 0, 9, 1);
const net::MacAddr server_mac{{2, 0, 0, 0, 2, 0x0b}};
const net::MacAddr other_mac{{2, 0, 0, 0, 2, 0x99}};

class NextHopTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!director_ || !server_) GTEST_SKIP() << "needs root: cannot make network namespaces";
    ASSERT_TRUE(director_->run("ip link add eth1 type veth peer name eth0 netns " + server_->path() +
                               "; ip link set eth1 address 02:00:00:00:02:01 up; ip addr add 10.0.2.1/24 dev eth1"));
    ASSERT_TRUE(
        server_->run("ip link set eth0 address 02:00:00:00:02:0b up; ip addr add 10.0.2.11/24 dev eth0;"
                     "ip addr add 10.0.9.1/32 dev lo"));
    const auto inside = director_->enter();
    auto reflector = Reflector::start(io_);
    ASSERT_TRUE(reflector) << reflector.error().text();
    reflector_ = std::move(*reflector);
    auto resolver = NextHopResolver::start(
        *reflector_, [this](const net::IpAddr& address, const NextHop& hop) { told_[address].push_back(hop); });
    ASSERT_TRUE(resolver) << resolver.error().text();
    resolver_ = std::move(*resolver);
  }

  bool until(const std::function<bool()>& done, milliseconds limit = std::chrono::seconds(5)) {
    return run_until(io_, done, limit);
  }
  NextHop hop(const net::IpAddr& address) {
    const NextHop* found = resolver_->find(address);
    return found == nullptr ? NextHop{.reason = "not watched"} : *found;
  }
  bool resolves_to(const net::IpAddr& address, const net::MacAddr& mac, milliseconds limit = std::chrono::seconds(5)) {
    return until([&] { return hop(address).state == State::resolved && hop(address).destination_mac == mac; }, limit);
  }

  /// The server tells everybody that its address is at this MAC now.
  void announce(const net::MacAddr& mac) {
    struct {
      net::EthernetHeader ethernet;
      net::Be16 hardware{1}, protocol{0x0800};
      std::uint8_t hardware_length = 6, protocol_length = 4;
      net::Be16 operation{1};
      net::MacAddr sender_mac;
      std::array<std::uint8_t, 4> sender;
      net::MacAddr target_mac;
      std::array<std::uint8_t, 4> target;
    } arp{};
    static_assert(sizeof arp == 42);
    arp.ethernet = {{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, mac, net::ether_type_arp};
    arp.sender_mac = mac;
    arp.sender = arp.target = {10, 0, 2, 11};
    const auto inside = server_->enter();
    const int raw = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = int(if_nametoindex("eth0"));
    ASSERT_EQ(sendto(raw, &arp, sizeof arp, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), ssize_t(sizeof arp));
    close(raw);
  }

  std::optional<TestNamespace> director_ = TestNamespace::create();
  std::optional<TestNamespace> server_ = TestNamespace::create();
  boost::asio::io_context io_;
  std::map<net::IpAddr, std::vector<NextHop>> told_;
  std::unique_ptr<Reflector> reflector_;
  std::unique_ptr<NextHopResolver> resolver_;
};

TEST_F(NextHopTest, ConnectedServerIsResolvedByArp) {
  resolver_->watch(server);
  EXPECT_EQ(hop(server).state, State::unresolved);
  EXPECT_TRUE(told_.empty()) << "no callback from within watch()";
  ASSERT_TRUE(resolves_to(server, server_mac, milliseconds(500)));
  const NextHop expected{.state = State::resolved,
                         .ifindex = reflector_->link("eth1")->ifindex,
                         .destination_mac = server_mac,
                         .source_mac = {{2, 0, 0, 0, 2, 1}},
                         .source_address = net::Ipv4Addr::of(10, 0, 2, 1),
                         .mtu = 1500};
  EXPECT_EQ(hop(server), expected);
  EXPECT_EQ(told_[server].back(), expected);
}

TEST_F(NextHopTest, UnchangedValueIsToldOnce) {
  resolver_->watch(server);
  ASSERT_TRUE(resolves_to(server, server_mac));
  const auto count = told_[server].size();
  ASSERT_TRUE(director_->run("ip route add 10.0.2.0/25 dev eth1 src 10.0.2.1; ip route add 10.77.0.0/16 dev eth1"));
  const auto queries = resolver_->counters().route_queries;
  ASSERT_TRUE(until([&] { return resolver_->counters().route_queries > queries; }));
  until([] { return false; }, milliseconds(100));
  EXPECT_EQ(told_[server].size(), count);
}

TEST_F(NextHopTest, RouteThroughAGatewayGivesTheGatewaysMac) {
  resolver_->watch(behind);
  ASSERT_TRUE(until([&] { return hop(behind).reason == "10.0.9.1: no route"; })) << hop(behind).reason;
  ASSERT_TRUE(director_->run("ip route add 10.0.9.0/24 via 10.0.2.11 mtu 1400"));
  ASSERT_TRUE(resolves_to(behind, server_mac));
  EXPECT_EQ(hop(behind).mtu, 1400u);
  EXPECT_EQ(hop(behind).source_address, net::Ipv4Addr::of(10, 0, 2, 1));
  ASSERT_TRUE(director_->run("ip route del 10.0.9.0/24"));
  EXPECT_TRUE(until([&] { return hop(behind).reason == "10.0.9.1: no route"; })) << hop(behind).reason;
}

TEST_F(NextHopTest, RefusingRoutesSayWhy) {
  ASSERT_TRUE(
      director_->run("ip route add unreachable 10.0.9.1; ip route add prohibit 10.0.9.2; "
                     "ip route add blackhole 10.0.9.3"));
  for (const char* text : {"10.0.9.1", "10.0.9.2", "10.0.9.3", "10.0.2.255"})
    resolver_->watch(*net::IpAddr::parse(text));
  const auto reason = [&](const char* text) { return hop(*net::IpAddr::parse(text)).reason; };
  EXPECT_TRUE(until([&] { return reason("10.0.2.255") == "10.0.2.255: is a broadcast address"; }));
  EXPECT_EQ(reason("10.0.9.1"), "10.0.9.1: the route says unreachable");
  EXPECT_EQ(reason("10.0.9.2"), "10.0.9.2: the route says prohibit");
  EXPECT_EQ(reason("10.0.9.3"), "10.0.9.3: the route says blackhole");
}

TEST_F(NextHopTest, OwnAddressesAreLocalAndComeAndGo) {
  const net::IpAddr loopback = net::Ipv4Addr::of(127, 0, 0, 1);
  resolver_->watch(loopback);
  resolver_->watch(behind);
  EXPECT_TRUE(until([&] { return hop(loopback).state == State::local; }));
  ASSERT_TRUE(director_->run("ip addr add 10.0.9.1/32 dev eth1"));
  EXPECT_TRUE(until([&] { return hop(behind).state == State::local; }));
  ASSERT_TRUE(director_->run("ip addr del 10.0.9.1/32 dev eth1"));
  EXPECT_TRUE(until([&] { return hop(behind).state == State::unresolved; }));
}

TEST_F(NextHopTest, AnnouncedMacIsFollowedAtOnce) {
  ASSERT_TRUE(director_->run("ip route add 10.0.9.0/24 via 10.0.2.11"));
  resolver_->watch(server);
  resolver_->watch(behind);
  ASSERT_TRUE(resolves_to(server, server_mac));
  ASSERT_TRUE(resolves_to(behind, server_mac));
  const auto queries = resolver_->counters().route_queries;
  ASSERT_TRUE(server_->run("ip link set eth0 address 02:00:00:00:02:99"));
  const auto begin = steady_clock::now();
  announce(other_mac);
  ASSERT_TRUE(resolves_to(server, other_mac, milliseconds(1000)));
  ASSERT_TRUE(resolves_to(behind, other_mac, milliseconds(1000)));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(200));
  EXPECT_LE(resolver_->counters().route_queries, queries + 2) << "no route is asked for because a neighbour changed";
}

TEST_F(NextHopTest, SilentlyChangedMacIsFoundOnceTheEntryFallsStale) {
  // 1 s between probes scaled down to 0.1 s; stale at once instead of after some 30 s.
  ASSERT_TRUE(director_->run("echo 100 > /proc/sys/net/ipv4/neigh/eth1/retrans_time_ms"));
  resolver_->watch(server);
  ASSERT_TRUE(resolves_to(server, server_mac));
  ASSERT_TRUE(server_->run("ip link set eth0 address 02:00:00:00:02:99"));
  ASSERT_TRUE(director_->run("ip neigh change 10.0.2.11 dev eth1 nud stale"));
  EXPECT_TRUE(resolves_to(server, other_mac, milliseconds(4000))) << hop(server).reason;
}

TEST_F(NextHopTest, ServerThatDoesNotAnswerIsAskedEverySecond) {
  ASSERT_TRUE(server_->run("ip addr del 10.0.2.11/24 dev eth0"));
  resolver_->watch(server);
  ASSERT_TRUE(until([&] { return resolver_->counters().neighbour_requests >= 1; }));
  EXPECT_TRUE(until([&] { return hop(server).reason == "no answer to ARP for 10.0.2.11 on eth1"; }))
      << hop(server).reason;
  ASSERT_TRUE(until([&] { return resolver_->counters().neighbour_requests >= 3; }));
  ASSERT_TRUE(server_->run("ip addr add 10.0.2.11/24 dev eth0"));
  EXPECT_TRUE(resolves_to(server, server_mac, milliseconds(2500)));
}

TEST_F(NextHopTest, ReachableNeighbourCostsNoRequests) {
  resolver_->watch(server);
  ASSERT_TRUE(resolves_to(server, server_mac));
  const auto requests = resolver_->counters().neighbour_requests;
  until([] { return false; }, milliseconds(1500));
  EXPECT_EQ(resolver_->counters().neighbour_requests, requests);
}

TEST_F(NextHopTest, LinkDownAndUpIsFollowed) {
  resolver_->watch(server);
  ASSERT_TRUE(resolves_to(server, server_mac));
  ASSERT_TRUE(server_->run("ip link set eth0 down"));
  EXPECT_TRUE(until([&] { return hop(server).reason == "eth1 has no carrier"; })) << hop(server).reason;
  ASSERT_TRUE(server_->run("ip link set eth0 up"));
  EXPECT_TRUE(resolves_to(server, server_mac));
  ASSERT_TRUE(director_->run("ip link set eth1 down"));
  EXPECT_TRUE(until([&] { return hop(server).state == State::unresolved; }));
  EXPECT_TRUE(until([&] { return hop(server).reason == "10.0.2.11: no route"; })) << hop(server).reason;
  ASSERT_TRUE(director_->run("ip link set eth1 up"));
  EXPECT_TRUE(resolves_to(server, server_mac)) << hop(server).reason;
}

TEST_F(NextHopTest, MtuAndMacOfTheEgressAreFollowed) {
  resolver_->watch(server);
  ASSERT_TRUE(resolves_to(server, server_mac));
  ASSERT_TRUE(director_->run("ip link set eth1 mtu 1300; ip link set eth1 address 02:00:00:00:02:77"));
  EXPECT_TRUE(until([&] { return hop(server).mtu == 1300 && hop(server).source_mac.bytes[5] == 0x77; }));
}

TEST_F(NextHopTest, PolicyRoutingIsTheKernelsOwn) {
  resolver_->watch(behind);
  ASSERT_TRUE(until([&] { return hop(behind).reason == "10.0.9.1: no route"; }));
  ASSERT_TRUE(director_->run("ip route add 10.0.9.0/24 via 10.0.2.11 table 7; ip rule add to 10.0.9.0/24 lookup 7"));
  EXPECT_TRUE(resolves_to(behind, server_mac));
}

TEST_F(NextHopTest, WatchesAreCounted) {
  resolver_->watch(server);
  resolver_->watch(server);
  resolver_->unwatch(server);
  ASSERT_TRUE(resolves_to(server, server_mac));
  resolver_->unwatch(server);
  EXPECT_EQ(resolver_->find(server), nullptr);
  const auto count = told_[server].size();
  announce(other_mac);
  until([] { return false; }, milliseconds(50));
  EXPECT_EQ(told_[server].size(), count);
  resolver_->unwatch(server);  // one too many does no harm
}

TEST_F(NextHopTest, CallbackMayUnwatch) {
  const auto inside = director_->enter();
  NextHopResolver* self = nullptr;
  int calls = 0;
  auto other = NextHopResolver::start(*reflector_, [&](const net::IpAddr& address, const NextHop&) {
    ++calls;
    self->unwatch(address);
  });
  ASSERT_TRUE(other);
  self = other->get();
  self->watch(server);
  self->watch(behind);
  EXPECT_TRUE(until([&] { return calls == 2; }));
  EXPECT_EQ(self->counters().watched, 0u);
}

TEST_F(NextHopTest, ThousandsOfWatchesAreResolvedQuicklyAndLeaveNeighbourEventsCheap) {
  ASSERT_TRUE(director_->run("ip route add 10.64.0.0/16 via 10.0.2.11"));
  constexpr std::uint32_t count = 5000;
  const auto begin = steady_clock::now();
  for (std::uint32_t i = 0; i < count; ++i) {
    resolver_->watch(net::Ipv4Addr::from_host(net::Ipv4Addr::of(10, 64, 0, 1).host() + i));
  }
  const net::IpAddr last = net::Ipv4Addr::from_host(net::Ipv4Addr::of(10, 64, 0, 0).host() + count);
  ASSERT_TRUE(resolves_to(last, server_mac));
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  RecordProperty("milliseconds", int(took.count()));
  const auto queries = resolver_->counters().route_queries;
  announce(other_mac);
  ASSERT_TRUE(resolves_to(last, other_mac, milliseconds(1000)));
  EXPECT_LE(resolver_->counters().route_queries, queries + count / 10);
}

TEST_F(NextHopTest, VlanSubInterfaceIsResolvedToItsLowerDevice) {
  if (!director_->run("ip link add link eth1 name eth1.5 type vlan id 5 2>/dev/null")) {
    GTEST_SKIP() << "this kernel has no 802.1Q";
  }
  ASSERT_TRUE(
      server_->run("ip link add link eth0 name eth0.5 type vlan id 5; ip link set eth0.5 up; "
                   "ip addr add 10.0.5.11/24 dev eth0.5"));
  ASSERT_TRUE(director_->run("ip link set eth1.5 up; ip addr add 10.0.5.1/24 dev eth1.5"));
  const net::IpAddr tagged = net::Ipv4Addr::of(10, 0, 5, 11);
  resolver_->watch(tagged);
  ASSERT_TRUE(resolves_to(tagged, server_mac));
  EXPECT_EQ(hop(tagged).vlan, 5);
  EXPECT_EQ(hop(tagged).ifindex, reflector_->link("eth1")->ifindex);
}

TEST_F(NextHopTest, Ipv6IsResolvedByNeighbourDiscovery) {
  if (!director_->run("ip addr add 2001:db8:2::1/64 dev eth1 nodad 2>/dev/null")) GTEST_SKIP() << "no IPv6 here";
  ASSERT_TRUE(server_->run("ip addr add 2001:db8:2::11/64 dev eth0 nodad"));
  const auto v6 = *net::IpAddr::parse("2001:db8:2::11");
  resolver_->watch(v6);
  EXPECT_TRUE(resolves_to(v6, server_mac)) << hop(v6).reason;
}

}  // namespace
}  // namespace sluice::control::netlink
