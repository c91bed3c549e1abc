// The election's rules one by one: starts, advertisements in BACKUP and MASTER, faults, reloads, ends. Times are those
// measured of keepalived, to the microsecond as its arithmetic gives them.
#include "vrrp/election.h"

#include <gtest/gtest.h>

#include "vrrp/testing.h"

namespace sluice::vrrp {
namespace {

using namespace testing;

constexpr std::int64_t s = 1'000'000;

InstanceConfig v2(std::uint8_t priority = 100) {
  InstanceConfig config{.name = "VI_1", .priority = priority};
  config.source = ip("10.0.0.5");
  return config;
}
InstanceConfig v3(std::uint8_t priority = 100, Microseconds interval = Microseconds(100'000)) {
  InstanceConfig config = v2(priority);
  config.version = Version::v3;
  config.advertisement_interval = interval;
  return config;
}
InstanceConfig owner() {
  InstanceConfig config = v3(255);
  config.start_as_master = true;
  return config;
}

Instance started(const InstanceConfig& config) {
  Instance instance(config);
  instance.start(at(0));
  return instance;
}
/// Master since its deadline, with its next advertisement due one interval later.
Instance master(const InstanceConfig& config) {
  Instance instance = started(config);
  instance.on_timer(*instance.deadline());
  EXPECT_EQ(instance.state(), State::master);
  return instance;
}

// --- arithmetic
// --------------------------------------------------------------------------------------------------------

TEST(Timers, AreTheOnesOfTheProtocol) {
  const auto down = [](Version version, std::uint8_t priority, std::int64_t interval) {
    return master_down_interval(version, priority, Microseconds(interval), 3).count();
  };
  EXPECT_EQ(down(Version::v2, 100, s), 3'609'375);
  EXPECT_EQ(down(Version::v3, 100, s), 3'609'375);
  EXPECT_EQ(down(Version::v3, 100, s / 10), 360'937);
  EXPECT_EQ(down(Version::v3, 150, s / 10), 341'406);
  EXPECT_EQ(down(Version::v2, 100, 2 * s), 6'609'375) << "version 2 skews by parts of a second, whatever the interval";
  EXPECT_EQ(skew_time(Version::v2, 254, Microseconds(s)).count(), 7812);
}

// --- start
// ---------------------------------------------------------------------------------------------------------------

TEST(Start, WaitsAsBackupForAMaster) {
  Instance instance(v2());
  const Actions actions = instance.start(at(7));
  EXPECT_EQ(instance.state(), State::backup);
  EXPECT_TRUE(has(actions, ArmTimer{at(7 + 3'609'375)}));
  EXPECT_TRUE(logs(actions, "(VI_1) Entering BACKUP STATE (init)"));
  EXPECT_EQ(events(actions), "BACKUP");
}

TEST(Start, StateMasterAloneChangesNothing) {
  InstanceConfig config = v2(150);
  config.start_as_master = true;
  Instance instance(config);
  EXPECT_TRUE(has(instance.start(at(0)), ArmTimer{at(3'414'062)}));
}

TEST(Start, AnOwnerIsMasterAtOnceAndDoesNotReportItsBackup) {
  Instance instance(owner());
  const Actions start = instance.start(at(0));
  EXPECT_EQ(events(start), "");
  EXPECT_TRUE(has(start, ArmTimer{at(1)}));
  EXPECT_EQ(events(instance.on_timer(at(1))), "MASTER");
  EXPECT_EQ(instance.state(), State::master);
}

TEST(Start, AnOwnerThatWishesBackupOrWhoseGroupMustWaitWaits) {
  Instance wishes(v3(255));
  EXPECT_TRUE(has(wishes.start(at(0)), ArmTimer{at(300'390)}));
  Instance grouped(owner());
  EXPECT_TRUE(has(grouped.start(at(0), false), ArmTimer{at(300'390)}));
}

TEST(Start, TheDelayIsDeafAndPutsEveryDeadlineOff) {
  InstanceConfig config = v2();
  config.startup_delay = Microseconds(10 * s);
  Instance instance(config);
  EXPECT_TRUE(has(instance.start(at(0)), ArmTimer{at(10 * s + 3'609'375)}));
  EXPECT_EQ(instance.refusal(at(10 * s - 1)), ReceiveError::not_listening);
  EXPECT_TRUE(instance.on_advert(at(5 * s), advert_of(200, "10.0.0.9")).empty());
  EXPECT_FALSE(instance.refusal(at(10 * s)));
  InstanceConfig eager = owner();
  eager.startup_delay = Microseconds(s);
  EXPECT_TRUE(has(Instance(eager).start(at(0)), ArmTimer{at(s + 1)}));
}

TEST(Start, AReloadChangesWhatIsLeftOfTheDelay) {
  InstanceConfig config = v2();
  config.startup_delay = Microseconds(10 * s);
  Instance instance = started(config);
  config.startup_delay = Microseconds(4 * s);
  EXPECT_TRUE(has(instance.reload(at(3 * s), config, false), ArmTimer{at(4 * s + 3'609'375)}));
  config.startup_delay = Microseconds(20 * s);
  EXPECT_TRUE(has(instance.reload(at(5 * s), config, false), ArmTimer{at(5 * s + 3'609'375)})) << "it is over";
}

TEST(Start, WithAFaultIsInFault) {
  Instance instance(v2());
  EXPECT_TRUE(instance.on_fault(at(0), {FaultKind::interface_down}, "(interface eth0 down)").empty());
  const Actions actions = instance.start(at(0));
  EXPECT_TRUE(logs(actions, "Entering FAULT STATE (init)"));
  EXPECT_EQ(events(actions), "FAULT");
  EXPECT_FALSE(instance.deadline());
}

TEST(Start, WaitsInSilenceForScriptsAndEntersBackupAfterTheLast) {
  Instance instance(v2());
  instance.on_fault(at(0), {FaultKind::script_pending, 1}, "");
  instance.on_fault(at(0), {FaultKind::script_pending, 2}, "");
  EXPECT_TRUE(instance.start(at(0)).empty());
  EXPECT_EQ(instance.refusal(at(0)), ReceiveError::not_listening);
  EXPECT_TRUE(instance.on_fault_cleared(at(1), {FaultKind::script_pending, 1}).empty());
  EXPECT_TRUE(logs(instance.on_fault_cleared(at(2), {FaultKind::script_pending, 2}), "Entering BACKUP STATE (init)"));
}

TEST(Start, AScriptThatFailsAtItsFirstRunLeadsFromInitToFault) {
  Instance instance(v2());
  instance.on_fault(at(0), {FaultKind::script_pending, 1}, "");
  instance.start(at(0));
  EXPECT_EQ(events(instance.on_fault(at(1), {FaultKind::tracker, 1}, "due to script chk")), "FAULT");
  EXPECT_TRUE(instance.on_fault_cleared(at(1), {FaultKind::script_pending, 1}).empty());
  EXPECT_EQ(instance.state(), State::fault);
}

TEST(Start, ContradictionsAreTakenBack) {
  InstanceConfig config = v2(255);
  config.preempt_mode = false;
  EXPECT_TRUE(corrected(config).preempt_mode);
  config = v2();
  config.preempt_mode = false;
  config.preempt_delay = Microseconds(s);
  EXPECT_EQ(corrected(config).preempt_delay.count(), 0);
  config.timer_expired_backup = 100;
  EXPECT_EQ(corrected(config).timer_expired_backup, 100);
  config.preempt_mode = true;
  EXPECT_FALSE(corrected(config).timer_expired_backup);
  config.strict = config.higher_prio_send_advert = config.start_as_master = true;
  config.down_timer_adverts = 7;
  config = corrected(config);
  EXPECT_EQ(config.down_timer_adverts, 3u);
  EXPECT_TRUE(config.lower_prio_no_advert);
  EXPECT_FALSE(config.higher_prio_send_advert || config.start_as_master);
}

// --- BACKUP
// --------------------------------------------------------------------------------------------------------------

TEST(Backup, AMastersAdvertisementPutsTheDeadlineOff) {
  Instance instance = started(v2());
  const Actions actions = instance.on_advert(at(s), advert_of(150, "10.0.0.9"));
  EXPECT_TRUE(has(actions, ArmTimer{at(s + 3'609'375)}));
  EXPECT_TRUE(logs(actions, "master set to 10.0.0.9"));
  EXPECT_TRUE(logs(instance.on_advert(at(s), advert_of(150, "10.0.0.8")), "master changed from 10.0.0.9 to 10.0.0.8"));
  EXPECT_EQ(instance.master_priority(), 150);
}

TEST(Backup, AnEqualPriorityIsTakenWhateverItsAddress) {
  Instance instance = started(v2());
  EXPECT_TRUE(has<ArmTimer>(instance.on_advert(at(s), advert_of(100, "10.0.0.1"))));
}

TEST(Backup, ALowerPriorityIsDiscardedAndSaidOnce) {
  Instance instance = started(v2());
  const Actions first = instance.on_advert(at(s), advert_of(99, "10.0.0.9"));
  EXPECT_FALSE(has<ArmTimer>(first));
  EXPECT_TRUE(logs(first, "lower priority (99) advert from 10.0.0.9 - discarding"));
  EXPECT_TRUE(instance.on_advert(at(2 * s), advert_of(99, "10.0.0.9")).empty());
  EXPECT_EQ(*instance.deadline(), at(3'609'375));
}

TEST(Backup, NopreemptTakesALowerPriority) {
  InstanceConfig config = v2();
  config.preempt_mode = false;
  Instance instance = started(config);
  EXPECT_TRUE(has<ArmTimer>(instance.on_advert(at(s), advert_of(1, "10.0.0.9"))));
}

TEST(Backup, PriorityZeroHandsOverAfterSkewOnly) {
  InstanceConfig config = v3();
  config.preempt_mode = false;
  Instance instance = started(config);
  instance.on_advert(at(s), advert_of(150, "10.0.0.9", Centiseconds(20)));
  const Actions actions = instance.on_advert(at(2 * s), advert_of(0, "10.0.0.9", Centiseconds(20)));
  EXPECT_TRUE(has(actions, ArmTimer{at(2 * s + 156 * 200'000 / 256)})) << "skew of the learnt interval";
  EXPECT_TRUE(logs(actions, "Backup received priority 0 advertisement"));
}

TEST(Backup, AMasterThatBfdMissesIsTakenForOneThatSaidGoodbye) {
  Instance instance = started(v3());
  instance.on_advert(at(s), advert_of(150, "10.0.0.9", Centiseconds(20)));
  EXPECT_TRUE(instance.on_neighbor_lost(at(s), testing::ip("10.0.0.8")).empty()) << "somebody else";
  const Actions actions = instance.on_neighbor_lost(at(s + 1000), testing::ip("10.0.0.9"));
  EXPECT_TRUE(has(actions, ArmTimer{at(s + 1000 + 156 * 200'000 / 256)}));
  EXPECT_TRUE(logs(actions, "Backup lost the master 10.0.0.9, as BFD says"));
  // It lives after all: an advertisement makes it wait in full again.
  instance.on_advert(at(s + 2000), advert_of(150, "10.0.0.9", Centiseconds(20)));
  EXPECT_GT(*instance.deadline(), at(s + 600'000));
}

TEST(Backup, ALossThatComesTooLateDoesntDelayTheTakeover) {
  Instance instance = started(v3());
  instance.on_advert(at(s), advert_of(150, "10.0.0.9", Centiseconds(20)));
  const Time due = *instance.deadline();
  EXPECT_TRUE(instance.on_neighbor_lost(due - Microseconds(1), testing::ip("10.0.0.9")).empty());
  EXPECT_EQ(instance.deadline(), due);
}

TEST(Master, DoesntCareWhomBfdMisses) {
  Instance instance = master(v2());
  EXPECT_TRUE(instance.on_neighbor_lost(at(4 * s), testing::ip("10.0.0.9")).empty());
}

TEST(Backup, Version3LearnsTheMastersIntervalAndVersion2DoesNot) {
  Instance three = started(v3());
  three.on_advert(at(0), advert_of(150, "10.0.0.9", Centiseconds(100)));
  EXPECT_EQ(*three.deadline(), at(3'609'375));
  Instance two = started(v2());
  two.on_advert(at(0), advert_of(150, "10.0.0.9", Centiseconds(300)));
  EXPECT_EQ(*two.deadline(), at(3'609'375));
}

TEST(Backup, ThePreemptDelayBeginsWithTheFirstLowerPriorityAndLeadsToTheOldDeadline) {
  InstanceConfig config = v3(150, Microseconds(200'000));
  config.preempt_delay = Microseconds(s);
  Instance instance = started(config);
  const auto hear = [&](std::int64_t now, std::uint8_t priority) {
    return instance.on_advert(at(now), advert_of(priority, "10.0.0.9", Centiseconds(20)));
  };
  EXPECT_TRUE(logs(hear(100'000, 100), "start preempt delay"));
  EXPECT_TRUE(has<ArmTimer>(hear(900'000, 100)));
  EXPECT_TRUE(has<ArmTimer>(hear(1'099'999, 100)));
  EXPECT_FALSE(has<ArmTimer>(hear(1'100'000, 100))) << "the delay is over";
  EXPECT_EQ(*instance.deadline(), at(1'099'999 + 682'812));
  hear(1'200'000, 200);
  EXPECT_TRUE(has<ArmTimer>(hear(1'300'000, 100))) << "a higher priority made it begin again";
}

TEST(Backup, DifferencesThatDoNotMatterAreSaidOnce) {
  InstanceConfig config = v3();
  Instance instance = started(config);
  Advert advert = advert_of(150, "10.0.0.9", Centiseconds(20));
  instance.on_advert(at(0), advert);
  advert.interval_differs = true;
  advert.addresses = AddressList::others;
  const Actions first = instance.on_advert(at(1), advert);
  EXPECT_TRUE(logs(first, "advertisement interval mismatch mine=0.10 rcved=0.20"));
  EXPECT_TRUE(logs(first, "has other addresses than ours"));
  EXPECT_TRUE(has<ArmTimer>(first)) << "accepted all the same";
  EXPECT_FALSE(has<Log>(instance.on_advert(at(2), advert)));
  EXPECT_EQ(instance.counters().address_list_errors, 2u);

  config.skip_check_adv_addr = true;
  Instance skips = started(config);
  skips.on_advert(at(0), advert);
  skips.on_advert(at(1), advert);
  EXPECT_EQ(skips.counters().address_list_errors, 1u) << "looks only when the master is another";
}

TEST(Backup, AChangedPriorityShiftsTheDeadline) {
  Instance instance = started(v2());
  const Actions actions = instance.on_priority_delta(at(s), 50);
  EXPECT_TRUE(has(actions, ArmTimer{at(3'414'062)}));
  EXPECT_TRUE(logs(actions, "Changing effective priority from 100 to 150"));
  EXPECT_EQ(events(actions), "BACKUP_PRIORITY");
  EXPECT_TRUE(instance.on_priority_delta(at(s), 50).empty());
}

TEST(Backup, EffectivePrioritiesStayBelowAnOwners) {
  Instance instance = started(v2(200));
  instance.on_priority_delta(at(0), 100);
  EXPECT_EQ(instance.effective_priority(), 254);
  instance.on_priority_delta(at(0), -300);
  EXPECT_EQ(instance.effective_priority(), 1);
  Instance owns = started(owner());
  owns.on_priority_delta(at(0), -100);
  EXPECT_EQ(owns.effective_priority(), 255);
}

TEST(Backup, ATimerThatComesTooEarlyIsArmedAgain) {
  Instance instance = started(v2());
  EXPECT_EQ(instance.on_timer(at(3'609'374)), Actions{ArmTimer{at(3'609'375)}});
}

// --- MASTER
// --------------------------------------------------------------------------------------------------------------

TEST(Master, AdvertisesBeforeItTakesTheAddressesAndOnlyThenTellsTheHosts) {
  Instance instance = started(v2());
  const Actions actions = instance.on_timer(at(3'609'375));
  EXPECT_TRUE(logs(actions, "(VI_1) Receive advertisement timeout"));
  EXPECT_TRUE(logs(actions, "(VI_1) Entering MASTER STATE"));
  EXPECT_TRUE(has(actions, SendAdvert{100}));
  EXPECT_TRUE(has(actions, SendGarp{GarpCause::became_master}));
  EXPECT_LT(index_of<SendAdvert>(actions), index_of<OwnAddresses>(actions));
  EXPECT_LT(index_of<OwnAddresses>(actions), index_of<SendGarp>(actions));
  EXPECT_TRUE(has(actions, ArmTimer{at(4'609'375)}));
  EXPECT_EQ(events(actions), "MASTER");
  EXPECT_EQ(instance.last_transition().reason, Reason::master_down);
}

TEST(Master, KeepsItsCadenceWhenItsTimerIsLate) {
  Instance instance = master(v2());
  const std::int64_t due = 4'609'375;
  EXPECT_EQ(instance.on_timer(at(due + 300)), (Actions{SendAdvert{100}, ArmTimer{at(due + s)}}));
  EXPECT_TRUE(has(instance.on_timer(at(due + 3 * s)), ArmTimer{at(due + 4 * s)})) << "no burst to catch up";
}

TEST(Master, AnswersPriorityZeroAtOnce) {
  Instance instance = master(v2());
  EXPECT_EQ(instance.on_advert(at(4 * s), advert_of(0, "10.0.0.9")), (Actions{SendAdvert{100}, ArmTimer{at(5 * s)}}));
  EXPECT_EQ(instance.state(), State::master);
}

TEST(Master, AnswersALowerPriorityAndTellsTheHostsAgain) {
  Instance instance = master(v2());
  const Actions actions = instance.on_advert(at(4 * s), advert_of(99, "10.0.0.9"));
  EXPECT_TRUE(has(actions, SendAdvert{100}) && has(actions, SendGarp{GarpCause::lower_priority}));
  EXPECT_TRUE(logs(actions, "Received advert from 10.0.0.9 with lower priority 99, ours 100, forcing new election"));
  EXPECT_EQ(events(actions), "MASTER_RX_LOWER_PRI");
  EXPECT_FALSE(has<Log>(instance.on_advert(at(4 * s + 1), advert_of(99, "10.0.0.9")))) << "said for each packet";
}

TEST(Master, LowerPrioNoAdvertStaysSilentAndKeepsItsTimer) {
  InstanceConfig config = v2();
  config.lower_prio_no_advert = true;
  Instance instance = master(config);
  const Actions actions = instance.on_advert(at(4 * s), advert_of(99, "10.0.0.9"));
  EXPECT_FALSE(has<SendAdvert>(actions) || has<ArmTimer>(actions));
  EXPECT_TRUE(has<SendGarp>(actions));
}

TEST(Master, GivesWayToAHigherPriorityWithoutSayingZero) {
  Instance instance = master(v3());
  const Actions actions = instance.on_advert(at(s), advert_of(101, "10.0.0.1", Centiseconds(100)));
  EXPECT_EQ(instance.state(), State::backup);
  EXPECT_FALSE(has<SendAdvert>(actions));
  EXPECT_TRUE(has<ReleaseAddresses>(actions) && has<StopGarps>(actions));
  EXPECT_TRUE(has(actions, ArmTimer{at(s + 3'609'375)})) << "by the winner's interval";
  EXPECT_TRUE(logs(actions, "Master received advert from 10.0.0.1 with higher priority 101, ours 100"));
  EXPECT_TRUE(logs(actions, "(VI_1) Entering BACKUP STATE"));
  EXPECT_EQ(events(actions), "BACKUP");
  EXPECT_EQ(instance.counters().release_master, 1u);
}

TEST(Master, HigherPrioSendAdvertSaysALastWordFirst) {
  InstanceConfig config = v2();
  config.higher_prio_send_advert = true;
  Instance instance = master(config);
  const Actions actions = instance.on_advert(at(4 * s), advert_of(101, "10.0.0.1"));
  EXPECT_EQ(all_of<SendAdvert>(actions), std::vector{SendAdvert{100}});
  EXPECT_LT(index_of<SendAdvert>(actions), index_of<ReleaseAddresses>(actions));
  EXPECT_EQ(*instance.deadline(), at(4 * s + 3'609'375));
}

TEST(Master, BetweenEqualPrioritiesTheHigherAddressWins) {
  Instance loses = master(v2());
  EXPECT_TRUE(logs(loses.on_advert(at(4 * s), advert_of(100, "10.0.0.6")),
                   "Master received advert from 10.0.0.6 with same priority 100 but higher IP address than ours"));
  EXPECT_EQ(loses.state(), State::backup);
  Instance wins = master(v2());
  EXPECT_TRUE(has<SendAdvert>(wins.on_advert(at(4 * s), advert_of(100, "10.0.0.4"))));
  EXPECT_EQ(wins.state(), State::master);
}

TEST(Master, ItsOwnAdvertisementComingBackIsOnlyAWarning) {
  Instance instance = master(v2());
  const Actions actions = instance.on_advert(at(4 * s), advert_of(100, "10.0.0.5"));
  EXPECT_EQ(actions.size(), 1u);
  EXPECT_TRUE(logs(actions, "equal priority advert received from remote host with our IP address"));
  EXPECT_TRUE(instance.on_advert(at(4 * s + 1), advert_of(100, "10.0.0.5")).empty());
}

TEST(Master, ForgetsTheIntervalThatItLearntAsBackup) {
  Instance instance = started(v3());
  instance.on_advert(at(0), advert_of(150, "10.0.0.9", Centiseconds(100)));
  EXPECT_TRUE(has(instance.on_timer(at(3'609'375)), ArmTimer{at(3'709'375)}));
  EXPECT_EQ(instance.master_adver_interval(), Microseconds(100'000));
}

TEST(Master, StepsDownIfItWasSoLateThatAPeerMustHaveTakenOver) {
  InstanceConfig config = v2();
  config.preempt_mode = false;
  config.timer_expired_backup = 200;  // its Master_Down_Interval: 3.218750 s
  Instance punctual = master(config);
  const std::int64_t last = 3'609'375;
  punctual.on_timer(at(last + 3'218'750));
  EXPECT_EQ(punctual.state(), State::master);
  Instance late = master(config);
  EXPECT_FALSE(has<SendAdvert>(late.on_timer(at(last + 3'218'751))));
  EXPECT_EQ(late.state(), State::backup);
}

TEST(Master, TakesItsAddressesBackAfterTheSkewWhenSomebodyRemovedOne) {
  Instance instance = master(v3(150, Microseconds(200'000)));
  const Actions actions = instance.on_addresses_lost(at(5 * s));
  EXPECT_TRUE(has(actions, SendAdvert{0}) && has<ReleaseAddresses>(actions));
  EXPECT_TRUE(logs(actions, "sent 0 priority"));
  EXPECT_TRUE(has(actions, ArmTimer{at(5 * s + 82'812)}));
  EXPECT_TRUE(instance.on_addresses_lost(at(5 * s + 1)).empty());
}

// --- two owners
// ----------------------------------------------------------------------------------------------------------

TEST(TwoOwners, TheLowerAddressBacksOff) {
  Instance instance = master(owner());
  instance.on_advert(at(s), advert_of(255, "10.0.0.6", Centiseconds(10)));
  EXPECT_EQ(instance.state(), State::backup);
}

TEST(TwoOwners, TheHigherConcedesToOneThatWillNotAndComesBackWhenItIsGone) {
  Instance instance = master(owner());
  const auto hear = [&](std::int64_t now) {
    return instance.on_advert(at(now), advert_of(255, "10.0.0.4", Centiseconds(10)));
  };
  EXPECT_TRUE(has(hear(s), SendAdvert{255}));
  EXPECT_TRUE(has(hear(s + 100'000), SendAdvert{255}));
  EXPECT_TRUE(has(hear(s + 200'000), SendAdvert{255}));
  EXPECT_TRUE(has(hear(s + 300'000), SendAdvert{255}));
  EXPECT_FALSE(has<SendAdvert>(hear(s + 400'000)));
  EXPECT_EQ(instance.state(), State::backup);
  EXPECT_EQ(instance.effective_priority(), 254);
  EXPECT_TRUE(has<ArmTimer>(hear(s + 500'000)));
  EXPECT_TRUE(has(instance.on_timer(*instance.deadline()), SendAdvert{255}));
}

TEST(TwoOwners, OneThatComesAndGoesDoesNotAddUp) {
  Instance instance = master(owner());
  for (std::int64_t now = s; now < 10 * s; now += s) {
    instance.on_advert(at(now), advert_of(255, "10.0.0.4", Centiseconds(10)));
  }
  EXPECT_EQ(instance.state(), State::master);
}

TEST(TwoOwners, OwnerIgnoreAdvertsHearsNothing) {
  InstanceConfig config = owner();
  config.owner_ignore_adverts = true;
  Instance instance = master(config);
  EXPECT_EQ(instance.refusal(at(s)), ReceiveError::owner_ignores);
  EXPECT_TRUE(instance.on_advert(at(s), advert_of(255, "10.0.0.9")).empty());
}

// --- faults
// --------------------------------------------------------------------------------------------------------------

TEST(Fault, AMasterSaysZeroOnceAndLetsGo) {
  Instance instance = master(v2());
  const Actions actions = instance.on_fault(at(4 * s), {FaultKind::interface_down}, "(interface eth0 down)");
  EXPECT_EQ(all_of<SendAdvert>(actions), std::vector{SendAdvert{0}});
  EXPECT_TRUE(has<ReleaseAddresses>(actions) && has<CancelTimer>(actions) && has<StopGarps>(actions));
  EXPECT_TRUE(logs(actions, "(VI_1): entering FAULT state (interface eth0 down)"));
  EXPECT_TRUE(logs(actions, "(VI_1) Entering FAULT STATE"));
  EXPECT_EQ(events(actions), "FAULT");
}

TEST(Fault, ABackupSaysNothingOnTheWire) {
  Instance instance = started(v2());
  const Actions actions = instance.on_fault(at(s), {FaultKind::tracker, 3}, "due to script chk");
  EXPECT_FALSE(has<SendAdvert>(actions) || has<ReleaseAddresses>(actions));
  EXPECT_TRUE(has<CancelTimer>(actions));
  EXPECT_EQ(instance.refusal(at(s)), ReceiveError::not_listening);
}

TEST(Fault, IsOverWhenTheLastIsAndThenEvenAnOwnerWaits) {
  Instance instance = master(owner());
  instance.on_fault(at(s), {FaultKind::interface_down}, "");
  instance.on_fault(at(s), {FaultKind::tracker, 1}, "");
  EXPECT_TRUE(instance.on_fault(at(s), {FaultKind::tracker, 1}, "").empty());
  EXPECT_TRUE(instance.on_fault_cleared(at(2 * s), {FaultKind::interface_down}).empty());
  const Actions actions = instance.on_fault_cleared(at(3 * s), {FaultKind::tracker, 1});
  EXPECT_TRUE(has(actions, ArmTimer{at(3 * s + 300'390)}));
  EXPECT_EQ(events(actions), "BACKUP");
  EXPECT_FALSE(has<SendGarp>(actions));
}

TEST(Fault, AUnicastInstanceLetsItsPeersFindItAgain) {
  InstanceConfig config = v2();
  config.unicast = true;
  Instance instance = started(config);
  instance.on_fault(at(s), {FaultKind::no_source_address}, "");
  EXPECT_TRUE(
      has(instance.on_fault_cleared(at(2 * s), {FaultKind::no_source_address}), SendGarp{GarpCause::source_address}));
}

TEST(Fault, DontTrackPrimaryIgnoresItsOwnInterfaceOnly) {
  InstanceConfig config = v2();
  config.dont_track_primary = true;
  Instance instance = started(config);
  EXPECT_TRUE(instance.on_fault(at(s), {FaultKind::interface_down}, "").empty());
  EXPECT_EQ(events(instance.on_fault(at(s), {FaultKind::tracker}, "")), "FAULT");
}

// --- reload and stop
// -------------------------------------------------------------------------------------------------------

TEST(Reload, AMasterStaysAndAdvertisesAtOnce) {
  Instance instance = master(v2());
  const Actions unchanged = instance.reload(at(4 * s), v2(120), false);
  EXPECT_EQ(unchanged, (Actions{UpdateAddresses{true}, ArmTimer{at(4 * s)}}));
  EXPECT_TRUE(has(instance.on_timer(at(4 * s)), SendAdvert{120}));
  EXPECT_TRUE(has(instance.reload(at(5 * s), v2(), true), SendGarp{GarpCause::addresses_added}));
  EXPECT_EQ(instance.state(), State::master);
}

TEST(Reload, ABackupWaitsInFull) {
  Instance instance = started(v2());
  EXPECT_TRUE(has(instance.reload(at(3 * s), v2(), false), ArmTimer{at(3 * s + 3'609'375)}));
}

TEST(Stop, AMasterSaysZeroAndEverybodyStop) {
  Instance instance = master(v2());
  const Actions actions = instance.stop(at(4 * s), StopCause::shutdown);
  EXPECT_TRUE(has(actions, SendAdvert{0}) && has<ReleaseAddresses>(actions) && has<CancelTimer>(actions));
  EXPECT_EQ(events(actions), "STOP");
  Instance waits = started(v2());
  EXPECT_FALSE(has<SendAdvert>(waits.stop(at(s), StopCause::shutdown)));
  EXPECT_TRUE(waits.stop(at(s), StopCause::shutdown).empty());
}

TEST(Stop, AnInstanceThatAReloadRemovedIsInFaultOrDeleted) {
  EXPECT_EQ(events(started(v2()).stop(at(s), StopCause::deleted)), "FAULT");
  InstanceConfig config = v2();
  config.notify_deleted = true;
  EXPECT_EQ(events(master(config).stop(at(4 * s), StopCause::deleted)), "DELETED");
  Instance faulty = started(v2());
  faulty.on_fault(at(s), {FaultKind::tracker}, "");
  EXPECT_EQ(events(faulty.stop(at(s), StopCause::deleted)), "");
}

TEST(AcceptMode, IsAlwaysOnForAnOwner) {
  InstanceConfig config = owner();
  config.accept_mode = false;
  Instance owns = started(config);
  EXPECT_TRUE(has(owns.on_timer(at(1)), OwnAddresses{true}));
  config = v2();
  config.accept_mode = false;
  Instance lends = started(config);
  EXPECT_TRUE(has(lends.on_timer(at(4 * s)), OwnAddresses{false}));
}

}  // namespace
}  // namespace sluice::vrrp
