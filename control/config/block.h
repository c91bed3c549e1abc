// Tokens -> a tree of statements. Tolerant: whatever is wrong with the braces becomes a complaint, and every line is
// kept somewhere sensible. The tree knows nothing of keywords but which ones always open a block.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/lexer.h"

namespace sluice::control::config {

/// keepalived's deepest is five (virtual_server, real_server, HTTP_GET, url, included brace); the parser recurses.
inline constexpr unsigned block_depth_max = 32;
/// Lines with content and braces. Bounds the time: 10,000 services with 50 servers and a checker each are 5 million.
inline constexpr std::size_t tokens_max = 8'000'000;

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

/// Gives the statements of the top level one by one, each with all that it encloses, so that the tree of a large file
/// is never in memory as a whole. What decides on other statements wherever it stands (global_defs) is found by a first
/// pass, which keeps little else; rewind() starts the second one.
class BlockReader {
 public:
  /// Both outlive the reader.
  BlockReader(Lexer& lexer, Diagnostics& diagnostics) : lexer_(lexer), diagnostics_(diagnostics) {}

  /// The next statement, alone in its vector, which is empty at the end. Valid until the next call.
  const std::vector<Statement>& next();

  /// The same for a first pass: what a block encloses is checked and forgotten, unless its keyword is `whole`.
  const std::vector<Statement>& next_head(std::string_view whole);

  /// Back to the start. The same statements come once more, and nothing is complained about again.
  void rewind();

 private:
  struct Opener {
    Place place;
    std::string keyword;
    bool is_global_defs = false;
  };

  void read_top(const std::string_view* whole);
  const Token* peek();
  void take() { has_ahead_ = false; }
  Statement& keep(std::vector<Statement>& out);
  void recycle(std::vector<Statement>& statements);
  void read_children(std::vector<Statement>& out, const Opener& opener, unsigned depth);
  void read_statement(std::vector<Statement>& out, const Opener* around, unsigned depth);
  void descend(std::vector<Statement>& out, const Opener& opener, unsigned depth);
  void complain_unclosed(const Opener& opener, const Token* before);
  void heed(const std::vector<Word>& words, Place place);
  void error(Place place, std::string message);

  Lexer& lexer_;
  Diagnostics& diagnostics_;
  std::vector<Statement> current_;
  bool keeps_children_ = true;
  /// Empty, but with memory: of the statements before.
  std::vector<std::vector<Word>> spare_words_;
  std::vector<std::vector<Statement>> spare_children_;
  Token ahead_;
  bool has_ahead_ = false;
  std::size_t tokens_ = 0;
  std::size_t stray_ = 0;  ///< '{' without a keyword, open at the top level
  bool is_cut_ = false;    ///< tokens_max was met
};

/// All of them at once.
[[nodiscard]] std::vector<Statement> read_blocks(Lexer& lexer, Diagnostics& diagnostics);

}  // namespace sluice::control::config
