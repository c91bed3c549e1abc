#include "health/byte_pattern.h"

#include <gtest/gtest.h>

namespace sluice::health {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(BytePattern, ReadsDigitsAsFreelyAsKeepalivedDoes) {
  // The manual's own example.
  const auto pattern = parse_byte_pattern("Ab12f 3 456 546443123");
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->bytes, (Bytes{0xab, 0x12, 0x0f, 0x03, 0x45, 0x06, 0x54, 0x64, 0x43, 0x12, 0x03}));
  EXPECT_EQ(pattern->mask, Bytes(11, 0xff));
}

TEST(BytePattern, LeavesDigitsOpenWhereAnXStands) {
  const auto pattern = parse_byte_pattern("1x X2 xX x");
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->mask, (Bytes{0xf0, 0x0f, 0x00, 0xf0}));
  EXPECT_TRUE(matches(*pattern, Bytes{0x1f, 0xf2, 0x55, 0x0a}));
  EXPECT_FALSE(matches(*pattern, Bytes{0x2f, 0xf2, 0x55, 0x0a}));
  EXPECT_FALSE(matches(*pattern, Bytes{0x1f, 0xf2, 0x55, 0x1a}));
}

TEST(BytePattern, RefusesWhatIsNoDigitAndWhatIsNothing) {
  for (const auto* text : {"", " \t", "0g", "12 3-", "0x?"}) EXPECT_FALSE(parse_byte_pattern(text)) << text;
}

TEST(BytePattern, ComparesAsFarAsBothGo) {
  const auto pattern = *parse_byte_pattern("010203");
  EXPECT_TRUE(matches(pattern, Bytes{}));
  EXPECT_TRUE(matches(pattern, Bytes{1, 2}));
  EXPECT_TRUE(matches(pattern, Bytes{1, 2, 3, 4}));
  EXPECT_FALSE(matches(pattern, Bytes{1, 3}));
}

}  // namespace
}  // namespace sluice::health
