#include "control/netlink/messages.h"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <cstring>
#include <random>

namespace sluice::control::netlink {
namespace {

const net::MacAddr mac{{2, 0, 0, 0, 2, 11}};

/// A message as the kernel would write it.
class Message {
 public:
  template <typename Header>
  Message(int type, const Header& header) : message_(nlmsg_alloc()) {
    nlmsg_put(message_, 0, 0, type, 0, 0);
    nlmsg_append(message_, const_cast<Header*>(&header), sizeof header, NLMSG_ALIGNTO);
  }
  ~Message() { nlmsg_free(message_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  template <typename T>
  Message& with(int type, const T& value) {
    nla_put(message_, type, sizeof value, &value);
    return *this;
  }
  Message& with(int type, const char* text) {
    nla_put_string(message_, type, text);
    return *this;
  }
  template <typename Fill>
  Message& nested(int type, Fill&& fill) {
    nlattr* outer = nla_nest_start(message_, type);
    fill();
    nla_nest_end(message_, outer);
    return *this;
  }
  nlmsghdr& operator*() { return *nlmsg_hdr(message_); }

 private:
  nl_msg* message_;
};

ifinfomsg link_header() {
  ifinfomsg header{};
  header.ifi_type = ARPHRD_ETHER;
  header.ifi_index = 7;
  header.ifi_flags = IFF_UP | IFF_RUNNING;
  return header;
}

template <typename T>
const T* as(const std::optional<Event>& event) {
  return event ? std::get_if<T>(&*event) : nullptr;
}

TEST(Messages, VlanSubInterfaceCarriesItsTagAndLowerDevice) {
  Message message(RTM_NEWLINK, link_header());
  message.with(IFLA_IFNAME, "eth0.5").with(IFLA_MTU, 1496u).with(IFLA_ADDRESS, mac).with(IFLA_LINK, 3);
  message.with(IFLA_NUM_RX_QUEUES, 4u).nested(IFLA_LINKINFO, [&] {
    message.with(IFLA_INFO_KIND, "vlan").nested(IFLA_INFO_DATA, [&] {
      message.with(IFLA_VLAN_ID, std::uint16_t{5}).with(IFLA_VLAN_PROTOCOL, net::Be16(ETH_P_8021Q));
    });
  });
  const auto event = parse_event(*message);
  ASSERT_TRUE(as<LinkSet>(event));
  const Link expected{.ifindex = 7,
                      .name = "eth0.5",
                      .mac = mac,
                      .mtu = 1496,
                      .up = true,
                      .running = true,
                      .ethernet = true,
                      .kind = "vlan",
                      .vlan_8021q = true,
                      .vlan = 5,
                      .parent_ifindex = 3,
                      .rx_queues = 4};
  EXPECT_EQ(as<LinkSet>(event)->link, expected);
}

TEST(Messages, ParentInAnotherNamespaceIsNotAnInterfaceOfOurs) {
  Message message(RTM_NEWLINK, link_header());
  message.with(IFLA_IFNAME, "eth0").with(IFLA_LINK, 3).with(IFLA_LINK_NETNSID, 0);
  const auto event = parse_event(*message);
  ASSERT_TRUE(as<LinkSet>(event));
  EXPECT_EQ(as<LinkSet>(event)->link.parent_ifindex, 0);
}

TEST(Messages, BridgePortLeavingItsBridgeIsNotALinkRemoved) {
  auto header = link_header();
  header.ifi_family = AF_BRIDGE;
  EXPECT_FALSE(parse_event(*Message(RTM_DELLINK, header)));
  header.ifi_family = AF_UNSPEC;
  EXPECT_TRUE(as<LinkRemoved>(parse_event(*Message(RTM_DELLINK, header))));
}

TEST(Messages, AddressOfAPointToPointLinkIsTheLocalOne) {
  ifaddrmsg header{.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_flags = 0, .ifa_scope = 0, .ifa_index = 7};
  Message message(RTM_NEWADDR, header);
  message.with(IFA_ADDRESS, net::Ipv4Addr::of(10, 9, 0, 2)).with(IFA_LOCAL, net::Ipv4Addr::of(10, 9, 0, 1));
  const auto event = parse_event(*message);
  ASSERT_TRUE(as<AddressSet>(event));
  EXPECT_EQ(as<AddressSet>(event)->address, (InterfaceAddress{7, net::Ipv4Addr::of(10, 9, 0, 1), 32}));
}

TEST(Messages, NeighbourRemovedHasNoState) {
  ndmsg header{};
  header.ndm_family = AF_INET;
  header.ndm_ifindex = 7;
  header.ndm_state = NUD_REACHABLE;
  Message set(RTM_NEWNEIGH, header);
  set.with(NDA_DST, net::Ipv4Addr::of(10, 0, 2, 11)).with(NDA_LLADDR, mac);
  const auto event = parse_event(*set);
  ASSERT_TRUE(as<NeighbourSet>(event));
  EXPECT_TRUE(as<NeighbourSet>(event)->neighbour.usable());
  EXPECT_EQ(as<NeighbourSet>(event)->neighbour.mac, mac);
  Message gone(RTM_DELNEIGH, header);
  gone.with(NDA_DST, net::Ipv4Addr::of(10, 0, 2, 11)).with(NDA_LLADDR, mac);
  const auto removal = parse_event(*gone);
  ASSERT_TRUE(as<NeighbourSet>(removal));
  EXPECT_EQ(as<NeighbourSet>(removal)->neighbour.state, 0);
}

TEST(Messages, BridgeForwardingEntriesAndProxiesAreNoNeighbours) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  Message fdb(RTM_NEWNEIGH, header);
  fdb.with(NDA_LLADDR, mac);
  EXPECT_FALSE(parse_event(*fdb));
  header.ndm_family = AF_INET;
  header.ndm_flags = NTF_PROXY;
  Message proxy(RTM_NEWNEIGH, header);
  proxy.with(NDA_DST, net::Ipv4Addr::of(10, 0, 2, 11));
  EXPECT_FALSE(parse_event(*proxy));
}

rtmsg route_header(int type) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 32;
  header.rtm_type = std::uint8_t(type);
  return header;
}

TEST(Messages, RouteAnswerViaGatewayWithMtu) {
  Message message(RTM_NEWROUTE, route_header(RTN_UNICAST));
  message.with(RTA_OIF, 7).with(RTA_GATEWAY, net::Ipv4Addr::of(10, 0, 2, 1));
  message.with(RTA_PREFSRC, net::Ipv4Addr::of(10, 0, 2, 9)).nested(RTA_METRICS, [&] { message.with(RTAX_MTU, 1400u); });
  const RouteDecision expected{.ifindex = 7,
                               .gateway = net::Ipv4Addr::of(10, 0, 2, 1),
                               .source_address = net::Ipv4Addr::of(10, 0, 2, 9),
                               .mtu = 1400};
  EXPECT_EQ(parse_route_answer(*message), expected);
}

TEST(Messages, RouteAnswerWithIpv6GatewayForIpv4) {
  const net::Ipv6Addr gateway{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  struct {
    std::uint16_t family = AF_INET6;
    net::Ipv6Addr address{};
  } via;
  via.address = gateway;
  Message message(RTM_NEWROUTE, route_header(RTN_UNICAST));
  message.with(RTA_OIF, 7).with(RTA_VIA, via);
  const auto decision = parse_route_answer(*message);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->gateway, net::IpAddr(gateway));
}

TEST(Messages, RefusalsAreDecisionsWithAReason) {
  nlmsgerr error{};
  error.error = -ENETUNREACH;
  const auto none = parse_route_answer(*Message(NLMSG_ERROR, error));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->kind, RouteDecision::Kind::refused);
  EXPECT_EQ(none->reason, "no route");
  const auto broadcast = parse_route_answer(*Message(RTM_NEWROUTE, route_header(RTN_BROADCAST)));
  ASSERT_TRUE(broadcast);
  EXPECT_EQ(broadcast->kind, RouteDecision::Kind::refused);
}

TEST(Messages, DefaultRouteCoversEverything) {
  auto header = route_header(RTN_UNICAST);
  header.rtm_dst_len = 0;
  const auto event = parse_event(*Message(RTM_DELROUTE, header));
  ASSERT_TRUE(as<RouteChanged>(event));
  EXPECT_EQ(as<RouteChanged>(event)->prefix.first(), net::IpAddr(net::Ipv4Addr::of(0, 0, 0, 0)));
  EXPECT_EQ(as<RouteChanged>(event)->prefix.last(), net::IpAddr(net::Ipv4Addr::of(255, 255, 255, 255)));
}

TEST(Prefix, BoundsIgnoreHostBits) {
  const Prefix prefix{net::Ipv4Addr::of(10, 1, 77, 3), 18};
  EXPECT_EQ(prefix.first().text(), "10.1.64.0");
  EXPECT_EQ(prefix.last().text(), "10.1.127.255");
  const Prefix v6{*net::IpAddr::parse("2001:db8::1"), 62};
  EXPECT_EQ(v6.first().text(), "2001:db8::");
  EXPECT_EQ(v6.last().text(), "2001:db8:0:3:ffff:ffff:ffff:ffff");
}

TEST(Messages, AnyCutOfAMessageIsSurvived) {
  Message message(RTM_NEWLINK, link_header());
  message.with(IFLA_IFNAME, "eth0.5").with(IFLA_MTU, 1496u).with(IFLA_ADDRESS, mac).nested(IFLA_LINKINFO, [&] {
    message.with(IFLA_INFO_KIND, "vlan").nested(IFLA_INFO_DATA, [&] { message.with(IFLA_VLAN_ID, std::uint16_t{5}); });
  });
  const nlmsghdr& whole = *message;
  for (std::uint32_t length = 1; length <= whole.nlmsg_len; ++length) {
    // A copy of exactly this size, so that a sanitizer sees a step too far.
    std::vector<std::uint8_t> cut(length);
    std::memcpy(cut.data(), &whole, length);
    if (length >= sizeof(nlmsghdr)) reinterpret_cast<nlmsghdr*>(cut.data())->nlmsg_len = length;
    for_each_message(cut, [](const nlmsghdr& it) { static_cast<void>(parse_event(it)); });
  }
}

TEST(Messages, RandomAttributesAreSurvived) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::array<int, 6> types{RTM_NEWLINK, RTM_NEWADDR, RTM_NEWNEIGH, RTM_NEWROUTE, RTM_DELLINK, NLMSG_ERROR};
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint8_t> bytes(sizeof(nlmsghdr) + random() % 120);
    for (auto& byte : bytes) byte = std::uint8_t(random() % 4 == 0 ? random() : random() % 24);
    auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
    header->nlmsg_len = std::uint32_t(bytes.size());
    header->nlmsg_type = std::uint16_t(types[random() % types.size()]);
    for_each_message(bytes, [](const nlmsghdr& it) {
      static_cast<void>(parse_event(it));
      static_cast<void>(parse_route_answer(it));
    });
  }
}

TEST(Messages, LengthBeyondTheDatagramEndsTheWalk) {
  std::vector<std::uint8_t> bytes(2 * sizeof(nlmsghdr));
  auto* first = reinterpret_cast<nlmsghdr*>(bytes.data());
  first[0].nlmsg_len = sizeof(nlmsghdr);
  first[1].nlmsg_len = sizeof(nlmsghdr) + 1;
  int count = 0;
  for_each_message(bytes, [&](const nlmsghdr&) { ++count; });
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace sluice::control::netlink
