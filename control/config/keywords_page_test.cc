// docs/keywords.md says of every keyword what it does, and is the tables' own word: this test fails when it is old.
// SLUICE_WRITE_DOCS=1 in the environment writes it anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "control/config/print.h"

namespace sluice::control::config {
namespace {

constexpr std::string_view introduction = R"(# Every keyword

The language is keepalived's: `man 5 keepalived.conf` says what the words mean. This page says what they do in Sluice, word by
word; `sluiced -t` says the same of a file, line by line.

- **acts**: as in keepalived.
- **later**: read, checked, kept, printed by `sluicectl config`; what it asks for isn't built yet, and the log says so.
- **no effect**: read and checked; Sluice has no use for it, for the reason given.

A word that isn't here gets a warning with its place and the likeliest word that is; an unknown block is skipped whole.
)";

std::string title_of(const std::string& block) {
  if (block.empty()) return "The top level";
  std::string title;
  for (const char c : block) title += c == '/' ? std::string(" / ") : std::string(1, c);
  return title;
}

std::string effect_of(const KeywordInfo& keyword) {
  const std::string reason(keyword.reason);
  switch (keyword.effect) {
    case Effect::acts: return "acts";
    case Effect::later: return reason.empty() ? "later" : "later: " + reason;
    case Effect::none: return "no effect: " + reason;
  }
  return {};
}

std::string page() {
  std::string text(introduction);
  std::string block = "-";
  for (const KeywordInfo& keyword : all_keywords()) {
    if (keyword.block != block) {
      block = keyword.block;
      text += fmt::format("\n## {}\n\n| keyword | in Sluice |\n|---|---|\n", title_of(block));
    }
    const std::string alias = keyword.alias_of.empty() ? "" : fmt::format("another spelling of `{}`; ", keyword.alias_of);
    text += fmt::format("| `{}` | {}{} |\n", keyword.name, alias, effect_of(keyword));
  }
  return text;
}

TEST(KeywordsPage, IsUpToDate) {
  const std::string expected = page();
  if (std::getenv("SLUICE_WRITE_DOCS") != nullptr) std::ofstream(KEYWORDS_PAGE) << expected;
  std::ifstream in(KEYWORDS_PAGE);
  std::ostringstream found;
  found << in.rdbuf();
  EXPECT_EQ(found.str(), expected) << "run this test with SLUICE_WRITE_DOCS=1";
}

}  // namespace
}  // namespace sluice::control::config
