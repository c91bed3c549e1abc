// What `sluiced -t` prints: the word is under the mark, whatever the line looks like.
#include <gtest/gtest.h>

#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

Complaint complaint(std::string line, unsigned column) {
  return {Severity::error, "a.conf", 7, column, "wrong", std::move(line), exit_status_config};
}

/// The two lines below the message.
std::string excerpt(std::string line, unsigned column) {
  const std::string text = render(complaint(std::move(line), column));
  EXPECT_TRUE(text.starts_with("a.conf:7:")) << text;
  return text.substr(text.find('\n') + 1);
}

TEST(Render, MarksTheWord) {
  EXPECT_EQ(render(complaint("  weight many # x", 10)),
            "a.conf:7:10: error: wrong\n"
            "      weight many # x\n"
            "             ^~~~\n");
  EXPECT_EQ(excerpt("a", 1), "    a\n    ^\n");
  EXPECT_EQ(excerpt("a{", 2), "    a{\n     ^\n");
  EXPECT_EQ(excerpt("ab#c", 1), "    ab#c\n    ^~\n");
  EXPECT_EQ(excerpt("x \"a b\" c", 3), "    x \"a b\" c\n      ^~~~~\n");
  EXPECT_EQ(excerpt("x \"a b", 3), "    x \"a b\n      ^~~~\n");
}

TEST(Render, ShowsTabsAsBlanksAndBytesAsHexadecimal) {
  EXPECT_EQ(excerpt("\t\tweight\tx", 10), "            weight  x\n                    ^\n");
  EXPECT_EQ(excerpt("\x1b[31m a", 7), "    \\x1b[31m a\n             ^\n");
  EXPECT_EQ(excerpt("\xff\xfe x", 1), "    \\xff\\xfe x\n    ^~~~~~~~\n");
}

TEST(Render, LettersOfTwoBytesTakeOneColumn) {
  EXPECT_EQ(excerpt("gr\xc3\xb6\xc3\x9f x", 8), "    gr\xc3\xb6\xc3\x9f x\n         ^\n");
  // A C1 control character, half a letter, and letters of unknown width are bytes.
  EXPECT_EQ(excerpt("\xc2\x9b x", 4), "    \\xc2\\x9b x\n             ^\n");
  EXPECT_EQ(excerpt("\xc3", 1), "    \\xc3\n    ^~~~\n");
  EXPECT_EQ(excerpt("\xe4\xb8\xad", 1), "    \\xe4\\xb8\\xad\n    ^~~~~~~~~~~~\n");
}

TEST(Render, CutsLongLinesAroundTheWord) {
  const std::string line = std::string(500, 'a') + " word " + std::string(500, 'b');
  const std::string text = excerpt(line, 502);
  EXPECT_EQ(text, "    ..." + std::string(39, 'a') + " word " + std::string(52, 'b') + "...\n    " +
                      std::string(43, ' ') + "^~~~\n");
  const std::string start = excerpt(line, 1);
  EXPECT_EQ(start, "    " + std::string(100, 'a') + "...\n    ^" + std::string(99, '~') + "\n");
  const std::string end = excerpt(line, static_cast<unsigned>(line.size()));
  EXPECT_EQ(end, "    ..." + std::string(41, 'b') + "\n    " + std::string(43, ' ') + "^\n");
}

TEST(Render, AColumnBehindTheLineIsMarkedAtItsEnd) { EXPECT_EQ(excerpt("ab", 9), "    ab\n      ^\n"); }

TEST(Render, WithoutAPlaceThereIsOnlyTheMessage) {
  Complaint none = complaint("x", 0);
  none.line = 0;
  EXPECT_EQ(render(none), "a.conf: error: wrong\n");
  EXPECT_EQ(render(complaint("  ", 1)), "a.conf:7:1: error: wrong\n");
}

TEST(Render, NamesWhoIncludedTheFile) {
  Complaint inner = complaint("x", 1);
  inner.included_from = "b.conf:3, main.conf:12";
  EXPECT_EQ(render(inner), "a.conf:7:1: error: wrong\n    x\n    ^\n    included from b.conf:3, main.conf:12\n");
}

TEST(Render, EveryComplaintOfAFileCanBeShown) {
  const auto outcome = testing::parse("\tglobal_defs {\r\n router_idd \"x y\"\xff\n\n}\n}\nx\ty { \"\n");
  ASSERT_GE(outcome.complaints.size(), 3u);
  for (const Complaint& each : outcome.complaints) {
    for (const char c : render(each)) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << render(each);
  }
}

}  // namespace
}  // namespace sluice::control::config
