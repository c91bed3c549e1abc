#include "control/vrrp/setup.h"

#include <gtest/gtest.h>

#include "control/config/parse.h"

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

config::Config config_of(const std::string& text) { return config::parse_text(text, "test.conf").config; }

config::Config one(const std::string& lines, const std::string& global = "") {
  return config_of("global_defs {\n" + global + "\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 51\n" +
                   lines + "\nvirtual_ipaddress {\n192.0.2.1/24\n192.0.2.2/24\n}\n}\n");
}

net::IpAddr address(const char* text) { return *net::IpAddr::parse(text); }

TEST(VrrpSetup, TheElectionGetsWhatTheInstanceSays) {
  const auto config =
      one("version 3\npriority 150\nadvert_int 0.25\nstate BACKUP\nnopreempt\nno_accept\nlower_prio_no_advert",
          "vrrp_startup_delay 2.5\nvrrp_down_timer_adverts 4");
  const auto election = election_of(config.vrrp_instances.at(0), config.global, address("192.0.2.9"));
  EXPECT_EQ(election.name, "V");
  EXPECT_EQ(election.version, vrrp::Version::v3);
  EXPECT_EQ(election.priority, 150);
  EXPECT_EQ(election.advertisement_interval, 250ms);
  EXPECT_FALSE(election.preempt_mode);
  EXPECT_FALSE(election.accept_mode);
  EXPECT_TRUE(election.lower_prio_no_advert);
  EXPECT_EQ(election.startup_delay, 2500ms);
  EXPECT_EQ(election.down_timer_adverts, 4u);
  EXPECT_EQ(election.source, address("192.0.2.9"));
  EXPECT_FALSE(election.unicast);
}

TEST(VrrpSetup, TheWireGetsAuthenticationAndPeers) {
  const auto config =
      one("authentication {\nauth_type AH\nauth_pass s3cret12\n}\nunicast_peer {\n192.0.2.7 min_ttl 250\n}");
  const auto wire = wire_of(config.vrrp_instances.at(0), 1500);
  EXPECT_EQ(wire.version, vrrp::Version::v2);
  EXPECT_EQ(wire.vrid, 51);
  EXPECT_EQ(wire.authentication.type, vrrp::AuthType::ah);
  EXPECT_EQ(std::string(wire.authentication.key.begin(), wire.authentication.key.end()), "s3cret12");
  EXPECT_EQ(wire.addresses, (std::vector<net::IpAddr>{address("192.0.2.1"), address("192.0.2.2")}));
  ASSERT_EQ(wire.peers.size(), 1u);
  EXPECT_TRUE(wire.peers[0].checks_ttl);
  EXPECT_EQ(wire.peers[0].ttl_min, 250);
  EXPECT_EQ(wire.peers[0].ttl_max, 255);
}

TEST(VrrpSetup, TheWireGetsKeysAndModeOfAuthHmac) {
  const std::string key(32, 'k');
  const std::vector<vrrp::HmacKey> keys = {{1, std::vector<std::uint8_t>(32, 'k')}};
  const auto wire = [&](const std::string& lines, const std::string& hmac, std::span<const vrrp::HmacKey> read) {
    const auto config = one(lines + "\nauth_hmac {\nkey 1 " + key + "\nkey 2 file:/k2\n" + hmac + "\n}");
    return wire_of(config.vrrp_instances.at(0), 1500, read);
  };
  const auto plain = wire("", "", keys);
  EXPECT_EQ(plain.hmac, (vrrp::HmacAuthentication{keys, 1, vrrp::HmacAuthentication::Mode::enforce, 5s}));
  EXPECT_EQ(plain.authentication.type, vrrp::AuthType::none);
  EXPECT_EQ(wire("advert_int 3", "", keys).hmac->window, 9s);
  EXPECT_EQ(wire("version 3\nadvert_int 2.5", "", keys).hmac->window, 8s);
  EXPECT_EQ(wire("advert_int 3", "time_window 20", keys).hmac->window, 20s);
  EXPECT_EQ(wire("", "anti_replay monotonic", keys).hmac->window, std::nullopt);
  EXPECT_FALSE(lacks_key(plain));
  EXPECT_TRUE(lacks_key(wire("", "", {})));
  EXPECT_TRUE(lacks_key(wire("", "active_key 2", keys))) << "that one couldn't be read";
  EXPECT_FALSE(lacks_key(wire("", "active_key 2\nmode receive-only", keys)));
  EXPECT_TRUE(lacks_key(wire("", "mode receive-only", {})));
  EXPECT_FALSE(wire("authentication {\nauth_type PASS\nauth_pass x\n}", "", keys).authentication.type !=
               vrrp::AuthType::none)
      << "one excludes the other";
}

TEST(VrrpSetup, WhatAnAdvertisementHasNoRoomForIsLeftOut) {
  const auto config = one("");
  EXPECT_EQ(wire_of(config.vrrp_instances.at(0), 14 + 20 + 16 + 4).addresses.size(), 1u);
}

