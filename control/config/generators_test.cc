// ~SEQ and ~LST, compared row by row with what keepalived 2.2.7 makes of them.
#include <gtest/gtest.h>

#include "control/config/test_text.h"
#include "control/config/test_tokens.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::lex;
using testing::LexerRow;

void expect_rows(const std::vector<LexerRow>& rows) {
  for (const LexerRow& row : rows) {
    const auto lexed = lex(row.text);
    EXPECT_EQ(lexed.tokens, row.tokens) << row.description;
    EXPECT_EQ(lexed.outcome.complaints.size(), row.complaints) << row.description << "\n"
                                                               << all_complaints(lexed.outcome);
  }
}

TEST(Sequence, RepeatsTheLineForEachNumber) {
  expect_rows({
      {"to an end", "~SEQ(i,3) a$i b", "a1|b\na2|b\na3|b\n"},
      {"to a negative end", "~SEQ(i,-3) a$i", "a-1\na-2\na-3\n"},
      {"to zero", "~SEQ(i,0) a$i", "a1\na0\n"},
      {"downwards", "~SEQ(i,3,1) a$i", "a3\na2\na1\n"},
      {"across zero", "~SEQ(i,-1,1) a$i", "a-1\na0\na1\n"},
      {"with a step", "~SEQ(i,0,3,10) a$i", "a0\na3\na6\na9\n"},
      {"with a step beyond the end", "~SEQ(i,10,5,12) a$i", "a10\n"},
      {"with a step downwards", "~SEQ(i,3,-2,0) a$i", "a3\na1\n"},
      {"one line", "~SEQ(i,1,1) a$i", "a1\n"},
      {"hexadecimal and octal bounds", "~SEQ(i,0x0a,0X0b) a$i\n~SEQ(i,07,010) b$i", "a10\na11\nb7\nb8\n"},
      {"hexadecimal digits", "~SEQx(i,0xfe,0x101) a$i", "afe\naff\na100\na101\n"},
      {"hexadecimal downwards", "~SEQx(i,0x10,-1,0xe) a$i", "a10\naf\nae\n"},
      {"a sign", "~SEQ(i,+1,2) a$i", "a1\na2\n"},
      {"nothing is zero", "~SEQ(i,,1) a$i", "a0\na1\n"},
      {"blanks where they are let in", "  ~SEQ (i , 1,\t2 )a$i", "a1\na2\n"},
      {"a bound from a definition", "$N=2\n~SEQ(i,1,$N) a$i\n~SEQ(i,1,${N}) b$i", "a1\na2\nb1\nb2\n"},
      {"the largest numbers", "~SEQ(i,9223372036854775806,9223372036854775807) $i",
       "9223372036854775806\n9223372036854775807\n"},
      {"the longest way in one step", "~SEQ(i,-9223372036854775808,9223372036854775807,9223372036854775807) $i",
       "-9223372036854775808\n-1\n9223372036854775806\n"},
      {"nothing to repeat", "~SEQ(i,1,2)\na", "a\n"},
      {"a comment to repeat", "~SEQ(i,1,2)# x\n~SEQ(i,1,2) a # $i", "a\na\n"},
  });
}

