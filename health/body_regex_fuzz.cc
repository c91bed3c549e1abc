// Fuzzes the search in a body that comes in pieces against the search in the whole of it: same answer, whatever the
// pieces, for patterns that look around, at borders, and at characters of several bytes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "health/body_regex.h"

namespace {

using namespace sluice::health;

struct Pattern {
  std::string_view text;
  std::string_view option;
};
constexpr std::array<Pattern, 12> patterns{{{"ab+c", "dotall"},
                                            {"^ab", "multiline"},
                                            {"^ab", "dotall"},
                                            {"ab$", "multiline"},
                                            {"ab$", "dollar_endonly"},
                                            {"(?<=abc)a", "caseless"},
                                            {"\\ba(?!b)", "caseless"},
                                            {"a.{3}c", "dotall"},
                                            {"a.c", "utf"},
                                            {"(?<=.)\\x{20ac}", "utf"},
                                            {"(a|b)*c\\1", "dotall"},
                                            {"a", "firstline"}}};

bool find(const Regex& regex, std::string_view body, std::size_t piece) {
  RegexSearch search(regex);
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) search.feed(body.substr(0, piece));
  search.end();
  // Steps are counted for each piece; only whole answers can be compared.
  return search.problem().empty() && search.matched();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || size > 4000) return 0;
  const Pattern& pattern = patterns[data[0] % patterns.size()];
  RegexSpec spec{std::string(pattern.text), regex_option(pattern.option).value()};
  spec.min_offset = data[1] % 8;
  if ((data[2] & 0x80) != 0) spec.max_offset = spec.min_offset + data[2] % 64;
  const auto regex = Regex::compile(spec);
  const std::string_view body(reinterpret_cast<const char*>(data) + 4, size - 4);
  if (find(*regex, body, body.size()) != find(*regex, body, data[3] % 16 + 1u)) std::abort();
  return 0;
}
