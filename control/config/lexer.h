// Text -> tokens. A token is a line of words, an opening or a closing brace: the first brace outside double quotes
// splits a line, the rest is read as another line, so braces may stand anywhere. Comments, quotes, `@id` conditions,
// `$NAME` definitions, ~SEQ and ~LST generators and `include` are dealt with here; what words mean is left to the
// layers above. Rules observed on keepalived 2.2.7.
//
// Nearly all lines of a large file are plain: words, blanks, a brace, a comment. They are cut where they lie
// (lexer.cc). The others become a Text first, in which each character knows its column (substitute.cc, generators.cc).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/diagnostics.h"

namespace sluice::control::config {

/// keepalived's line buffer is 1024 bytes, line end and terminating NUL included.
inline constexpr std::size_t line_bytes_max = 1022;
/// Files including files: deeper is a mistake, if not a file that includes itself.
inline constexpr std::size_t include_depth_max = 16;
/// How much of a chain of includes a message shows.
inline constexpr std::size_t include_chain_bytes_max = 400;
/// conf.d directories hold thousands of files at most; this catches `include /proc/*/*`.
inline constexpr std::size_t include_files_max = 10'000;
/// Replacements of $NAME on one line, and lines that one line may become: catches definitions that refer to themselves.
inline constexpr std::size_t substitutions_max = 256;
/// A definition of several lines.
inline constexpr std::size_t definition_bytes_max = 64u << 10;
/// Lines that all ~SEQ and ~LST of a configuration make: 100,000 real servers of 10 lines each.
inline constexpr std::size_t generated_lines_max = 1'000'000;
/// Text that definitions and generators make in all; some lines can ask for more than any memory holds.
inline constexpr std::size_t expanded_bytes_max = 64u << 20;

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

/// What must be true of the files that an include names (global_defs' include_check, includer ... includea).
struct IncludeChecks {
  bool read = false;            ///< what matches can be read
  bool match = false;           ///< a name without wildcards exists
  bool wildcard_match = false;  ///< a pattern matches something
  bool brace_match = false;     ///< so does each alternative in braces
};

class Lexer {
 public:
  /// Reads `files` one after the other. They were added to `diagnostics`, which outlives the lexer.
  Lexer(Diagnostics& diagnostics, std::vector<std::uint32_t> files, const ParseOptions& options);
  ~Lexer();
  Lexer(const Lexer&) = delete;
  Lexer& operator=(const Lexer&) = delete;

  /// The next token into `token`; false at the end of the text.
  bool next(Token& token);

  /// Back to the start. The same tokens come once more, from the same texts, and nothing is complained about again.
  void rewind();
  [[nodiscard]] bool is_replay() const { return is_replay_; }

  /// global_defs' include_check: holds until the file in which it stands ends. Words it doesn't know are complained
  /// about.
  void set_include_checks(const std::vector<Word>& words, Place place);
  /// global_defs' random_seed.
  void set_random_seed(std::uint32_t seed) { random_.seed(seed); }

 private:
  struct Char {
    char value;
    bool literal;  ///< came from ${_HASH} and the like: never a comment or a brace
    std::uint16_t column;
  };
  using Text = std::vector<Char>;
  struct Generator;

  /// A file, the lines of a definition being expanded, or a generator's.
  struct Source {
    std::uint32_t file = 0;
    std::string_view text;
    std::size_t at = 0;
    std::uint32_t line = 0;
    std::size_t depth = 0;  ///< of includes
    bool is_file = true;    ///< else all lines have this place:
    Place place;
    std::shared_ptr<const std::string> owned;  ///< text of a definition
    std::unique_ptr<Generator> generator;
    std::string_view plain;            ///< what is left of a plain line ...
    const char* line_begin = nullptr;  ///< ... that starts here
    Text rest;                         ///< what is left of a line that is already substituted
    IncludeChecks checks_outside;      ///< in force before this file was opened
  };

  // lexer.cc
  void pop();
  void read_line(Source& source);
  void read_special(Text line);
  bool take_plain(Source& source, Token& token);
  bool take_piece(Text line, Token& token);
  void split_words(const Text& piece, Token& token);

  // substitute.cc
  bool passes_condition(Text& line, bool& found);
  bool takes_definition(const Text& line);
  void continue_definition(std::string_view bytes);
  void expand_leading_name(Text& line);
  void substitute(Text& line);
  [[nodiscard]] std::optional<std::string> value_of(std::string_view name, std::string_view arguments, bool& is_literal,
                                                    Place where);
  [[nodiscard]] std::optional<std::string> random_number(std::string_view arguments);
  bool expand_lines(const std::string& name, std::string_view value, Char reference, Text& input);
  bool charge(std::size_t bytes, Place where);

  // generators.cc
  bool takes_generator(const Text& line);
  void next_generated();

  // include.cc
  bool take_include(const Text& line, std::size_t at);
  void include(std::string_view form, const std::string& pattern, std::uint32_t form_column,
               std::uint32_t pattern_column);
  std::vector<std::uint32_t> find_included(const std::string& pattern, Place from, IncludeChecks checks);
  bool may_include(const std::string& pattern, Place from);
  std::optional<std::uint32_t> open_file(const std::string& path, Place from, bool is_checked);
  void complain_include(bool is_checked, Place place, std::string message);
  [[nodiscard]] std::string chain_of(Place from) const;
  void push_files(const std::vector<std::uint32_t>& files, std::size_t depth);
  [[nodiscard]] std::string directory_of(std::uint32_t file) const;

  [[nodiscard]] Place place(std::size_t column) const;
  void notice(Place place, std::string message);
  void warning(Place place, std::string message);
  void error(Place place, std::string message);

  static Text text_of(std::string_view bytes, std::size_t column);
  static std::string string_of(const Text& text, std::size_t from, std::size_t to);
  static std::size_t comment_at(const Text& text);

  Diagnostics& diagnostics_;
  ParseOptions options_;
  std::vector<std::uint32_t> files_;  ///< the main ones
  std::uint32_t seed_;

  // Set back by rewind().
  std::vector<Source> sources_;  ///< innermost last
  std::map<std::string, std::string, std::less<>> definitions_;
  std::string open_definition_;                      ///< name of a definition whose last line ended in a backslash
  std::size_t expansions_left_ = substitutions_max;  ///< of definitions with several lines, for one line of a file
  std::size_t generated_lines_ = 0;
  std::size_t expanded_bytes_ = 0;
  IncludeChecks checks_;
  std::mt19937 random_;
  std::size_t includes_ = 0;  ///< how many there were

  // Kept for the replay.
  bool is_replay_ = false;
  std::vector<std::vector<std::uint32_t>> included_;  ///< the files of each include
  std::vector<std::string> real_paths_;               ///< of files, as far as needed
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
