// What no configuration should look like, but some file named keepalived.conf one day does: it ends, the complaint is
// clear, memory and time stay within bounds. Sizes are counted rather than timed, but for one generous limit.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "control/config/block.h"
#include "control/config/test_text.h"
#include "control/config/test_tokens.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;
using testing::lex;
using testing::parse;
using testing::virtual_server;

/// Hours become a failure; a slow machine with sanitizers doesn't.
class BadInput : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_LT(std::chrono::steady_clock::now() - start_, std::chrono::seconds(60)); }
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

/// Statements of all blocks, and how many of them were in memory at once.
struct Size {
  std::size_t all = 0;
  std::size_t at_once = 0;
};

std::size_t count(const std::vector<Statement>& statements) {
  std::size_t sum = statements.size();
  for (const Statement& statement : statements) sum += count(statement.children);
  return sum;
}

Size size_of_tree(std::string_view text, ParseOutcome* outcome = nullptr) {
  Diagnostics diagnostics;
  const auto file = diagnostics.add_file("t", std::make_shared<const std::string>(text));
  Lexer lexer(diagnostics, {file}, {});
  BlockReader reader(lexer, diagnostics);
  Size size;
  for (const auto* next = &reader.next(); !next->empty(); next = &reader.next()) {
    size.all += count(*next);
    size.at_once = std::max(size.at_once, count(*next));
  }
  if (outcome != nullptr) diagnostics.finish(*outcome);
  return size;
}

TEST_F(BadInput, AFileOfAHundredMegabytesIsRefusedUnread) {
  std::string name = (std::filesystem::temp_directory_path() / "sluice-large-XXXXXX").string();
  const int fd = mkstemp(name.data());
  ASSERT_GE(fd, 0);
  ASSERT_EQ(ftruncate(fd, 100 << 20), 0);
  close(fd);
  const auto outcome = parse_file(name);
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().text().ends_with("is larger than 64 MiB, expected a configuration file"));
  std::ofstream(name + ".conf") << "include " << name << "\nglobal_defs { router_id x }\n";
  const auto including = parse_file(name + ".conf");
  ASSERT_TRUE(including);
  EXPECT_EQ(including->config.global.router_id, "x");
  EXPECT_TRUE(complains(*including, "is larger than 64 MiB")) << all_complaints(*including);
  std::filesystem::remove(name);
  std::filesystem::remove(name + ".conf");
}

TEST_F(BadInput, BinaryJunkIsAListOfComplaints) {
  std::mt19937 random(7);
  std::string junk(1 << 20, '\0');
  for (char& c : junk) c = static_cast<char>(random());
  const auto outcome = parse(junk);
  EXPECT_TRUE(outcome.config.virtual_servers.empty());
  EXPECT_GT(outcome.complaints.size(), 100u);
  EXPECT_LE(outcome.complaints.size(), 2 * complaints_max + 1);
  for (const Complaint& complaint : outcome.complaints) {
    EXPECT_LT(render(complaint).size(), 2000u);
    for (const char c : complaint.text()) ASSERT_TRUE(c >= 0x20 && c < 0x7f);
  }
}

TEST_F(BadInput, StrangeBytesAreEscapedWhereverTheyStand) {
  const auto outcome = parse("linkbeat_interfaces {\n\x05 x\n}\n");
  ASSERT_FALSE(outcome.complaints.empty());
  for (const Complaint& complaint : outcome.complaints) {
    for (const char c : complaint.text()) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << complaint.text();
  }
}