TEST(Sequence, TheLineMayBeAnything) {
  expect_rows({
      {"a block", "~SEQ(i,1,2) a$i { b$i }", "a1\n{\nb1\n}\na2\n{\nb2\n}\n"},
      {"another sequence, the first is the slowest", "~SEQ(i,1,2) ~SEQ(j,3,4) a${i}x$j", "a1x3\na1x4\na2x3\na2x4\n"},
      {"a sequence that depends on the first", "~SEQ(i,1,2)~SEQ(j,$i,2) a${i}x$j", "a1x1\na1x2\na2x2\n"},
      {"the same name twice", "~SEQ(i,1,2) ~SEQ(i,5,6) a$i", "a5\na6\na5\na6\n"},
      {"a condition", "~SEQ(i,1,2) @director1 a$i\n~SEQ(i,1,2) @other b$i", "a1\na2\n"},
      {"behind a condition", "@director1 ~SEQ(i,1,2) a$i\n@other ~SEQ(i,1,2) b$i", "a1\na2\n"},
      {"a definition, read when it is used", "~SEQ(i,1,2) $X=v$i\na $X", "a|v2\n"},
      {"the name keeps its last value", "~SEQ(i,1,2) a$i\nb$i", "a1\na2\nb2\n"},
      {"a name that was defined before", "$i=7\n~SEQ(i,1,2) a$i", "a1\na2\n"},
      {"from a definition, twice", "$G=~SEQ(i,1,2)\n$G a$i\n${G} b$i", "a1\na2\nb1\nb2\n"},
      {"in a definition of several lines", "$M= \\\n~SEQ(i,1,2) a$i \\\nb\n$M", "a1\na2\nb\n"},
      {"a definition of several lines", "$M= \\\na$i {\\\nb }\n~SEQ(i,1,2) $M", "a1\n{\nb\n}\na2\n{\nb\n}\n"},
      {"such a definition behind a brace", "$M= c \\\nd }\n~SEQ(i,1,2) a$i { $M", "a1\n{\nc\nd\n}\na2\n{\nc\nd\n}\n"},
      {"quotes", "~SEQ(i,1,2) \"a$i {\" b", "a1 {|b\na2 {|b\n"},
      {"in mid-line it is a word", "a ~SEQ(i,1,2) b", "a|~SEQ(i,1,2)|b\n"},
      {"another word with a tilde", "~FOO(i,1,2) a\n~ SEQ(i,1,2)", "~FOO(i,1,2)|a\n~|SEQ(i,1,2)\n"},
  });
}

TEST(Sequence, WhatIsWrongMakesNoLine) {
  for (const char* text : {"~SEQ(i) a",
                           "~SEQ() a",
                           "~SEQ(i,a) a",
                           "~SEQ(i,1,3 a",
                           "~SEQ(i,1,2,3,4) a",
                           "~SEQ a",
                           "~SEQ",
                           "~SEQ(i,1,-1,3) a",
                           "~SEQ(i,1,0,3) a",
                           "~SEQ(i,5,10,3) a",
                           "~SEQ(i,1,,3) a",
                           "~SEQ(i,0x,2) a",
                           "~SEQ(i,3x) a",
                           "~SEQ(i,1.5) a",
                           "~SEQ(,1,2) a",
                           "~SEQX(i,1,2) a",
                           "~SEQx(i,-1,2) a",
                           "~SEQx(i,1,-1) a",
                           "~SEQ(i,1,9223372036854775808) a",
                           "~SEQ) a"}) {
    const auto lexed = lex(std::string(text) + "\nz");
    EXPECT_EQ(lexed.tokens, "z\n") << text;
    ASSERT_EQ(lexed.outcome.complaints.size(), 1u) << text << "\n" << all_complaints(lexed.outcome);
    EXPECT_EQ(lexed.outcome.complaints[0].severity, Severity::error);
    EXPECT_EQ(lexed.outcome.complaints[0].line, 1u);
    EXPECT_EQ(lexed.outcome.complaints[0].column, 1u);
  }
}

TEST(List, RepeatsTheLineForEachMember) {
  expect_rows({
      {"values", "~LST(v,x,y) a$v", "ax\nay\n"},
      {"one value", "~LST(v,x) a$v", "ax\n"},
      {"empty values", "~LST(v,) a${v}_\n~LST(v,x,,y) b$v", "a_\nbx\nb\nby\n"},
      {"several names", "~LST({a,b},{1,2},{3,4}) ${a}_$b", "1_2\n3_4\n"},
      {"blanks", " ~LST ( {a, b} , { 1,2 }, {3 , 4} ) ${a}_$b", "1_2\n3_4\n"},
      {"missing members are empty", "~LST({a,b},{1,2},{3},4,{,5}) ${a}_${b}_", "1_2_\n3__\n4__\n_5_\n"},
      {"braces around single ones", "~LST({v},x,{y}) a$v", "ax\nay\n"},
      {"values that are words elsewhere", "~LST(v,a\\,\"b\",$c) x $v", "x|a\\\nx|b\nx|$c\n", 0},
      {"a value with an opening brace", "~LST(v,a{b) x$v }", "xa\n{\nb\n}\n"},
      {"with a sequence", "~LST(v,x,y) ~SEQ(i,1,2) a${v}$i", "ax1\nax2\nay1\nay2\n"},
      {"behind a sequence", "~SEQ(i,1,2)~LST(v,x,y)a${i}$v", "a1x\na1y\na2x\na2y\n"},
  });
}

