// Words, quotes, comments, braces, conditions, definitions and script lines, as keepalived 2.2.7 reads them.
#include "control/config/lexer.h"

#include <gtest/gtest.h>

#include "control/config/test_text.h"
#include "control/config/test_tokens.h"

namespace sluice::control::config {
namespace {

using testing::complains;
using testing::count;
using testing::parse;

using Row = testing::LexerRow;

std::string tokens(std::string_view text, std::size_t* complaints = nullptr) {
  const auto lexed = testing::lex(text);
  if (complaints != nullptr) *complaints = lexed.outcome.complaints.size();
  return lexed.tokens;
}

TEST(Lexer, SplitsLinesIntoWordsAndBraces) {
  const std::vector<Row> rows = {
      {"empty text", "", ""},
      {"blank lines only", "\n \t\n", ""},
      {"words and no final newline", "a b\tc", "a|b|c\n"},
      {"CRLF", "a b\r\nc\r\n", "a|b\nc\n"},
      {"brace glued to its keyword", "TCP_CHECK{\n}", "TCP_CHECK\n{\n}\n"},
      {"brace on the next line", "a\n{\n}\n", "a\n{\n}\n"},
      {"a whole block on one line", "a 1 { b 2 }", "a|1\n{\nb|2\n}\n"},
      {"two closing braces", "}}", "}\n}\n"},
      {"hash comment", "a # b { }\n# c\nd", "a\nd\n"},
      {"bang comment", "! x\na!b c", "a\n"},
      {"escaped comment signs", "a \\# b\\!c", "a|#|b!c\n"},
      {"non-ASCII bytes in a comment", "a # \xc3\xa4 \xff\nb", "a\nb\n"},
      {"non-ASCII bytes in a word", "a \xc3\xa4", "a|\xc3\xa4\n", 1},
      {"quotes keep blanks, braces and comment signs", "a \"b { # c\"", "a|b { # c\n"},
      {"an empty quoted word", "a \"\" b", "a||b\n"},
      {"a quote in mid-word ends it", "a\"b c\"", "a|b c\n"},
      {"single quotes protect nothing", "a 'b # c'", "a|'b\n"},
      {"an unterminated quote drops its word", "a b \"c d\ne", "a|b\ne\n", 1},
      {"a NUL drops its line", std::string("a\0b\nc", 5), "c\n", 1},
      {"a byte order mark is skipped",
       "\xef\xbb\xbf"
       "a",
       "a\n", 1},
      {"a backslash at the end is a word", "a \\\nb", "a|\\\nb\n"},
  };
  for (const Row& row : rows) {
    std::size_t complaints = 0;
    EXPECT_EQ(tokens(row.text, &complaints), row.tokens) << row.description;
    EXPECT_EQ(complaints, row.complaints) << row.description;
  }
}

TEST(Lexer, ALineOfTheLongestLengthIsReadAndOneByteMoreIsNot) {
  const std::string longest(line_bytes_max, 'a');
  std::size_t complaints = 0;
  EXPECT_EQ(tokens(longest + "\nb", &complaints), longest + "\nb\n");
  EXPECT_EQ(complaints, 0u);
  EXPECT_EQ(tokens(longest + "a\nb", &complaints), "b\n");
  EXPECT_EQ(complaints, 1u);
}

TEST(Lexer, ConditionsCompareWithTheConfigId) {
  EXPECT_EQ(tokens("@director1 a 1\n@other b 2\n@^director1 c 3\n@^other d 4\n@director1\n"), "a|1\nd|4\n");
}

TEST(Lexer, DefinitionsAreReplacedWhereKeepalivedReplacesThem) {
  const std::vector<Row> rows = {
      {"at the end of the line", "$A=1\nx $A", "x|1\n"},
      {"before a blank", "$A=1 2\nx $A y", "x|1|2|y\n"},
      {"in braces anywhere", "$A=1\nx a${A}b", "x|a1b\n"},
      {"not inside a longer word", "$A=1\nx $AB $A.B", "x|$AB|$A.B\n"},
      {"the last one counts", "$A=1\n$A=2\nx $A", "x|2\n"},
      {"empty", "$A=\nx $A y", "x|y\n"},
      {"nested, read when used", "$A=$B\n$B=3\nx $A", "x|3\n"},
      {"a literal hash", "x a${_HASH}b # c", "x|a#b\n"},
      {"the config-id", "x ${_INSTANCE}", "x|director1\n"},
      {"several lines, braces included", "$A= \\\n b {\\\n c\\\n }\n$A\nd", "b\n{\nc\n}\nd\n"},
      {"what follows a brace comes before the next line of the definition", "$A= { a \\\n b\nx $A", "x\n{\na\nb\n"},
      {"a condition from a definition", "$A=@other\n$A x\ny", "y\n"},
      {"itself", "$A=$A\nx $A\ny", "y\n", 1},
      {"itself, over lines", "$A= \\\n$A\\\n$A\n$A\ny", "y\n", 0},
  };
  for (const Row& row : rows) {
    std::size_t complaints = 0;
    const std::string got = tokens(row.text, &complaints);
    if (row.complaints == 0 && std::string_view(row.description) == "itself, over lines") {
      EXPECT_GE(complaints, 1u);  // and it ends
      EXPECT_NE(got.find("y\n"), std::string::npos);
      continue;
    }
    EXPECT_EQ(got, row.tokens) << row.description;
    EXPECT_EQ(complaints, row.complaints) << row.description;
  }
}

TEST(Lexer, WordsRememberTheirColumns) {
  const auto outcome = parse("\n  virtual_server   10.0.0.1:80 {\n}\n");
  ASSERT_EQ(outcome.complaints.size(), 1u);
  EXPECT_EQ(outcome.complaints[0].line, 2u);
  EXPECT_EQ(outcome.complaints[0].column, 20u);
  EXPECT_EQ(outcome.complaints[0].line_text, "  virtual_server   10.0.0.1:80 {");
  EXPECT_TRUE(outcome.complaints[0].text().starts_with("test.conf:2:20: error: ")) << outcome.complaints[0].text();
}

TEST(Lexer, MessagesAreSafeForATerminal) {
  const auto outcome = parse("\x1b[31m\xff 1\n");
  ASSERT_GE(outcome.complaints.size(), 1u);
  EXPECT_TRUE(complains(outcome, "'\\x1b[31m\\xff'"));
  for (const Complaint& complaint : outcome.complaints) {
    for (const char c : complaint.message) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  }
}

TEST(ScriptLine, SplitsLikeAShell) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(script_words(R"(notify_up "/bin/x 'a b'" root)"), (Words{"notify_up", "/bin/x 'a b'", "root"}));
  EXPECT_EQ(script_words(R"(notify_up /bin/x root adm)"), (Words{"notify_up", "/bin/x", "root", "adm"}));
  EXPECT_EQ(script_words(R"(a b"c d"'e f'g)"), (Words{"a", "bc de fg"}));
  EXPECT_EQ(script_words(R"(a "b \"c\" \n")"), (Words{"a", R"(b \"c\" \n)"}));
  EXPECT_EQ(script_words(R"(a "b)"), std::nullopt);

  EXPECT_EQ(script_argv("/bin/x a  'b c' \"d e\""), (Words{"/bin/x", "a", "b c", "d e"}));
  EXPECT_EQ(script_argv(R"(x \" \\ \q)"), (Words{"x", "\"", "\\", "q"}));
  EXPECT_EQ(script_argv(R"(x \a\b\E\f\n\r\t\v)"), (Words{"x", "\a\b\x1b\f\n\r\t\v"}));
  EXPECT_EQ(script_argv(R"(x \101\x41\x4Z\cA\1018)"), (Words{"x",
                                                             "AA\x04Z\x01"
                                                             "A8"}));
  EXPECT_EQ(script_argv("x ''"), (Words{"x", ""}));
  EXPECT_EQ(script_argv("x 'y"), std::nullopt);
  EXPECT_EQ(script_argv("x \\"), (Words{"x", "\\"}));
}

}  // namespace
}  // namespace sluice::control::config
