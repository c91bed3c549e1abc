// VRRP blocks: read for their interfaces, addresses and mistakes. Expectations are those of keepalived 2.2.7.
#include <gtest/gtest.h>

#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;
using testing::count;
using testing::parse;

std::string instance(const std::string& lines) {
  return "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.1/24\n}\n" + lines +
         "\n}\n";
}

TEST(Vrrp, AnInstanceGivesInterfacesAndAddresses) {
  const auto outcome = parse(
      "vrrp_instance VI_1 {\nstate MASTER\ninterface eth0\nvirtual_router_id 51\npriority 100\nadvert_int 1\n"
      "authentication {\nauth_type PASS\nauth_pass 1111\n}\n"
      "virtual_ipaddress {\n192.0.2.1\n192.0.2.2/24 brd 192.0.2.255 dev eth1 label eth1:1\n}\n"
      "virtual_ipaddress_excluded {\nfd00::1/64\n}\n}\n");
  EXPECT_TRUE(outcome.config.has_vrrp());
  ASSERT_EQ(outcome.config.vrrp_instances.size(), 1u);
  const VrrpInstance& vi = outcome.config.vrrp_instances[0];
  EXPECT_EQ(vi.name, "VI_1");
  EXPECT_EQ(vi.interface, "eth0");
  ASSERT_EQ(vi.addresses.size(), 2u);
  ASSERT_EQ(vi.excluded_addresses.size(), 1u);
  EXPECT_EQ(vi.addresses[0].address.text(), "192.0.2.1");
  EXPECT_EQ(vi.addresses[0].prefix_length, 32u);
  EXPECT_EQ(vi.addresses[0].interface, "eth0");
  EXPECT_EQ(vi.addresses[1].prefix_length, 24u);
  EXPECT_EQ(vi.addresses[1].interface, "eth1");
  EXPECT_EQ(vi.excluded_addresses[0].prefix_length, 64u);
  EXPECT_EQ(outcome.complaints.size(), 0u) << all_complaints(outcome);
  EXPECT_EQ(test_exit_status(outcome), 0);
}

TEST(Vrrp, MistakesGetKeepalivedsStatus) {
  const auto status = [](const std::string& lines) { return test_exit_status(parse(instance(lines))); };
  EXPECT_EQ(status(""), 0);
  EXPECT_EQ(status("state SLAVE"), 5);
  EXPECT_EQ(status("priority 255"), 0);
  EXPECT_EQ(status("priority 256"), 5);
  EXPECT_EQ(status("priority 0"), 5);
  EXPECT_EQ(status("advert_int 0.5\nversion 3"), 0);
  EXPECT_EQ(status("advert_int 0.5"), 5);
  EXPECT_EQ(status("advert_int 256"), 5);
  EXPECT_EQ(status("authentication {\nauth_type HA\nauth_pass x\n}"), 5);
  EXPECT_EQ(status("authentication {\nauth_type PASS\nauth_pass 12345678\n}"), 0);
  EXPECT_EQ(status("authentication {\nauth_type PASS\nauth_pass 123456789\n}"), 5);
  EXPECT_EQ(status("nopremept"), 5);
  EXPECT_EQ(status("virtual_ipaddress {\nfd00::1\n}"), 5);
  EXPECT_EQ(status("virtual_ipaddress {\n192.0.2.3/33\n}"), 5);
  EXPECT_EQ(status("virtual_ipaddress {\n192.0.2\n}"), 5);
  EXPECT_EQ(status("virtual_ipaddress {\n192.0.2.3 foo\n}"), 5);
  EXPECT_EQ(status("virtual_ipaddress {\n192.0.2.3 dev\n}"), 5);
  EXPECT_EQ(status("state"), 2);
  EXPECT_EQ(test_exit_status(parse("vrrp_instance A {\ninterface eth0\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n")), 5);
  EXPECT_EQ(test_exit_status(parse("vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n")),
            5);
  EXPECT_EQ(test_exit_status(parse("vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n}\n")), 5);
}

