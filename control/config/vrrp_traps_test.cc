// Settings that keepalived takes and that hurt: each gets a notice that says what will happen and what to write
// instead.
#include <gtest/gtest.h>

#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;
using testing::parse;

std::string instance(const std::string& name, int id, const std::string& lines) {
  return "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id " + std::to_string(id) +
         "\nvirtual_ipaddress {\n192.0.2.1\n}\n" + lines + "\n}\n";
}

/// Says so, and -t isn't red because of it.
void expect_careful(const std::string& text, const std::string& part) {
  const auto outcome = parse(text);
  EXPECT_TRUE(complains(outcome, "notice: careful: ")) << all_complaints(outcome);
  EXPECT_TRUE(complains(outcome, part)) << all_complaints(outcome);
  EXPECT_EQ(test_exit_status(outcome), 0) << all_complaints(outcome);
}

void expect_calm(const std::string& text) {
  const auto outcome = parse(text);
  EXPECT_FALSE(complains(outcome, "careful: ")) << all_complaints(outcome);
}

TEST(Traps, AnOrdinaryPairIsNone) {
  const std::string script = "vrrp_script c {\nscript \"/no/such\"\nweight -20\n}\n";
  expect_calm(script + instance("A", 1, "state MASTER\npriority 110\ntrack_script {\nc\n}"));
  expect_calm(script + instance("A", 1, "state BACKUP\npriority 100\ntrack_script {\nc\n}"));
  expect_calm(instance("A", 1, "priority 255\nstrict_mode"));
}

TEST(Traps, StrictModeDropsPacketsToItsAddresses) {
  expect_careful("global_defs {\nvrrp_strict\n}\n" + instance("A", 1, ""),
                 "packets to its virtual addresses are dropped");
  expect_calm(instance("A", 1, "strict_mode\nversion 3\naccept"));
}

TEST(Traps, AMasterWithAhHasToListenFirst) {
  const std::string ah = "authentication {\nauth_type AH\nauth_pass x\n}\n";
  const auto outcome = parse(instance("A", 1, "state MASTER\n" + ah));
  EXPECT_TRUE(complains(outcome, "state MASTER is taken as BACKUP")) << all_complaints(outcome);
  EXPECT_EQ(outcome.config.vrrp_instances.at(0).state, InitialState::backup);
  EXPECT_FALSE(complains(parse(instance("A", 1, ah)), "taken as BACKUP"));
  EXPECT_FALSE(complains(parse(instance("A", 1, "state MASTER\npriority 255\n" + ah)), "taken as BACKUP"));
}

TEST(Traps, StrictModeKnowsNoUnicast) {
  expect_careful(instance("A", 1, "strict_mode\nversion 3\naccept\nunicast_peer {\n192.0.2.7\n}"), "has unicast_peers");
}

TEST(Traps, NopreemptWithStateMasterIsTakenBack) {
  const auto outcome = parse(instance("A", 1, "state MASTER\nnopreempt"));
  EXPECT_TRUE(complains(outcome, "nopreempt ignored: it doesn't go with state MASTER, expected state BACKUP"))
      << all_complaints(outcome);
  EXPECT_FALSE(outcome.config.vrrp_instances.at(0).nopreempt);
  EXPECT_EQ(test_exit_status(outcome), 5);
}

TEST(Traps, ARouterIdBelongsToOneInstance) {
  const auto outcome = parse(instance("A", 7, "") + instance("B", 7, ""));
  EXPECT_TRUE(complains(outcome, "'A' and 'B' both have virtual_router_id 7 for IPv4 on 'eth0'"));
  EXPECT_EQ(test_exit_status(outcome), 5);
  EXPECT_EQ(test_exit_status(parse(instance("A", 7, "") + instance("B", 8, ""))), 0);
}

TEST(Traps, AWeightThatNeverActs) {
  expect_careful(instance("A", 1, "priority 254\ntrack_interface {\neth1 weight 20\n}"),
                 "the weight 20 of 'eth1' never acts");
  expect_careful(instance("A", 1, "priority 1\ntrack_interface {\neth1 weight -20\n}"), "never acts");
  expect_careful(instance("A", 1, "priority 1\ntrack_interface {\neth1 weight 20 reverse\n}"), "never acts");
}

TEST(Traps, AWeightThatActsInPart) {
  expect_careful(instance("A", 1, "priority 250\ntrack_interface {\neth1 weight 20\n}"),
                 "the weight 20 of 'eth1' acts as 4");
}

TEST(Traps, WeightsTooSmallToLoseAgainstTheUsualBackup) {
  expect_careful(instance("A", 1, "state MASTER\npriority 200\ntrack_interface {\neth1 weight -20\neth2 weight -10\n}"),
                 "its priority is still 170");
}

TEST(Traps, MembersOfAGroupShouldBeAlike) {
  const std::string group = "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n";
  expect_careful(group + instance("A", 1, "priority 100") + instance("B", 2, "priority 90"), "different priorities");
  expect_careful(group + instance("A", 1, "advert_int 1") + instance("B", 2, "advert_int 2"), "different advert_ints");
  expect_calm(group + instance("A", 1, "") + instance("B", 2, ""));
}

TEST(Traps, ASecondTrackerOfTheSameNameIsNeverUsed) {
  const std::string file = "track_file f {\nfile /tmp/x\n}\n";
  expect_careful(file + file, "this track_file 'f' is never used, the one in line 1 is");
}

TEST(Traps, NamesOfInstancesThatDontExist) {
  expect_careful("global_defs {\nlvs_sync_daemon eth0 VI_9\n}\n" + instance("A", 1, ""), "it will follow nobody");
  expect_careful("track_group g {\ngroup {\nVI_9\n}\n}\n", "nobody will go to FAULT");
}

}  // namespace
}  // namespace sluice::control::config