TEST(VrrpSetup, UnknownThingsHaveNoEffectEitherWay) {
  const auto config = config_of(
      "vrrp_script up {\nscript /bin/true\nweight 10\n}\nvrrp_script down {\nscript /bin/true\nweight -10\n}\n"
      "vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\ntrack_script {\nup\ndown\n}\n"
      "track_interface {\neth1 weight 5 reverse\neth2\n}\nvirtual_ipaddress {\n192.0.2.1\n192.0.3.1 dev eth3\n}\n}\n");
  const auto trackers = trackers_of(config.vrrp_instances.at(0), nullptr);
  ASSERT_EQ(trackers.size(), 5u) << "two scripts, two interfaces, and that of an address";
  EXPECT_EQ(vrrp::sum_of_deltas(trackers), 0);
  for (const auto& tracker : trackers) EXPECT_FALSE(is_fault(tracker)) << tracker.name;
}

TEST(VrrpSetup, SettingsOfTheHostAreWhatTheFileAsksFor) {
  EXPECT_TRUE(sysctls_of(one("")).empty());
  const std::vector<Sysctl> wanted = {{"ipv4/conf/eth0/promote_secondaries", 1},
                                      {"ipv4/igmp_link_local_mcast_reports", 0}};
  EXPECT_EQ(sysctls_of(one("promote_secondaries", "disable_local_igmp")), wanted);
}

TEST(VrrpSetup, NobodyBlocksUnlessTheFileOrStrictModeSaysSo) {
  const auto blocks = [](const std::string& lines) {
    return may_block(one("version 3\n" + lines).vrrp_instances.at(0));
  };
  EXPECT_FALSE(blocks(""));
  EXPECT_TRUE(blocks("no_accept"));
  EXPECT_TRUE(blocks("strict_mode on"));
  EXPECT_FALSE(blocks("strict_mode on\naccept"));
  EXPECT_FALSE(blocks("no_accept\npriority 255"));
}

TEST(VrrpSetup, EveryInterfaceThatTheFileNamesHasToBeThere) {
  const std::string lines =
      "use_vmac vip0\ntrack_interface {\neth1\n}\nvirtual_ipaddress_excluded {\n"
      "192.0.2.3/24 dev vip0\n192.0.2.4/24 dev eth2\n}";
  const std::vector<std::string> some = {"lo", "eth0"}, all = {"lo", "eth0", "eth1", "eth2"};
  const auto missing = missing_interfaces(one(lines), some);
  ASSERT_EQ(missing.size(), 2u);
  EXPECT_NE(missing[0].text().find("test.conf:13:"), std::string::npos) << missing[0].text();
  EXPECT_NE(missing[0].text().find("'eth2'"), std::string::npos);
  EXPECT_NE(missing[1].text().find("'eth1'"), std::string::npos);
  EXPECT_TRUE(missing_interfaces(one(lines), all).empty());
  EXPECT_TRUE(missing_interfaces(one(lines, "dynamic_interfaces"), some).empty());
}

TEST(VrrpSetup, TheReceiveBufferIsAsThePolicySays) {
  const auto bytes = [](const std::string& lines, const std::string& global) {
    const auto config = one(lines, global);
    const auto& instance = config.vrrp_instances.at(0);
    return receive_buffer_of(instance, config.global, wire_of(instance, 1500), 1400);
  };
  EXPECT_EQ(bytes("", ""), 0u);
  EXPECT_EQ(bytes("", "vrrp_rx_bufs_multiplier 5"), 0u);
  EXPECT_EQ(bytes("", "vrrp_rx_bufs_policy MTU"), 3 * 1400u);
  EXPECT_EQ(bytes("", "vrrp_rx_bufs_policy MTU\nvrrp_rx_bufs_multiplier 5"), 5 * 1400u);
  EXPECT_EQ(bytes("", "vrrp_rx_bufs_policy ADVERT"), 3 * (20 + 8 + 2 * 4 + 8u));
  EXPECT_EQ(bytes("", "vrrp_rx_bufs_policy 10000"), 10000u);
  EXPECT_EQ(bytes("kernel_rx_buf_size 7000", "vrrp_rx_bufs_policy 10000"), 7000u);
}

TEST(VrrpSetup, ARouterIsTheSameByWhatOthersKnowOfIt) {
  const auto before = one("").vrrp_instances.at(0);
  auto after = one("priority 90\nadvert_int 2").vrrp_instances.at(0);
  after.name = "another";
  EXPECT_TRUE(is_same_router(before, after));
  after.virtual_router_id = 52;
  EXPECT_FALSE(is_same_router(before, after));
  EXPECT_FALSE(is_same_router(before, one("unicast_peer {\n192.0.2.7\n}").vrrp_instances.at(0)));
  EXPECT_FALSE(is_same_router(before, one("version 3").vrrp_instances.at(0)));
}

TEST(VrrpSetup, TheGroupIsTheInstanceSOrTheGlobalOne) {
  EXPECT_EQ(group_of(one("").vrrp_instances.at(0), {}), address("224.0.0.18"));
  const auto config = one("", "vrrp_mcast_group4 224.0.0.20");
  EXPECT_EQ(group_of(config.vrrp_instances.at(0), config.global), address("224.0.0.20"));
}

}  // namespace
}  // namespace sluice::control
