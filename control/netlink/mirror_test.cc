#include "control/netlink/mirror.h"

#include <gtest/gtest.h>
#include <linux/neighbour.h>

namespace sluice::control::netlink {
namespace {

const net::IpAddr vip = net::Ipv4Addr::of(10, 0, 0, 1);
const net::IpAddr server = net::Ipv4Addr::of(10, 0, 2, 11);
const net::MacAddr mac{{2, 0, 0, 0, 2, 11}};

Link link(int ifindex, const char* name) { return {.ifindex = ifindex, .name = name, .mtu = 1500, .up = true}; }

TEST(Mirror, RepetitionIsNoChange) {
  Mirror mirror;
  EXPECT_EQ(mirror.apply(LinkSet{link(1, "eth0")}).size(), 1u);
  EXPECT_EQ(mirror.apply(LinkSet{link(1, "eth0")}).size(), 0u);
  EXPECT_EQ(mirror.apply(AddressSet{{1, vip, 32}}).size(), 1u);
  EXPECT_EQ(mirror.apply(AddressSet{{1, vip, 32}}).size(), 0u);
  const NeighbourSet neighbour{{.key = {1, server}, .mac = mac, .state = NUD_REACHABLE}};
  EXPECT_EQ(mirror.apply(neighbour).size(), 1u);
  EXPECT_EQ(mirror.apply(neighbour).size(), 0u);
}

TEST(Mirror, AddressOnTwoInterfacesStaysLocalUntilBothLostIt) {
  Mirror mirror;
  mirror.apply(LinkSet{link(1, "eth0")});
  mirror.apply(LinkSet{link(2, "eth1")});
  mirror.apply(AddressSet{{2, vip, 32}});
  mirror.apply(AddressSet{{1, vip, 32}});
  mirror.apply(AddressSet{{1, vip, 24}});
  EXPECT_EQ(mirror.link_with(vip)->name, "eth0");
  mirror.apply(AddressRemoved{{1, vip, 32}});
  EXPECT_EQ(mirror.link_with(vip)->name, "eth0");
  mirror.apply(AddressRemoved{{1, vip, 24}});
  EXPECT_EQ(mirror.link_with(vip)->name, "eth1");
  EXPECT_TRUE(mirror.is_local(vip));
  mirror.apply(AddressRemoved{{2, vip, 32}});
  EXPECT_FALSE(mirror.is_local(vip));
  EXPECT_EQ(mirror.link_with(vip), nullptr);
}

TEST(Mirror, LoopbackIsLocalWithoutAnyInterface) {
  const Mirror mirror;
  EXPECT_TRUE(mirror.is_local(net::Ipv4Addr::of(127, 0, 0, 1)));
  EXPECT_TRUE(mirror.is_local(net::Ipv4Addr::of(127, 200, 0, 1)));
  EXPECT_TRUE(mirror.is_local(*net::IpAddr::parse("::1")));
  EXPECT_FALSE(mirror.is_local(*net::IpAddr::parse("::2")));
  EXPECT_FALSE(mirror.is_local(server));
}

TEST(Mirror, RemovedLinkTakesItsAddressesAndNeighboursWithIt) {
  Mirror mirror;
  mirror.apply(LinkSet{link(1, "eth0")});
  mirror.apply(LinkSet{link(2, "eth1")});
  mirror.apply(AddressSet{{1, vip, 32}});
  mirror.apply(NeighbourSet{{.key = {1, server}, .mac = mac, .state = NUD_REACHABLE}});
  mirror.apply(NeighbourSet{{.key = {2, server}, .mac = mac, .state = NUD_REACHABLE}});
  const auto changes = mirror.apply(LinkRemoved{link(1, "")});
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<AddressRemoved>(changes[0]));
  EXPECT_TRUE(std::holds_alternative<NeighbourSet>(changes[1]));
  EXPECT_EQ(std::get<LinkRemoved>(changes[2]).link.name, "eth0");
  EXPECT_EQ(mirror.neighbour({1, server}), nullptr);
  EXPECT_NE(mirror.neighbour({2, server}), nullptr);
  EXPECT_FALSE(mirror.is_local(vip));
}

TEST(Mirror, ResyncRemovesExactlyWhatWasNotMentioned) {
  Mirror mirror;
  mirror.apply(LinkSet{link(1, "eth0")});
  mirror.apply(LinkSet{link(2, "eth1")});
  mirror.apply(AddressSet{{1, vip, 32}});
  mirror.apply(AddressSet{{1, server, 24}});
  mirror.begin_resync();
  mirror.apply(LinkSet{link(1, "eth0")});
  mirror.apply(AddressSet{{1, server, 24}});
  const auto changes = mirror.finish_resync();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(std::get<AddressRemoved>(changes[0]).address.address, vip);
  EXPECT_EQ(std::get<LinkRemoved>(changes[1]).link.name, "eth1");
  EXPECT_TRUE(mirror.is_local(server));
}

TEST(Mirror, NeighbourWithoutStateIsNoNeighbour) {
  Mirror mirror;
  EXPECT_TRUE(mirror.apply(NeighbourSet{{.key = {1, server}}}).empty());
  EXPECT_EQ(mirror.neighbour({1, server}), nullptr);
}

}  // namespace
}  // namespace sluice::control::netlink
