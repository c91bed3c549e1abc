#include "health/body_regex.h"

#include <gtest/gtest.h>

namespace sluice::health {
namespace {

struct Found {
  bool matched;
  std::string problem;
};

Found find(const Regex& regex, std::string_view body, std::size_t piece) {
  RegexSearch search(regex);
  for (std::string_view rest = body; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
    search.feed(rest.substr(0, piece));
  }
  search.end();
  return {search.matched(), search.problem()};
}

std::uint32_t options(std::initializer_list<std::string_view> words) {
  std::uint32_t all = 0;
  for (const auto word : words) all |= regex_option(word).value();
  return all;
}

void expect(RegexSpec spec, std::string_view body, bool matches) {
  const auto regex = Regex::compile(std::move(spec));
  ASSERT_TRUE(regex) << regex.error().text();
  for (const std::size_t piece : {1ul, 2ul, 3ul, 7ul, 100ul, 1ul << 20}) {
    const Found found = find(*regex, body, piece);
    EXPECT_EQ(found.problem, "");
    EXPECT_EQ(found.matched, matches) << regex->spec().pattern << " in pieces of " << piece;
  }
}

TEST(Regex, SizeOfThePiecesMakesNoDifference) {
  const std::string long_line(3000, '-');
  expect({"needle"}, "hay needle hay", true);
  expect({"needle"}, "hay needl", false);
  expect({"needle"}, "", false);
  expect({"^hay"}, "hay needle", true);
  expect({"^needle"}, "hay needle", false);
  expect({"^needle", options({"multiline"})}, "hay\nneedle", true);
  expect({"^needle", options({"multiline"})}, long_line + "\nneedle", true);
  expect({"^needle", options({"multiline"})}, long_line + " needle", false);
  expect({"needle$"}, "hay needle", true);
  expect({"needle$"}, "hay needle\n", true);
  expect({"needle$"}, "hay needle hay", false);
  expect({"NEEDLE", options({"caseless"})}, "hay needle", true);
  expect({"a.*z"}, "a\nz", false);
  expect({"a.*z", options({"dotall"})}, "a" + long_line + "\nz", true);
  expect({"(?<=abc)def"}, long_line + "abcdef", true);
  expect({"(?<=abc)def"}, long_line + "abxdef", false);
  expect({"\\bneedle\\b"}, long_line + "xneedle", false);
  expect({"\\bneedle\\b"}, long_line + " needle", true);
  expect({"\\Aneedle"}, long_line + "needle", false);
  expect({"needle", options({"firstline"})}, "hay\nneedle", false);
  expect({"needle", options({"firstline"})}, "hay needle\n", true);
  expect({.pattern = "ab", .min_offset = 3}, "ab ab", true);
  expect({.pattern = "ab", .min_offset = 4}, "ab ab", false);
  expect({.pattern = "ab", .max_offset = 3}, "xxxab", true);
  expect({.pattern = "ab", .max_offset = 2}, "xxxab", false);
  expect({.pattern = "ab", .min_offset = 3000, .max_offset = 3000}, long_line + "ab", true);
  expect({.pattern = "ab", .min_offset = 100}, "ab", false);
  expect({"^.$", options({"utf"})}, "\xe2\x82\xac", true);
  expect({"^.$"}, "\xe2\x82\xac", false);
  expect({"\xe2\x82\xac", options({"utf"})}, long_line + "\xff\xe2\x82\xac", true);
  expect({""}, "", true);
}

TEST(Regex, KeepsOnlyAWindowOfTheBody) {
  const auto all = *Regex::compile({"a.*z", options({"dotall"})});
  EXPECT_TRUE(find(all, "a" + std::string(60000, '-') + "z", 4096).matched);
  EXPECT_EQ(find(all, "a" + std::string(100000, '-') + "z", 4096).problem,
            "the regex needs more than 65536 bytes of the body at once");
  const auto line = *Regex::compile({"needle"});
  EXPECT_TRUE(find(line, std::string(5'000'000, 'n') + "needle", 4096).matched);
}

TEST(Regex, GivesUpOnAPatternThatTakesTooLong) {
  const auto regex = *Regex::compile({"(a+)+$"});
  EXPECT_EQ(find(regex, std::string(200, 'a') + "b", 4096).problem, "the regex gave up: match limit exceeded");
}

TEST(Regex, SaysWhatIsWrongWithAPattern) {
  const auto regex = Regex::compile({"a(bc"});
  ASSERT_FALSE(regex);
  EXPECT_EQ(regex.error().text(), "regex: missing closing parenthesis at offset 4");
}

TEST(Regex, KnowsKeepalivedsOptions) {
  EXPECT_TRUE(regex_option("never_backslash_c"));
  EXPECT_FALSE(regex_option("Caseless"));
  EXPECT_FALSE(regex_option("literal"));
}

}  // namespace
}  // namespace sluice::health
