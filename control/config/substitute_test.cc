// Conditions, definitions and what is put in their place, compared row by row with keepalived 2.2.7.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "control/config/test_text.h"
#include "control/config/test_tokens.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;
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

TEST(Conditions, TakeALineOrLeaveIt) {
  expect_rows({
      {"nothing after it", "@director1\n@other\n@\n@^", ""},
      {"an empty id", "@ a\n@^ b", "b\n"},
      {"a second one is a word", "@director1 @director1 a", "@director1|a\n"},
      {"an id ends at a blank", "@director1@other a\n@director1{ a }\n@director1\ta", "a\n"},
      {"in mid-line it is a word", "a @other b", "a|@other|b\n"},
      {"in quotes it is a word", "\"@other\" b", "@other|b\n"},
      {"from a definition", "$A=@other\n$B=@^other\n$A x\n${A} y\n$B z", "z\n"},
      {"the id itself isn't replaced", "$A=director1\n@$A x\n@${A} y", ""},
      {"before a definition", "@director1 $A=3\n@other $A=4\nx$A", "x3\n"},
      {"in a definition of several lines", "$A= \\\nx1 \\\n@other x2 \\\n@director1 x3\n$A", "x1\nx3\n"},
  });
}

TEST(Definitions, AreReadAsKeepalivedReadsThem) {
  expect_rows({
      {"a comment behind it", "$A=3 # c\na$A b", "a3|b\n"},
      {"a comment sign that is none", "$A=3 \\# 4\na $A b", "a|3|#|4|b\n"},
      {"a comment sign in quotes", "$A=\"1 # c\"\na $A b", "a|1 # c|b\n"},
      {"with a blank before '='", "$A =3\na$A", "$A|=3\na$A\n"},
      {"a digit first", "$1A=3\na$1A", "$1A=3\na$1A\n"},
      {"no name", "$=3\n$\nx$$", "$=3\n$\nx$$\n"},
      {"in mid-line", "x $A=3\ny$A", "x|$A=3\ny$A\n"},
      {"in braces", "${A}=3\nx$A", "$\n{\nA\n}\n=3\nx$A\n"},
      {"braces in it", "$A={ b }\na $A", "a\n{\nb\n}\n"},
      {"an opening brace in it", "$A=x {\n$A\n}", "x\n{\n}\n"},
      {"a name like ours", "$_X=3\n$_PWD=4\na$_X ${_PWD}", "a3|4\n"},
      {"behind a bracket", "$A=1\nx$A)$A,$A", "x1)1,1\n"},
      {"glued together", "$A=1\nx$A$A", "x$A1\n"},
      {"in quotes", "$A=1\nx\"$A b\" \"$A\" \"${A}\"", "x|1 b|$A|1\n"},
      {"before a brace", "$A=1\nx$A{ }", "x$A\n{\n}\n"},
      {"braces that aren't closed", "$A=1\nx${A", "x$\n{\nA\n"},
      {"undefined", "x$A ${B}", "x$A|$\n{\nB\n}\n"},
      {"a definition from a definition", "$A= \\\nx1 \\\n$B=5 \\\nx$B\n$A", "x1\nx5\n"},
      {"nested ones of several lines", "$B= \\\ny1 \\\ny2\n$A= \\\nx1 \\\n$B \\\nx2\n$A", "x1\ny1\ny2\nx2\n"},
      {"several lines with comments", "$A= \\\nx1 # c \\\n# d \\\nx2\ny\n$A", "y\nx1\nx2\n"},
      {"several lines, words on the first", "$A= q \\\n  x\ny${A}", "yq\nx\n"},
      {"several lines, blank ones first", "$A= \\\n \\\n  x \\\n\\\nz\ny${A}", "yx\nz\n"},
      {"several lines, a comment behind the name", "$A= \\\nx1 \\\nx2\ny $A # c", "y|x1\nx2\n"},
      {"several lines, but not at the end", "$A= \\\nx1 \\\nx2\ny $A z\ny${A}z\nw", "w\n", 2},
      {"several lines end with the file", "$A=1 \\", ""},
  });
}

TEST(Definitions, NamesWithAnUnderscoreAreOurs) {
  expect_rows({
      {"the directory", "x $_PWD ${_PWD}", "x|.|.\n"},
      {"the config-id", "x $_INSTANCE", "x|director1\n"},
      {"comment signs", "x a${_HASH}b ${_BANG} $_HASH c", "x|a#b|!|#|c\n"},
      {"unknown ones", "x $_FOO", "x|$_FOO\n"},
      {"no variable of the environment", "x ${_ENV} y", "x|$\n{\n_ENV\n}\ny\n"},
  });
  setenv("SLUICE_TEST_VARIABLE", "10.0.0.1 80", 1);
  setenv("SLUICE_TEST_LINES", "a\nb", 1);
  unsetenv("SLUICE_TEST_NONE");
  expect_rows({
      {"a variable", "x ${_ENV SLUICE_TEST_VARIABLE} y", "x|10.0.0.1|80|y\n"},
      {"none", "x ${_ENV SLUICE_TEST_NONE} y", "x|y\n", 1},
      {"several lines", "x ${_ENV SLUICE_TEST_LINES} y", "x|y\n", 1},
  });
  EXPECT_TRUE(complains(lex("x ${_ENV SLUICE_TEST_NONE}").outcome,
                        "t:1:3: error: environment variable 'SLUICE_TEST_NONE' isn't set"));
}

TEST(RandomNumbers, StayWithinTheirBounds) {
  std::set<std::string> seen;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    ParseOptions options;
    options.random_seed = seed;
    const auto lexed = lex("${_RANDOM 5 7}", options);
    seen.insert(lexed.tokens);
    const int any = std::stoi(lex("$_RANDOM", options).tokens);
    EXPECT_TRUE(any >= 0 && any <= 32767) << any;
    const int from = std::stoi(lex("${_RANDOM 32000}", options).tokens);
    EXPECT_TRUE(from >= 32000 && from <= 32767) << from;
  }
  EXPECT_EQ(seen, (std::set<std::string>{"5\n", "6\n", "7\n"}));
  expect_rows({
      {"one choice", "x${_RANDOM 5 5}y${_RANDOM 4294967295 4294967295}", "x5y4294967295\n"},
      {"more words", "x${_RANDOM 5 5 9}", "x5\n"},
      {"no number", "${_RANDOM x}", "$\n{\n_RANDOM|x\n}\n"},
      {"no whole number", "${_RANDOM 3x}", "$\n{\n_RANDOM|3x\n}\n"},
      {"negative", "${_RANDOM -3 -2}", "$\n{\n_RANDOM|-3|-2\n}\n"},
  });
}

TEST(RandomNumbers, AreThoseOfTheSeed) {
  ParseOptions options;
  options.random_seed = 42;
  const std::string text = "$_RANDOM $_RANDOM ${_RANDOM 1 1000000}";
  EXPECT_EQ(lex(text, options).tokens, lex(text, options).tokens);
  options.random_seed = 43;
  const std::string other = lex(text, options).tokens;
  options.random_seed = 42;
  EXPECT_NE(lex(text, options).tokens, other);
  // The file's own seed wins.
  const auto router_id = [&](std::uint32_t seed) {
    options.random_seed = seed;
    return parse_text("global_defs {\nrandom_seed 7\nrouter_id ${_RANDOM 1 1000000}\n}\n", "t", options)
        .config.global.router_id;
  };
  EXPECT_EQ(router_id(1), router_id(2));
}

}  // namespace
}  // namespace sluice::control::config