TEST(Vrrp, ThePasswordStaysOutOfTheMessage) {
  const auto outcome = parse(instance("authentication {\nauth_type PASS\nauth_pass verysecret\n}"));
  EXPECT_TRUE(complains(outcome, "auth_pass of 10 characters is cut to 8"));
  EXPECT_FALSE(complains(outcome, "verysecret"));
}

TEST(Vrrp, TheSameNameTwiceKeepsTheFirst) {
  const auto outcome = parse(instance("") + instance(""));
  EXPECT_EQ(outcome.config.vrrp_instances.size(), 1u);
  EXPECT_TRUE(complains(outcome, "there is one of that name in line 1"));
}

TEST(Vrrp, AScriptCountsOnceItIsTracked) {
  const std::string script = "vrrp_script chk {\nscript \"/bin/sh -c true\"\ninterval 2\n}\n";
  EXPECT_EQ(test_exit_status(parse(script)), 0);
  EXPECT_EQ(test_exit_status(parse(script + instance("track_script {\nchk\n}"))), 6);
  EXPECT_EQ(test_exit_status(parse(instance("notify_master /bin/sh"))), 6);
  EXPECT_EQ(test_exit_status(parse("vrrp_script chk {\ninterval 2\n}\n")), 5);
}

TEST(Vrrp, KeywordsThatWaitAreNotedOnce) {
  const auto outcome =
      parse("static_routes {\n10.0.0.0/8 via 192.0.2.9 dev eth0\n}\n" + instance("priority 90\nnopreempt") +
            "global_defs {\nuse_symlink_paths\nset_supplementary_groups\n}\nglobal_defs {\nuse_symlink_paths\n}\n");
  EXPECT_EQ(all_complaints(outcome),
            "test.conf:14:1: notice: 'use_symlink_paths' is accepted, but not acted on yet\n"
            "test.conf:15:1: notice: 'set_supplementary_groups' is accepted, but not acted on yet\n");
}

TEST(Vrrp, WhatAnInstanceDoesntSayComesFromGlobalDefs) {
  const auto outcome = parse(instance("garp_master_repeat 7\nsmtp_alert off") +
                             "global_defs {\nvrrp_version 3\nvrrp_garp_master_delay 9\nvrrp_garp_master_repeat 2\n"
                             "vrrp_down_timer_adverts 5\nsmtp_alert\nvrrp_garp_extra_if all 60\n}\n");
  ASSERT_EQ(outcome.config.vrrp_instances.size(), 1u);
  const VrrpInstance& vi = outcome.config.vrrp_instances[0];
  EXPECT_EQ(vi.version, 3u);
  EXPECT_EQ(vi.garp.master_delay.value.count(), 9);
  EXPECT_EQ(vi.garp.master_repeat.value, 7u);
  EXPECT_EQ(vi.garp.lower_prio_delay.value.count(), 9);
  EXPECT_EQ(vi.garp.lower_prio_repeat.value, 7u);
  EXPECT_EQ(vi.down_timer_adverts.value, 5u);
  EXPECT_FALSE(vi.smtp_alert);
  ASSERT_TRUE(vi.garp.extra);
  EXPECT_TRUE(vi.garp.extra->all);
}

TEST(Vrrp, MinGarpTakesThePlaceOfDefaultsOnly) {
  const auto outcome = parse("global_defs {\nvrrp_min_garp\nvrrp_garp_master_repeat 3\n}\n");
  EXPECT_EQ(outcome.config.global.vrrp.garp.master_delay.value.count(), 0);
  EXPECT_EQ(outcome.config.global.vrrp.garp.master_repeat.value, 3u);
}

TEST(Vrrp, IntervalsFitTheVersion) {
  const auto interval = [](const std::string& lines) {
    return parse(instance(lines)).config.vrrp_instances.at(0).advert_int;
  };
  EXPECT_EQ(interval("advert_int 0.4"), std::chrono::seconds(1));
  EXPECT_EQ(interval("advert_int 2.6"), std::chrono::seconds(3));
  EXPECT_EQ(interval("version 3\nadvert_int 0.016"), std::chrono::milliseconds(20));
  EXPECT_EQ(interval("version 3\nadvert_int 100"), std::chrono::milliseconds(40950));
}

