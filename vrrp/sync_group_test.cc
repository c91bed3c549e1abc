// What the members of a sync group do together. Orders of lines and notifications are those of keepalived 2.2.7.
#include "vrrp/sync_group.h"

#include <gtest/gtest.h>

#include <memory>

#include "vrrp/testing.h"

namespace sluice::vrrp {
namespace {

using namespace testing;

constexpr std::int64_t s = 1'000'000;

InstanceConfig config_of(const char* name, std::uint8_t priority = 150) {
  InstanceConfig config{.name = name, .version = Version::v3, .priority = priority};
  config.advertisement_interval = Microseconds(200'000);
  config.source = ip("10.0.0.5");
  return config;
}

/// Group G of A and B.
struct Pair {
  explicit Pair(InstanceConfig of_a = config_of("A"), InstanceConfig of_b = config_of("B"))
      : a(of_a), b(of_b), group("G", {&a, &b}) {}

  void start() { group.start(at(0)); }
  /// Both masters, at the deadline of the later one.
  void make_masters() {
    start();
    group.on_timer(*a.deadline(), 0);
    group.on_timer(*b.deadline(), 1);
    ASSERT_EQ(group.state(), State::master);
  }

  Instance a, b;
  SyncGroup group;
};

Actions of(const GroupActions& actions, std::size_t member) {
  Actions found;
  for (const GroupAction& action : actions) {
    if (action.member == member) found.push_back(action.action);
  }
  return found;
}

/// "A:MASTER G:MASTER", in order, group lines "Syncing ..." as "sync".
std::string story(const GroupActions& actions) {
  std::string text;
  for (const auto& [member, action] : actions) {
    const bool group = member == GroupAction::group;
    const std::string who = group ? "G" : member == 0 ? "A" : "B";
    const Notify* notify = std::get_if<Notify>(&action);
    if (notify == nullptr && !(group && std::holds_alternative<Log>(action))) continue;
    if (!text.empty()) text += ' ';
    text += notify != nullptr ? who + ":" + std::string(to_string(notify->event)) : "sync";
  }
  return text;
}

TEST(SyncGroup, StartsAsBackupGroupFirst) {
  Pair pair;
  EXPECT_EQ(story(pair.group.start(at(0))), "G:BACKUP A:BACKUP B:BACKUP");
}

TEST(SyncGroup, AMemberWaitsUntilAllWantToBeMaster) {
  Pair pair;
  pair.start();
  pair.group.on_advert(at(100'000), 1, advert_of(200, "10.0.0.9", Centiseconds(20)));
  const GroupActions first = pair.group.on_timer(at(682'812), 0);
  EXPECT_TRUE(has(of(first, 0), ArmTimer{at(2 * 682'812)})) << "one more Master_Down_Interval";
  EXPECT_EQ(pair.group.state(), State::backup);
  const GroupActions second = pair.group.on_timer(at(782'812), 1);
  EXPECT_EQ(story(second), "B:MASTER sync A:MASTER G:MASTER");
  EXPECT_TRUE(has(of(second, 0), SendAdvert{150}) && has<OwnAddresses>(of(second, 0)));
  EXPECT_TRUE(logs(of(second, GroupAction::group), "VRRP_Group(G) Syncing instances to MASTER state"));
}

TEST(SyncGroup, AMemberThatHearsAMasterWantsNoMore) {
  Pair pair;
  pair.start();
  pair.group.on_timer(at(682'812), 0);
  pair.group.on_advert(at(700'000), 0, advert_of(200, "10.0.0.9", Centiseconds(20)));
  pair.group.on_timer(at(782'812), 1);
  EXPECT_EQ(pair.group.state(), State::backup);
}

TEST(SyncGroup, AHigherPriorityForOneMovesAllWithoutAWord) {
  Pair pair;
  pair.make_masters();
  const GroupActions actions = pair.group.on_advert(at(s), 1, advert_of(200, "10.0.0.9", Centiseconds(20)));
  EXPECT_EQ(story(actions), "B:BACKUP sync A:BACKUP G:BACKUP");
  EXPECT_FALSE(has<SendAdvert>(of(actions, 0)) || has<SendAdvert>(of(actions, 1)));
  EXPECT_TRUE(has<ReleaseAddresses>(of(actions, 0)));
  EXPECT_TRUE(has(of(actions, 0), ArmTimer{at(s + 682'812)}));
}

TEST(SyncGroup, AFaultOfOneIsAFaultOfAllUntilTheLastIsGone) {
  Pair pair;
  pair.make_masters();
  const GroupActions down = pair.group.on_fault(at(s), 0, {FaultKind::interface_down}, "(interface eth0 down)");
  EXPECT_EQ(story(down), "A:FAULT sync B:FAULT G:FAULT");
  EXPECT_TRUE(has(of(down, 0), SendAdvert{0}) && has(of(down, 1), SendAdvert{0}));
  EXPECT_EQ(story(pair.group.on_fault(at(s), 1, {FaultKind::interface_down}, "")), "");
  EXPECT_EQ(story(pair.group.on_fault_cleared(at(2 * s), 0, {FaultKind::interface_down})), "");
  EXPECT_EQ(pair.group.state(), State::fault);
  EXPECT_EQ(story(pair.group.on_fault_cleared(at(2 * s), 1, {FaultKind::interface_down})),
            "B:BACKUP sync A:BACKUP G:BACKUP");
}

TEST(SyncGroup, AFaultAtTheStartIsEverybodys) {
  Pair pair;
  pair.group.on_fault(at(0), 1, {FaultKind::tracker}, "");
  EXPECT_EQ(story(pair.group.start(at(0))), "G:FAULT A:FAULT B:FAULT");
}

TEST(SyncGroup, WaitsForTheScriptsOfEveryMember) {
  Pair pair;
  pair.group.on_fault(at(0), 1, {FaultKind::script_pending, 4}, "");
  EXPECT_TRUE(pair.group.start(at(0)).empty());
  EXPECT_EQ(pair.group.state(), State::init);
  EXPECT_EQ(story(pair.group.on_fault_cleared(at(5), 1, {FaultKind::script_pending, 4})),
            "B:BACKUP sync A:BACKUP G:BACKUP");
}

TEST(SyncGroup, ALostAddressTakesAllAwayAndTheyAreBackAfterTheSkew) {
  Pair pair;
  pair.make_masters();
  const GroupActions actions = pair.group.on_addresses_lost(at(s), 0);
  EXPECT_TRUE(has(of(actions, 0), SendAdvert{0}) && has(of(actions, 1), SendAdvert{0}));
  EXPECT_EQ(story(actions), "A:BACKUP sync B:BACKUP G:BACKUP");
  pair.group.on_timer(at(s + 82'812), 0);
  pair.group.on_timer(at(s + 82'812), 1);
  EXPECT_EQ(pair.group.state(), State::master);
}

TEST(SyncGroup, OneLowerPriorityMakesAllMembersTellTheHosts) {
  Pair pair;
  pair.make_masters();
  const GroupActions actions = pair.group.on_advert(at(s), 0, advert_of(100, "10.0.0.9", Centiseconds(20)));
  EXPECT_TRUE(has(of(actions, 1), SendGarp{GarpCause::lower_priority}));
  EXPECT_FALSE(has<SendAdvert>(of(actions, 1)));
}

TEST(SyncGroup, OwnersStartAsMastersOnlyIfAllMembersAre) {
  InstanceConfig owner_a = config_of("A", 255), owner_b = config_of("B", 255);
  owner_a.start_as_master = owner_b.start_as_master = true;
  Pair owners(owner_a, owner_b);
  EXPECT_EQ(story(owners.group.start(at(0))), "");
  owners.group.on_timer(at(1), 0);
  EXPECT_EQ(story(owners.group.on_timer(at(1), 1)), "B:MASTER sync A:MASTER G:MASTER");
  Pair mixed(owner_a, config_of("B"));
  mixed.start();
  EXPECT_EQ(*mixed.a.deadline(), at(600'781));
}

TEST(SyncGroup, StopsMembersFirst) {
  Pair pair;
  pair.make_masters();
  EXPECT_EQ(story(pair.group.stop(at(s), StopCause::shutdown)), "A:STOP B:STOP G:STOP");
}

TEST(SyncGroup, AMemberThatAReloadAddsBecomesMasterByItsOwnDeadline) {
  Pair pair;
  pair.make_masters();
  Instance c(config_of("C"));
  SyncGroup larger("G", {&pair.a, &pair.b, &c});
  larger.start_member(at(s), 2);
  EXPECT_EQ(pair.a.state(), State::master);
  larger.on_timer(*c.deadline(), 2);
  EXPECT_EQ(larger.state(), State::master);
}

}  // namespace
}  // namespace sluice::vrrp
