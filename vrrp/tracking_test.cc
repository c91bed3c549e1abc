// Weights, faults and script counters, row by row of the table in tracking.h; and the counter against a dumb model.
#include "vrrp/tracking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace sluice::vrrp {
namespace {

Tracker script(int weight, bool up, bool reverse = false) { return {TrackKind::script, "chk", weight, reverse, up}; }
Tracker file(int weight, std::int64_t value, bool reverse = false) {
  return {TrackKind::file, "f", weight, reverse, true, value};
}

TEST(Tracking, PositiveWeightsCountWhileUpAndNegativeOnesWhileDown) {
  EXPECT_EQ(delta(script(10, true)), 10);
  EXPECT_EQ(delta(script(10, false)), 0);
  EXPECT_EQ(delta(script(-10, true)), 0);
  EXPECT_EQ(delta(script(-10, false)), -10);
  EXPECT_FALSE(is_fault(script(-10, false)));
}

TEST(Tracking, ReverseTurnsTheSignAround) {
  EXPECT_EQ(delta(script(10, true, true)), -10);
  EXPECT_EQ(delta(script(10, false, true)), 0);
  EXPECT_EQ(delta(script(-10, false, true)), 10);
}

TEST(Tracking, WithoutWeightAFailureIsAFaultAndReversedASuccess) {
  EXPECT_TRUE(is_fault(script(0, false)));
  EXPECT_FALSE(is_fault(script(0, true)));
  EXPECT_TRUE(is_fault(script(0, true, true)));
  EXPECT_FALSE(is_fault(script(0, false, true)));
  EXPECT_EQ(delta(script(0, false)), 0);
}

TEST(Tracking, AFilesNumberIsMultipliedUpToItsLimits) {
  EXPECT_EQ(delta(file(2, 30)), 60);
  EXPECT_EQ(delta(file(2, -30)), -60);
  EXPECT_EQ(delta(file(2, 30, true)), -60);
  EXPECT_EQ(delta(file(1, 1000)), 253);
  EXPECT_EQ(delta(file(1, -253)), -253);
  EXPECT_TRUE(is_fault(file(1, -254)));
  EXPECT_EQ(delta(file(1, -254)), 0);
  EXPECT_TRUE(is_fault(file(-254, INT64_MAX)));
  EXPECT_EQ(delta(file(-254, INT64_MIN)), 253);
  EXPECT_TRUE(is_fault(file(0, 5)) && is_fault(file(0, -5)) && is_fault(file(0, 0, true)));
  EXPECT_FALSE(is_fault(file(0, 0)) || is_fault(file(0, 5, true)));
}

TEST(Tracking, SaysWhyInKeepalivedsWords) {
  EXPECT_EQ(fault_text({TrackKind::interface, "eth0", 0, false, false}), "(interface eth0 down)");
  EXPECT_EQ(fault_text(script(0, false)), "due to script chk");
}

TEST(Tracking, SumsUpWhatIsNotAFault) {
  const std::vector<Tracker> all = {script(10, true), script(-4, false), script(0, false), file(1, 100)};
  EXPECT_EQ(sum_of_deltas(all), 106);
}

TEST(Tracking, MembersOfASyncGroupHaveNoWeightsOfTheirOwn) {
  const Tracker eth0{TrackKind::interface, "eth0", -20}, eth1{TrackKind::interface, "eth1", -30};
  const std::vector<Tracker> own = {eth0, script(5, true), {TrackKind::script, "hard", 0}, eth1};
  const std::vector<Tracker> group = {{TrackKind::interface, "eth1", 7}};

  const auto without = trackers_of_member(own, group, false);
  ASSERT_EQ(without.size(), 3u);
  EXPECT_EQ(without[0], (Tracker{TrackKind::interface, "eth0", 0}));
  EXPECT_EQ(without[1].name, "hard");
  EXPECT_EQ(without[2], group[0]);

  const auto with = trackers_of_member(own, group, true);
  ASSERT_EQ(with.size(), 4u);
  EXPECT_EQ(with[0], eth0);
  EXPECT_EQ(with[1], own[1]);
  EXPECT_EQ(with[3], group[0]) << "the group's weight wins";
}

TEST(Tracking, AnOwnerTracksOnlyWhatIsAFault) {
  const std::vector<Tracker> all = {script(5, true), {TrackKind::script, "hard", 0}};
  ASSERT_EQ(trackers_of_owner(all).size(), 1u);
  EXPECT_EQ(trackers_of_owner(all)[0].name, "hard");
}

TEST(ScriptCounter, TheFirstResultDecides) {
  ScriptCounter good(3, 3, false), bad(3, 3, false);
  EXPECT_EQ(good.status(), ScriptCounter::Status::unknown);
  EXPECT_EQ(good.on_result(true), ScriptCounter::Status::up);
  EXPECT_EQ(bad.on_result(false), ScriptCounter::Status::down);
}

TEST(ScriptCounter, InitFailNeedsAllOfItsSuccesses) {
  ScriptCounter counter(3, 2, true);
  EXPECT_EQ(counter.status(), ScriptCounter::Status::down);
  EXPECT_FALSE(counter.on_result(true));
  EXPECT_FALSE(counter.on_result(true));
  EXPECT_EQ(counter.on_result(true), ScriptCounter::Status::up);
}

TEST(ScriptCounter, OneResultToTheContraryStartsTheRowAgain) {
  ScriptCounter counter(2, 3, false);
  counter.on_result(true);
  for (const bool result : {false, false, true, false, false}) EXPECT_FALSE(counter.on_result(result));
  EXPECT_EQ(counter.on_result(false), ScriptCounter::Status::down);
  for (const bool result : {true, false, true}) EXPECT_FALSE(counter.on_result(result));
  EXPECT_EQ(counter.on_result(true), ScriptCounter::Status::up);
}

TEST(ScriptCounter, OtherLimitsKeepWhatIsKnown) {
  ScriptCounter counter(1, 3, false);
  counter.on_result(true);
  counter.set_limits(5, 2);
  EXPECT_EQ(counter.status(), ScriptCounter::Status::up);
  EXPECT_FALSE(counter.on_result(false));
  EXPECT_EQ(counter.on_result(false), ScriptCounter::Status::down);
}

// The model keeps all results and looks at the end of the row.
TEST(ScriptCounter, IsUpAfterRiseSuccessesAndDownAfterFallFailuresInARow) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 300; ++round) {
    const unsigned rise = 1 + random() % 4, fall = 1 + random() % 4;
    ScriptCounter counter(rise, fall, true);
    bool up = false;
    std::vector<bool> results;
    for (int i = 0; i < 60; ++i) {
      results.push_back(random() % 2 != 0);
      counter.on_result(results.back());
      const unsigned needed = up ? fall : rise;
      const bool row = results.size() >= needed &&
                       std::all_of(results.end() - needed, results.end(), [&](bool result) { return result != up; });
      if (row) up = !up;
      ASSERT_EQ(counter.status() == ScriptCounter::Status::up, up) << "rise " << rise << " fall " << fall;
      ASSERT_LT(counter.count(), rise + fall);
    }
  }
}

}  // namespace
}  // namespace sluice::vrrp
