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
  ASSERT_EQ(vi.addresses.size(), 3u);
  EXPECT_EQ(vi.addresses[0].address.text(), "192.0.2.1");
  EXPECT_EQ(vi.addresses[0].prefix_length, 32u);
  EXPECT_EQ(vi.addresses[0].interface, "eth0");
  EXPECT_EQ(vi.addresses[1].prefix_length, 24u);
  EXPECT_EQ(vi.addresses[1].interface, "eth1");
  EXPECT_EQ(vi.addresses[2].prefix_length, 64u);
  EXPECT_EQ(outcome.complaints.size(), 1u) << all_complaints(outcome);  // one notice for the block
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
  EXPECT_EQ(status("virtual_ipaddress {\n192.0.2.3 dev\n}"), 2);
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

TEST(Vrrp, OtherBlocksAreNotedOnce) {
  const auto outcome = parse(
      "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\nnotify_master /no/such/x\n}\nstatic_routes {\n10.0.0.0/8 via "
      "192.0.2.9\n}\n"
      "bfd_instance b {\nneighbor_ip 192.0.2.7\n}\nvirtual_server_group g {\n192.0.2.1 80\n}\n");
  EXPECT_EQ(count(outcome, Severity::notice), 3u) << all_complaints(outcome);
  EXPECT_EQ(outcome.complaints.size(), 3u);
  EXPECT_FALSE(outcome.config.has_vrrp());
}

}  // namespace
}  // namespace sluice::control::config
