// Tokens -> a tree of statements. Tolerant: whatever is wrong with the braces becomes a complaint, and every line is
// kept somewhere sensible. The tree knows nothing of keywords but which ones always open a block.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/config/lexer.h"

namespace sluice::control::config {

/// keepalived's deepest is five (virtual_server, real_server, HTTP_GET, url, included brace); the parser recurses.
inline constexpr unsigned block_depth_max = 32;
/// Bounds memory: 10,000 services with 50 servers of 6 lines each are 3 million.
inline constexpr std::size_t statements_max = 4'000'000;

struct Statement {
  Place place;
  std::vector<Word> words;  ///< not empty; the first is the keyword
  std::string raw;          ///< see Token::raw
  bool has_block = false;
  std::vector<Statement> children;

  [[nodiscard]] const std::string& keyword() const { return words.front().text; }
  /// Place of words[index].
  [[nodiscard]] Place place_of(std::size_t index) const { return {place.file, place.line, words[index].column}; }
};

/// Blocks that stand at the top level only: meeting one inside another block means that a '}' is missing before it.
[[nodiscard]] bool is_top_level_block(std::string_view keyword);
/// Keywords that always have a block: without a '{' the next line is still taken as their content, as in keepalived.
[[nodiscard]] bool is_block(std::string_view keyword);

[[nodiscard]] std::vector<Statement> read_blocks(Lexer& lexer, Diagnostics& diagnostics);

}  // namespace sluice::control::config
