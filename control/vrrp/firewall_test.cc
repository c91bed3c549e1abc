#include "control/vrrp/firewall.h"

#include <gtest/gtest.h>
#include <nftables/libnftables.h>

#include "control/netlink/test_namespace.h"

namespace sluice::control {
namespace {

net::IpAddr address(const char* text) { return *net::IpAddr::parse(text); }

TEST(FirewallRules, SayOnlyWhatChanges) {
  const FirewallSettings settings{.table = "t"};
  const BlockedAddress v4{address("10.0.0.1"), ""}, other{address("10.0.0.2"), ""}, v6{address("fd00::1"), ""};
  const BlockedAddress local{address("fe80::1"), "eth0"}, by_number{address("fe80::1"), "7"};
  EXPECT_EQ(element_commands(settings, {}, {v4, other}), "add element ip t vips { 10.0.0.1, 10.0.0.2 }\n");
  EXPECT_EQ(element_commands(settings, {v4, v6}, {other, v6}),
            "delete element ip t vips { 10.0.0.1 }\nadd element ip t vips { 10.0.0.2 }\n");
  EXPECT_EQ(element_commands(settings, {v6}, {local}),
            "delete element ip6 t vips { fd00::1 }\nadd element ip6 t vips_link_local { fe80::1 . \"eth0\" }\n");
  EXPECT_EQ(element_commands(settings, {}, {by_number}), "add element ip6 t vips_link_local { fe80::1 . 7 }\n");
  EXPECT_EQ(element_commands(settings, {v4}, {v4}), "");
}

/// In a network namespace of its own; what the kernel says of its tables.
class FirewallInKernel : public testing::Test {
 protected:
  void SetUp() override {
    if (!space_) GTEST_SKIP() << "needs the right to make a network namespace";
    inside_.reset(new Inside(space_->enter()));
    firewall_.emplace([this](const std::string& line) { said_ += line + "\n"; });
    firewall_->configure({}, false);
    if (!said_.empty()) GTEST_SKIP() << said_;
  }
  void TearDown() override {
    firewall_.reset();
    inside_.reset();
  }

  static std::string ruleset(const char* commands = "list ruleset") {
    nft_ctx* nft = ::nft_ctx_new(NFT_CTX_DEFAULT);
    ::nft_ctx_buffer_output(nft);
    ::nft_ctx_buffer_error(nft);
    EXPECT_EQ(::nft_run_cmd_from_buffer(nft, commands), 0) << ::nft_ctx_get_error_buffer(nft);
    std::string text = ::nft_ctx_get_output_buffer(nft);
    ::nft_ctx_free(nft);
    return text;
  }
  static bool has(const std::string& what) { return ruleset().find(what) != std::string::npos; }

  const BlockedAddress v4{address("10.0.0.1"), ""}, v6{address("fd00::1"), ""}, local{address("fe80::1"), "lo"};
  using Inside = netlink::TestNamespace::Inside;
  std::optional<netlink::TestNamespace> space_ = netlink::TestNamespace::create();
  std::unique_ptr<Inside> inside_;
  std::optional<Firewall> firewall_;
  std::string said_;
};

TEST_F(FirewallInKernel, AddressesComeAndGo) {
  firewall_->configure({}, true);
  EXPECT_FALSE(has("elements"));
  firewall_->block({v4, v6, local});
  EXPECT_TRUE(has("elements = { 10.0.0.1 }"));
  EXPECT_TRUE(has("elements = { fd00::1 }"));
  EXPECT_TRUE(has("elements = { fe80::1 . \"lo\" }"));
  firewall_->block({v6});
  EXPECT_FALSE(has("10.0.0.1"));
  EXPECT_TRUE(has("fd00::1"));
  firewall_->release();
  EXPECT_EQ(ruleset(), "");
  EXPECT_EQ(said_, "");
}

TEST_F(FirewallInKernel, SettingsDecideAboutNamePriorityAndCounters) {
  firewall_->configure({.table = "mine", .priority = -7, .counters = true, .by_ifindex = true}, true);
  firewall_->block({v4, {address("fe80::1"), "1"}});
  EXPECT_TRUE(has("table ip mine"));
  EXPECT_TRUE(has("priority filter - 7"));
  EXPECT_TRUE(has("ip daddr @vips counter packets 0 bytes 0 drop"));
  EXPECT_TRUE(has("fe80::1 . \"lo\""));
  // Another table in its place, with what was blocked.
  firewall_->configure({.table = "other"}, true);
  EXPECT_FALSE(has("table ip mine"));
  EXPECT_TRUE(has("table ip other"));
  EXPECT_TRUE(has("10.0.0.1"));
  firewall_->configure({.table = "other"}, false);
  EXPECT_EQ(ruleset(), "");
  EXPECT_EQ(said_, "");
}

TEST_F(FirewallInKernel, WhatADeadDirectorLeftGoes) {
  ruleset(table_commands({}).c_str());
  ruleset("add element ip keepalived vips { 10.0.0.9 }");
  ruleset("table ip others { }");
  for (const bool is_needed : {true, false}) {
    Firewall next([this](const std::string& line) { said_ += line + "\n"; });
    next.configure({}, is_needed);
    EXPECT_FALSE(has("10.0.0.9"));
    EXPECT_EQ(has("table ip keepalived"), is_needed);
    EXPECT_TRUE(has("table ip others"));
    next.block({});
  }
  EXPECT_EQ(said_, "");
}

TEST_F(FirewallInKernel, ATableThatSomebodyFlushedIsMadeAgain) {
  firewall_->configure({}, true);
  firewall_->block({v4});
  ruleset("flush ruleset");
  firewall_->block({v4, v6});
  EXPECT_TRUE(has("10.0.0.1"));
  EXPECT_TRUE(has("fd00::1"));
  EXPECT_NE(said_, "");  // somebody should know
}

}  // namespace
}  // namespace sluice::control