TEST_F(BadInput, TenThousandErrorsAreCountedButNotAllShown) {
  const auto outcome = parse(repeated("virtual_server x {\n}\n", 10'000) + virtual_server(""));
  EXPECT_EQ(outcome.config.virtual_servers.size(), 1u) << "what is right among them is still read";
  EXPECT_EQ(outcome.complaints.size(), complaints_max + 1);
  EXPECT_GE(outcome.complaints_dropped, 9'000u);
  EXPECT_TRUE(outcome.complaints.back().message.ends_with(" more complaints are not shown"));
  EXPECT_EQ(test_exit_status(outcome), 5);
}

TEST_F(BadInput, NoticesDoNotHideAnError) {
  Diagnostics diagnostics;
  diagnostics.add_file("t", std::make_shared<const std::string>(""));
  for (std::uint32_t i = 1; i < 5'000; ++i) diagnostics.notice({0, i, 1}, "n");
  diagnostics.error({0, 5'000, 1}, "wrong");
  ParseOutcome outcome;
  diagnostics.finish(outcome);
  EXPECT_TRUE(complains(outcome, "t:5000:1: error: wrong"));
  EXPECT_EQ(outcome.complaints.size(), complaints_max + 2);
}

TEST_F(BadInput, ALineOfAMegabyteIsOneComplaint) {
  const auto lexed = lex("a\n" + std::string(1 << 20, 'x') + "\nb\n" + repeated("$A ", 400'000) + "\nc\n");
  EXPECT_EQ(lexed.tokens, "a\nb\nc\n");
  ASSERT_EQ(lexed.outcome.complaints.size(), 2u);
  EXPECT_TRUE(complains(lexed.outcome, "t:2:1: error: line of 1048576 bytes is ignored, expected at most 1022"));
  EXPECT_LE(lexed.outcome.complaints[0].line_text.size(), 1024u);
  EXPECT_LT(render(lexed.outcome.complaints[0]).size(), 400u);
}

TEST_F(BadInput, WhateverIsNeverEndedEndsWithTheFile) {
  for (const char* text : {"virtual_server 10.0.0.1 80 {",
                           "virtual_server 10.0.0.1 80",
                           "a \"b",
                           "a 'b",
                           "a {\n{\n{",
                           "$A=\\",
                           "$A= \\\nb \\",
                           "$",
                           "${",
                           "${A",
                           "x ${_ENV ",
                           "x ${_RANDOM 1",
                           "~",
                           "~SEQ",
                           "~SEQ(",
                           "~SEQ(i",
                           "~LST({",
                           "~LST({a",
                           "@",
                           "@^",
                           "\\",
                           "include",
                           "include {",
                           "include \"",
                           "# x",
                           "!",
                           "\"",
                           "notify_up \"x '",
                           "a { b",
                           "}"}) {
    for (const char* end : {"", "\n", "\r\n", " "}) {
      const auto lexed = lex(std::string(text) + end);
      EXPECT_LE(lexed.count, 8u) << text;
      EXPECT_NE(lexed.tokens, "a replay gives other tokens") << text;
      const auto outcome = parse(std::string(text) + end);
      EXPECT_LE(outcome.complaints.size(), 8u) << text << "\n" << all_complaints(outcome);
    }
  }
}

TEST_F(BadInput, DeepNestingIsFlat) {
  const std::size_t depth = 50'000;
  for (const char* opening : {"a {\n", "{\n", "virtual_server 1.2.3.4 80 { real_server 1.2.3.4 80 {\n"}) {
    const auto outcome = parse(repeated(opening, depth) + repeated("}\n", 2 * depth) + virtual_server(""));
    EXPECT_GE(outcome.config.virtual_servers.size(), 1u) << opening;
    EXPECT_LE(outcome.complaints.size(), 2 * complaints_max + 1);
  }
}

TEST_F(BadInput, ABlockAtATimeIsInMemory) {
  const Size size = size_of_tree(repeated(virtual_server("", "TCP_CHECK {\nconnect_timeout 3\n}"), 20'000));
  EXPECT_EQ(size.all, 20'000u * 7);
  EXPECT_EQ(size.at_once, 7u);
}

TEST_F(BadInput, TheNumberOfLinesAndBracesIsLimited) {
  ParseOutcome outcome;
  const Size size = size_of_tree(repeated("a {}\n", tokens_max / 3 + 1), &outcome);
  EXPECT_LE(size.all, tokens_max);
  EXPECT_GE(size.all, tokens_max / 3 - 1);
  EXPECT_EQ(size.at_once, 1u);
  ASSERT_EQ(outcome.complaints.size(), 1u) << all_complaints(outcome);
  EXPECT_TRUE(complains(outcome, "more than 8000000 lines and braces, the rest is ignored"));
}

TEST_F(BadInput, DefinitionsThatDoubleEndWithOneComplaint) {
  std::string text = "$A0=aaaaaaaa\n";
  for (int i = 1; i < 40; ++i) text += fmt::format("$A{}=${{A{}}}${{A{}}}\n", i, i - 1, i - 1);
  const auto lexed = lex(text + "x $A39\ny\n");
  EXPECT_EQ(lexed.tokens, "y\n");
  EXPECT_EQ(lexed.outcome.complaints.size(), 1u) << all_complaints(lexed.outcome);
}

TEST_F(BadInput, DefinitionsOfSeveralLinesThatDoubleEndToo) {
  std::string text = "$A0= \\\na\n";
  for (int i = 1; i < 40; ++i) text += fmt::format("$A{}= \\\n$A{} \\\n$A{}\n", i, i - 1, i - 1);
  const auto lexed = lex(text + "$A39\ny\n");
  EXPECT_TRUE(lexed.tokens.ends_with("y\n"));
  EXPECT_LE(lexed.count, 1'000u);
  EXPECT_TRUE(complains(lexed.outcome, "is expanded too often, does it refer to itself?"));
}

TEST_F(BadInput, WhatDefinitionsMakeIsLimitedInAll) {
  // Each line of the file asks for 256 times 64 KiB: 16 MiB.
  std::string text = "$B= \\\n" + repeated(std::string(1000, 'b') + " \\\n", 60) + "b\n";
  text += "$A= \\\n" + repeated("$B \\\n", 255) + "b\n";
  const auto lexed = lex(text + repeated("$A\n", 100) + "y\n");
  EXPECT_LE(lexed.tokens.size(), expanded_bytes_max + (1u << 20));
  EXPECT_FALSE(lexed.tokens.ends_with("y\n"));
  ASSERT_EQ(lexed.outcome.complaints.size(), 1u) << all_complaints(lexed.outcome);
  EXPECT_TRUE(complains(lexed.outcome, "make more than 64 MiB of text, the rest is ignored"));
}

TEST_F(BadInput, ADefinitionHasALargestSize) {
  const auto lexed = lex("$B= \\\n" + repeated(std::string(1000, 'b') + " \\\n", 100) + "b\ny\n$B\n");
  EXPECT_TRUE(complains(lexed.outcome, "definition 'B' is cut here, expected at most 65536 bytes"));
  EXPECT_LE(lexed.tokens.size(), 2 * definition_bytes_max);
}

TEST_F(BadInput, ManyNamesOnALineAreReplacedOnceEach) {
  EXPECT_EQ(lex("$A=b\n" + repeated("$A,", 250)).tokens, repeated("b,", 250) + "\n");
  const auto many = lex("$A=\n" + repeated("$A ", 300) + "\ny\n");
  EXPECT_EQ(many.tokens, "y\n");
  EXPECT_TRUE(complains(many.outcome, "more than 256 replacements in it"));
}

}  // namespace
}  // namespace sluice::control::config