TEST(List, WhatIsWrongMakesNoLine) {
  for (const char* text :
       {"~LST(v) a", "~LST() a", "~LST a", "~LST({a,b}) a", "~LST({a,b},{1,2},{3,4) a", "~LST({a,b},{1},{3,4,5}) a",
        "~LST(a,{1,2}) a", "~LST(v,a b) a", "~LST(v,\"a b\") a", "~LST({a b},{1}) a", "~LST({a},{1 2}) a",
        "~LST({a},{1}{2}) a", "~LST(v,a}b) a", "~LSTx(v,a) a", "~LST(v,#,b) a", "~LST(v,${L}) a"}) {
    const auto lexed = lex(std::string(text) + "\nz");
    EXPECT_EQ(lexed.tokens, "z\n") << text;
    ASSERT_EQ(lexed.outcome.complaints.size(), 1u) << text << "\n" << all_complaints(lexed.outcome);
    EXPECT_EQ(lexed.outcome.complaints[0].severity, Severity::error);
  }
}

TEST(Generators, MakeAsManyLinesAsTheLimitAndNotOneMore) {
  const std::string most = std::to_string(generated_lines_max);
  EXPECT_EQ(lex("~SEQ(i," + most + ") a").count, generated_lines_max);
  const auto more = lex("~SEQ(i,0," + most + ") a\nz");
  EXPECT_EQ(more.tokens, "z\n");
  EXPECT_TRUE(testing::complains(more.outcome, "makes 1000001 lines, line ignored")) << all_complaints(more.outcome);
}

TEST(Generators, CountTheirLinesTogether) {
  // A thousand times a thousand times a thousand, and then another one.
  const auto nested = lex("~SEQ(i,1000) ~SEQ(j,1000) ~SEQ(k,1000) a\n~SEQ(i,1000000) b\nz\n");
  EXPECT_TRUE(nested.tokens.ends_with("z\n"));
  EXPECT_LE(nested.count, generated_lines_max + 1);
  EXPECT_LE(nested.outcome.complaints.size(), 3u) << all_complaints(nested.outcome);
}

TEST(Generators, StopWhenTheyMakeTooMuchText) {
  const auto lexed = lex("~SEQ(i,1000000) " + std::string(1000, 'a') + "\nz\n");
  EXPECT_LE(lexed.tokens.size(), expanded_bytes_max + 2000);
  ASSERT_EQ(lexed.outcome.complaints.size(), 1u);
  EXPECT_TRUE(testing::complains(lexed.outcome, "make more than 64 MiB of text, the rest is ignored"));
}

TEST(Generators, ComplaintsAboutTheLinesNameTheGeneratorOnce) {
  const auto outcome = testing::parse("~SEQ(i,1,3) nonsense x\n");
  ASSERT_EQ(outcome.complaints.size(), 1u) << all_complaints(outcome);
  EXPECT_EQ(outcome.complaints[0].line, 1u);
  EXPECT_EQ(outcome.complaints[0].column, 13u);
}

TEST(Generators, MakeServers) {
  const auto outcome =
      testing::parse(testing::virtual_server("~SEQ(i,11,12) real_server 10.0.9.$i 80 { weight $i }\n"
                                             "~LST({a,w},{21,5},{22,6}) real_server 10.0.9.$a 80 { weight $w }"));
  ASSERT_EQ(outcome.config.virtual_servers.size(), 1u) << all_complaints(outcome);
  std::string weights;
  for (const RealServer& rs : outcome.config.virtual_servers[0].real_servers)
    weights += std::to_string(rs.weight.value) + " ";
  EXPECT_EQ(weights, "11 12 5 6 1 ") << all_complaints(outcome);
}

}  // namespace
}  // namespace sluice::control::config