TEST(Vrrp, IPv6IsVersion3) {
  const auto outcome =
      parse("vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nversion 2\nvirtual_ipaddress {\nfe80::1\n}\n}\n");
  ASSERT_EQ(outcome.config.vrrp_instances.size(), 1u);
  EXPECT_EQ(outcome.config.vrrp_instances[0].version, 3u);
  EXPECT_TRUE(outcome.config.vrrp_instances[0].is_v6);
}

TEST(Vrrp, AnOwnersPriorityIsNotTracked) {
  const auto outcome = parse(instance("priority 255\ntrack_interface {\neth1 weight 5\neth2\n}"));
  ASSERT_EQ(outcome.config.vrrp_instances.size(), 1u);
  ASSERT_EQ(outcome.config.vrrp_instances[0].tracking.interfaces.size(), 1u);
  EXPECT_EQ(outcome.config.vrrp_instances[0].tracking.interfaces[0].name, "eth2");
}

std::string named(const std::string& name, int id, const std::string& lines) {
  return "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id " + std::to_string(id) +
         "\nvirtual_ipaddress {\n192.0.2." + std::to_string(id) + "\n}\n" + lines + "\n}\n";
}

TEST(Vrrp, AGroupKeepsMembersThatExist) {
  const auto outcome = parse("vrrp_sync_group G {\ngroup {\nA B\nC\n}\n}\nvrrp_sync_group H {\ngroup {\nA\n}\n}\n" +
                             named("A", 1, "") + named("B", 2, ""));
  ASSERT_EQ(outcome.config.sync_groups.size(), 1u);
  EXPECT_EQ(outcome.config.sync_groups[0].instances, (std::vector<std::string>{"A", "B"}));
  EXPECT_TRUE(complains(outcome, "test.conf:4:1: error: 'C' ignored"));
  EXPECT_TRUE(complains(outcome, "'A' ignored, it is in a vrrp_sync_group already"));
}

/// keepalived drops such a tracker altogether: observed on 2.2.7, which then says that its script isn't used.
TEST(Vrrp, AMembersWeightsAreDropped) {
  const std::string script = "vrrp_script x {\nscript \"/no/such\"\nweight 5\n}\n";
  const std::string members = named("A", 1, "track_script {\nx\n}") + named("B", 2, "");
  const std::string group = "vrrp_sync_group G {\ngroup {\nA\nB\n}\n";
  EXPECT_TRUE(parse(script + members + group + "}\n").config.vrrp_instances[0].tracking.scripts.empty());
  EXPECT_EQ(parse(script + members + group + "sync_group_tracking_weight\n}\n")
                .config.vrrp_instances[0]
                .tracking.scripts.size(),
            1u);
}

TEST(Vrrp, AUseBeforeTheDefinitionSaysWhereThatIs) {
  const auto outcome = parse(instance("track_script {\nchk\n}") + "vrrp_script chk {\nscript \"/no/such\"\n}\n");
  EXPECT_TRUE(complains(outcome, "its vrrp_script stands in line 11: move it above its use"))
      << all_complaints(outcome);
  EXPECT_TRUE(outcome.config.vrrp_instances.at(0).tracking.scripts.empty());
}

TEST(Vrrp, InterfacesThatArentThereAreComplainedAboutIfAsked) {
  ParseOptions options;
  options.interfaces = {"eth1"};
  const auto status = [&](const std::string& text) { return test_exit_status(parse_text(text, "test.conf", options)); };
  EXPECT_EQ(status(instance("")), 5);
  EXPECT_EQ(status(instance("") + "global_defs {\ndynamic_interfaces\n}\n"), 0);
  options.interfaces->push_back("eth0");
  EXPECT_EQ(status(instance("")), 0);
  EXPECT_EQ(test_exit_status(parse(instance(""))), 0);
}

}  // namespace
}  // namespace sluice::control::config
