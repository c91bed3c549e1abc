// Text -> tokens. A token is a line of words, an opening or a closing brace: the first brace outside double quotes
// splits a line, the rest is read as another line, so braces may stand anywhere. Comments, quotes, `@id` conditions,
// `$NAME` definitions and `include` are dealt with here; what words mean is left to the layers above.
// Rules observed on keepalived 2.2.7.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/diagnostics.h"

namespace sluice::control::config {

/// keepalived's line buffer is 1024 bytes, line end and terminating NUL included.
inline constexpr std::size_t line_bytes_max = 1022;
/// Files including files: deeper is a file that includes itself.
inline constexpr std::size_t include_depth_max = 16;
/// conf.d directories hold thousands of files at most; this catches `include /proc/*/*`.
inline constexpr std::size_t include_files_max = 10'000;
/// Replacements of $NAME on one line, and lines that one line may become: catches definitions that refer to themselves.
inline constexpr std::size_t substitutions_max = 256;
/// A definition of several lines.
inline constexpr std::size_t definition_bytes_max = 64u << 10;

struct Word {
  std::string text;
  std::uint32_t column = 0;
};

enum class TokenKind : std::uint8_t { words, open, close };

struct Token {
  TokenKind kind = TokenKind::words;
  Place place;              ///< of the first word, or of the brace
  std::vector<Word> words;  ///< not empty if kind is words
  /// The line as written, comment removed, for script_words(); empty if it has no quote and no backslash, so that
  /// the words say it all.
  std::string raw;
};

class Lexer {
 public:
  /// `file` was added to `diagnostics`, which outlives the lexer, as does `text`.
  Lexer(Diagnostics& diagnostics, std::uint32_t file, std::string_view text, const ParseOptions& options);

  /// The next token, or nothing at the end of the text.
  std::optional<Token> next();

 private:
  struct Char {
    char value;
    bool literal;  ///< came from ${_HASH} and the like: never a comment or a brace
    std::uint32_t column;
  };
  using Text = std::vector<Char>;

  /// A file, or the lines of a definition being expanded.
  struct Source {
    std::uint32_t file = 0;
    std::shared_ptr<const std::string> owned;
    std::string_view text;
    std::size_t at = 0;
    std::uint32_t line = 0;
    std::size_t depth = 0;       ///< of includes
    bool is_definition = false;  ///< then every line has this place
    Place place;
    Text rest;  ///< what follows a brace; already substituted
  };

  bool read_line(Text& line, bool& substituted);
  std::optional<Token> take_piece(Text line);
  bool passes_condition(Text& line, bool& found);
  bool takes_definition(const Text& line);
  void substitute(Text& line);
  void split_words(const Text& piece, Token& token);
  void include(const Token& token);
  void open_file(const std::string& path, Place from, std::size_t depth);
  [[nodiscard]] Place place(std::uint32_t column) const;
  [[nodiscard]] std::string directory_of(std::uint32_t file) const;

  Diagnostics& diagnostics_;
  ParseOptions options_;
  std::vector<Source> sources_;  ///< innermost last
  std::map<std::string, std::string, std::less<>> definitions_;
  std::string open_definition_;                      ///< name of a definition whose last line ended in a backslash
  std::size_t expansions_left_ = substitutions_max;  ///< of definitions with several lines, for one line of a file
  std::size_t files_opened_ = 0;
  std::size_t bytes_read_ = 0;
};

/// Splits a script line the way a shell would, first pass: quotes of both kinds group and go away, adjacent pieces
/// join, backslash escapes stay. The first word is the keyword. Nothing if a quote isn't closed.
[[nodiscard]] std::optional<std::vector<std::string>> script_words(std::string_view raw);

/// Second pass: a command string becomes argv; quotes group, escapes are decoded (\a \b \E \f \n \r \t \v, octal, \xHH,
/// \cX; any other \c is c). Nothing if a quote isn't closed.
[[nodiscard]] std::optional<std::vector<std::string>> script_argv(std::string_view command);

}  // namespace sluice::control::config
