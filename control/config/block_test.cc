// Braces gone wrong: everything is kept somewhere sensible, and the complaint names the place to look at.
#include "control/config/block.h"

#include <gtest/gtest.h>

#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;
using testing::parse;
using testing::virtual_server;

TEST(Blocks, AMissingBraceEndsAtTheNextTopLevelBlock) {
  const std::string text =
      "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n"
      "real_server 10.0.1.1 80 {\nweight 3\n" +
      virtual_server("");
  std::string other = text;
  other.replace(other.rfind("10.0.0.1"), 8, "10.0.0.2");
  const auto outcome = parse(other);
  ASSERT_EQ(outcome.config.virtual_servers.size(), 2u) << all_complaints(outcome);
  EXPECT_EQ(outcome.config.virtual_servers[0].real_servers[0].weight.value, 3u);
  EXPECT_TRUE(complains(outcome, "test.conf:1:1: error: 'virtual_server' is never closed"));
  EXPECT_TRUE(complains(outcome, "test.conf:5:1: error: 'real_server' is never closed"));
  EXPECT_EQ(outcome.complaints.size(), 2u);
}

TEST(Blocks, AMissingBraceAtTheEndKeepsWhatIsThere) {
  std::string text = virtual_server("", "weight 7");
  text.resize(text.find("weight 7") + 8);
  const auto outcome = parse(text);
  EXPECT_EQ(testing::only_rs(outcome).weight.value, 7u);
  EXPECT_TRUE(complains(outcome, "expected '}' before the end of the file"));
  EXPECT_EQ(test_exit_status(outcome), 5);
}

TEST(Blocks, AnExtraBraceIsIgnored) {
  const auto outcome = parse(virtual_server("") + "}\n");
  EXPECT_EQ(outcome.config.virtual_servers.size(), 1u);
  EXPECT_TRUE(complains(outcome, ":10:1: error: extra '}' ignored")) << all_complaints(outcome);
}

TEST(Blocks, AStrayOpeningBraceHidesNothing) {
  EXPECT_EQ(testing::only_vs(parse("{\n" + virtual_server("") + "}\n")).scheduler.value, "rr");
  // After a keyword that has no block, the lines belong to the block around it.
  const auto outcome = parse(virtual_server("delay_loop 3 {\nquorum 1\nvirtualhost x\n}"));
  EXPECT_EQ(testing::only_vs(outcome).virtualhost.value, "x");
  EXPECT_EQ(outcome.complaints.size(), 1u) << all_complaints(outcome);
}

TEST(Blocks, AMissingOpeningBraceStillOpensTheBlock) {
  const auto outcome = parse(
      "virtual_server 10.0.0.1 80\nlb_algo rr\nlb_kind DR\nprotocol TCP\nreal_server 10.0.1.1 80\nweight 4\n}\n}\n");
  EXPECT_EQ(testing::only_rs(outcome).weight.value, 4u);
  EXPECT_TRUE(complains(outcome, "1:1: error: missing '{' after 'virtual_server'"));
  EXPECT_TRUE(complains(outcome, "5:1: error: missing '{' after 'real_server'"));
}

TEST(Blocks, AnUnknownBlockIsSkippedWholeWithOneWarning) {
  const auto outcome = parse("nonsense foo {\nvirtual x {\n a b\n}\nweight 1\n}\n" + virtual_server(""));
  EXPECT_EQ(outcome.config.virtual_servers.size(), 1u);
  EXPECT_EQ(outcome.complaints.size(), 1u) << all_complaints(outcome);
  EXPECT_TRUE(complains(outcome, "1:1: warning: unknown keyword 'nonsense' at the top level"));
}

TEST(Blocks, NestingEndsAtItsLimitAndReadingGoesOnAfterIt) {
  std::string deep;
  for (unsigned i = 0; i < 100'000; ++i) deep += "a {\n";
  for (unsigned i = 0; i < 100'000; ++i) deep += "}\n";
  const auto outcome = parse(deep + virtual_server(""));
  EXPECT_EQ(outcome.config.virtual_servers.size(), 1u);
  EXPECT_TRUE(complains(outcome, "nested more than 32 deep"));

  const auto nested = [](unsigned depth) {
    std::string text;
    for (unsigned i = 0; i < depth; ++i) text += "a {\n";
    for (unsigned i = 0; i < depth; ++i) text += "}\n";
    return complains(parse(text), "nested more than");
  };
  EXPECT_FALSE(nested(block_depth_max - 1));
  EXPECT_TRUE(nested(block_depth_max));
}

}  // namespace
}  // namespace sluice::control::config
