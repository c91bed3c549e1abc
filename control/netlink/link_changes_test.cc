#include "control/netlink/link_changes.h"

#include <gtest/gtest.h>
#include <linux/pkt_cls.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "control/netlink/changes.h"
#include "control/netlink/reflector.h"
#include "control/netlink/test_namespace.h"

namespace sluice::control::netlink {
namespace {

class LinkChangesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!namespace_) GTEST_SKIP() << "needs root, to make a network namespace";
    inside_.reset(new TestNamespace::Inside(namespace_->enter()));
    ASSERT_TRUE(namespace_->run("ip link add e0 type veth peer name e1; ip link set e0 up; ip link set e1 up"));
    auto changer = Changer::open();
    ASSERT_TRUE(changer) << changer.error().text();
    changer_.emplace(std::move(*changer));
  }

  static int index_of(const char* name) { return int(if_nametoindex(name)); }
  static NewMacvlan macvlan() {
    return {.name = "vrrp.51", .parent_ifindex = index_of("e0"), .mac = *net::MacAddr::parse("00:00:5e:00:01:33")};
  }

  std::optional<TestNamespace> namespace_ = TestNamespace::create();
  std::unique_ptr<TestNamespace::Inside> inside_;
  std::optional<Changer> changer_;
};

TEST_F(LinkChangesTest, AMacvlanComesPrivateWithItsMacAndGoes) {
  ASSERT_EQ(changer_->apply(add_macvlan_request(macvlan())), 0);
  EXPECT_EQ(changer_->apply(add_macvlan_request(macvlan())), EEXIST);
  const std::string shown = output_of("ip -d link show vrrp.51");
  EXPECT_NE(shown.find("00:00:5e:00:01:33"), std::string::npos) << shown;
  EXPECT_NE(shown.find("macvlan mode private"), std::string::npos) << shown;
  EXPECT_NE(shown.find("vrrp.51@e0"), std::string::npos) << shown;
  EXPECT_EQ(changer_->apply(remove_link_request(index_of("vrrp.51"))), 0);
  EXPECT_EQ(index_of("vrrp.51"), 0);
}

TEST_F(LinkChangesTest, WhatWasDoneIsInTheMirrorAfterCatchingUp) {
  boost::asio::io_context io;
  auto reflector = Reflector::start(io);
  ASSERT_TRUE(reflector);
  ASSERT_EQ(changer_->apply(add_macvlan_request(macvlan())), 0);
  EXPECT_EQ((*reflector)->link("vrrp.51"), nullptr);
  (*reflector)->catch_up();
  const Link* link = (*reflector)->link("vrrp.51");
  ASSERT_NE(link, nullptr);
  EXPECT_EQ(link->kind, "macvlan");
  EXPECT_TRUE(link->private_mode);
  EXPECT_EQ(link->parent_ifindex, index_of("e0"));
}

TEST_F(LinkChangesTest, WithoutGeneratedAddressesThereIsNoneWhenItIsUp) {
  ASSERT_EQ(changer_->apply(add_macvlan_request(macvlan())), 0);
  const int ifindex = index_of("vrrp.51");
  ASSERT_EQ(changer_->apply(no_generated_address_request(ifindex)), 0);
  ASSERT_EQ(changer_->apply(set_up_request(ifindex)), 0);
  EXPECT_EQ(output_of("ip -o addr show dev vrrp.51"), "");
  EXPECT_NE(output_of("ip -o link show vrrp.51").find("UP"), std::string::npos);
}

TEST_F(LinkChangesTest, AFilterIsThereOnce) {
  const int ifindex = index_of("e0");
  ASSERT_EQ(changer_->apply(add_filter_hook_request(ifindex)), 0);
  constexpr std::array<sock_filter, 1> drop{{{BPF_RET | BPF_K, 0, 0, TC_ACT_SHOT}}};
  ASSERT_EQ(changer_->apply(add_egress_filter_request(ifindex, drop)), 0);
  EXPECT_EQ(changer_->apply(add_egress_filter_request(ifindex, drop)), EEXIST);
  EXPECT_NE(output_of("tc filter show dev e0 egress").find("direct-action"), std::string::npos);
}

}  // namespace
}  // namespace sluice::control::netlink
