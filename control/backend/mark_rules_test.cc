#include "control/backend/mark_rules.h"

#include <gtest/gtest.h>

#include <set>

#include "dataplane/classify/classifier.h"

namespace sluice::control {
namespace {

using dataplane::ClassifyRule;
using Rules = std::vector<ClassifyRule>;

ClassifyRule rule(std::uint32_t mark, std::uint16_t port) {
  return {.mark = mark, .destination = {net::Ipv4Addr::of(10, 0, 0, 5), 32}, .port_first = port, .port_last = port};
}

class MarkRulesTest : public ::testing::Test {
 protected:
  bool set(Rules list, std::uint32_t now_s) { return rules.set(std::move(list), is_taken, now_s); }
  Rules steered() const { return rules.for_steering(is_taken); }

  std::set<std::uint32_t> taken = {1, 2};
  MarkRules::IsTaken is_taken = [this](std::uint32_t mark) { return taken.contains(mark); };
  MarkRules rules;
};

TEST_F(MarkRulesTest, SteersOnlyWhatSomeServiceTakes) {
  EXPECT_TRUE(set({rule(1, 80), rule(9, 81)}, 0));
  EXPECT_EQ(rules.for_workers(), (Rules{rule(1, 80), rule(9, 81)}));
  EXPECT_EQ(steered(), (Rules{rule(1, 80)}));
  taken.insert(9);
  EXPECT_EQ(steered(), (Rules{rule(1, 80), rule(9, 81)}));
  EXPECT_FALSE(set({rule(1, 80), rule(9, 81)}, 1)) << "the same again";
}

TEST_F(MarkRulesTest, KeepsWhatWentForItsConnections) {
  set({rule(1, 80), rule(9, 81)}, 100);
  set({rule(2, 82)}, 200);
  EXPECT_EQ(rules.for_workers(), (Rules{rule(2, 82), rule(0, 80)})) << "it marks nothing; nobody took 9";
  EXPECT_EQ(steered(), (Rules{rule(2, 82), rule(1, 80)}));
  EXPECT_FALSE(rules.forget(200 + MarkRules::kept_s - 1));
  EXPECT_TRUE(rules.forget(200 + MarkRules::kept_s));
  EXPECT_EQ(rules.for_workers(), (Rules{rule(2, 82)}));
}

TEST_F(MarkRulesTest, KeepsNothingThatComesInAnyway) {
  set({rule(1, 80), rule(1, 81)}, 0);
  set({rule(2, 80), rule(9, 81)}, 0);
  EXPECT_EQ(rules.for_workers(), (Rules{rule(2, 80), rule(9, 81), rule(0, 81)})) << "nobody takes 9";
  set({rule(1, 81), rule(1, 80)}, 0);
  EXPECT_EQ(rules.for_workers(), (Rules{rule(1, 81), rule(1, 80)})) << "what was kept is back";
}

TEST_F(MarkRulesTest, WhatIsKeptGoesWithItsService) {
  set({rule(1, 80)}, 0);
  set({}, 0);
  EXPECT_EQ(steered(), (Rules{rule(1, 80)}));
  taken.erase(1);
  EXPECT_EQ(steered(), Rules{});
}

TEST_F(MarkRulesTest, KeepsNoMoreThanTheEngineTakes) {
  const auto many = [](std::size_t count, std::uint16_t from) {
    Rules list;
    for (std::size_t i = 0; i < count; ++i) list.push_back(rule(1, std::uint16_t(from + i)));
    return list;
  };
  set(many(1000, 1), 0);
  set(many(1000, 5001), 0);
  const Rules all = rules.for_workers();
  EXPECT_EQ(all.size(), dataplane::Classifier::rules_max);
  EXPECT_EQ(all.front(), rule(1, 5001));
  EXPECT_EQ(all.back(), rule(0, 1000));
}

}  // namespace
}  // namespace sluice::control
