#include "health/watched.h"

#include <gtest/gtest.h>

#include <limits>

namespace sluice::health {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

struct Expected {
  bool up;
  std::int64_t added;
};

void expect_file(std::int64_t value, std::int32_t weight, Expected expected, bool reverse = false) {
  SCOPED_TRACE(testing::Message() << value << " * " << weight);
  const ProbeResult result = file_result({"f", weight, reverse}, value);
  EXPECT_EQ(result.verdict, expected.up ? Verdict::success : Verdict::failure);
  const bool has_weight = expected.up && weight != 0;
  ASSERT_EQ(result.weight.has_value(), has_weight);
  if (has_weight) EXPECT_EQ(*result.weight, (WeightReport{WeightReport::Kind::relative, expected.added}));
}

TEST(FileCheck, IsUpWhileTheProductIsAboveTheLeastNumber) {
  expect_file(0, 1, {true, 0});
  expect_file(5, 10, {true, 50});
  expect_file(5, -10, {true, -50});
  expect_file(5, 10, {true, -50}, true);
  expect_file(-2147483647, 1, {true, -2147483647});
  expect_file(-2147483648, 1, {false, 0});
  expect_file(2, -1073741824, {false, 0});
  expect_file(2147483647, 2147483647, {true, 2147483647});
  expect_file(2147483647, -2147483647, {false, 0});
  expect_file(least, 2147483647, {false, 0});
  expect_file(largest, 1, {true, 2147483647});
}

TEST(FileCheck, WithAWeightOfNothingTheValueMustBeNothing) {
  expect_file(0, 0, {true, 0});
  expect_file(1, 0, {false, 0});
  expect_file(-1, 0, {false, 0});
  expect_file(0, 0, {false, 0}, true);
  expect_file(1, 0, {true, 0}, true);
}

TEST(EffectiveWeight, AddsUpWhatCheckersSay) {
  using Kind = WeightReport::Kind;
  const auto weight = [](std::uint32_t configured, std::vector<WeightReport> reports) {
    return effective_weight(configured, reports);
  };
  EXPECT_EQ(weight(7, {}), 7u);
  EXPECT_EQ(weight(7, {{Kind::relative, 0}}), 7u);
  EXPECT_EQ(weight(7, {{Kind::absolute, 0}}), 0u);
  EXPECT_EQ(weight(7, {{Kind::absolute, 253}}), 253u);
  // Two scripts: 7 + (10 - 7) + (20 - 7).
  EXPECT_EQ(weight(7, {{Kind::absolute, 10}, {Kind::absolute, 20}}), 23u);
  EXPECT_EQ(weight(7, {{Kind::absolute, 10}, {Kind::relative, -3}}), 7u);
  EXPECT_EQ(weight(7, {{Kind::relative, -8}}), 0u);
  EXPECT_EQ(weight(2147483647, {{Kind::relative, 2147483647}}), 2147483647u);
  EXPECT_EQ(weight(1, {{Kind::relative, least}, {Kind::absolute, largest}}), 0u) << "and no overflow";
}

}  // namespace
}  // namespace sluice::health
