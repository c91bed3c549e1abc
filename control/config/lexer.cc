// Lines, words, braces, comments; see lexer.h. Definitions are in substitute.cc, ~SEQ and ~LST in generators.cc, what
// opens files is in include.cc, the shell-like splitting of script lines in script_words.cc.
#include "control/config/lexer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "control/config/characters.h"
#include "control/config/generators.h"
#include "control/config/include.h"

namespace sluice::control::config {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return {};
  const std::string full = name;
  return full.substr(0, full.find('.'));
}

}  // namespace

Lexer::Lexer(Diagnostics& diagnostics, std::vector<std::uint32_t> files, const ParseOptions& options)
    : diagnostics_(diagnostics),
      options_(options),
      files_(std::move(files)),
      seed_(options.random_seed ? *options.random_seed : std::random_device{}()) {
  if (options_.config_id.empty()) options_.config_id = host_name();
  files_opened_ = files_.size();
  for (const std::uint32_t file : files_) bytes_read_ += diagnostics.file_text(file).size();
  rewind();
  is_replay_ = false;
}

Lexer::~Lexer() = default;

void Lexer::rewind() {
  is_replay_ = true;
  sources_.clear();
  definitions_.clear();
  open_definition_.clear();
  generated_lines_ = 0;
  expanded_bytes_ = 0;
  checks_ = {};
  if (options_.require_includes) checks_ = {true, true, true, true};
  random_.seed(seed_);
  includes_ = 0;
  push_files(files_, 0);
}

bool Lexer::next(Token& token) {
  token.words.clear();
  token.raw.clear();
  while (!sources_.empty() && expanded_bytes_ <= expanded_bytes_max) {
    Source& source = sources_.back();
    if (!source.plain.empty()) {
      if (take_plain(source, token)) return true;
    } else if (!source.rest.empty()) {
      if (take_piece(std::exchange(source.rest, {}), token)) return true;
    } else if (source.generator != nullptr) {
      next_generated();
    } else if (source.at < source.text.size()) {
      read_line(source);
    } else {
      pop();
    }
  }
  return false;
}

void Lexer::push_files(const std::vector<std::uint32_t>& files, std::size_t depth) {
  // The last one pushed is read first.
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    Source source;
    source.file = *file;
    source.text = diagnostics_.file_text(*file);
    source.depth = depth;
    source.checks_outside = checks_;
    if (source.text.starts_with(byte_order_mark)) source.at = byte_order_mark.size();
    sources_.push_back(std::move(source));
  }
}

void Lexer::pop() {
  if (sources_.back().is_file) {
    checks_ = sources_.back().checks_outside;
    open_definition_.clear();
  }
  sources_.pop_back();
}

/// The next line of a file or a definition: plain, or what becomes of it.
void Lexer::read_line(Source& source) {
  const char* const begin = source.text.data() + source.at;
  const char* const text_end = source.text.data() + source.text.size();
  std::uint8_t classes = 0;
  const char* end = begin;
  while (end != text_end && *end != '\n') classes |= class_of(*end++);

  if (source.line == 0 && source.at > 0) {
    warning({source.file, 1, 1}, "byte order mark at the start of the file, skipped");
  }
  source.at += static_cast<std::size_t>(end - begin) + 1;
  ++source.line;
  if (source.is_file) expansions_left_ = substitutions_max;
  std::string_view line(begin, static_cast<std::size_t>(end - begin));
  while (line.ends_with('\r')) line.remove_suffix(1);

  if (line.size() > line_bytes_max) {
    error(place(1), fmt::format("line of {} bytes is ignored, expected at most {}", line.size(), line_bytes_max));
    return;
  }
  const bool is_special = (classes & special_char) != 0;
  if (is_special) {
    if (const auto nul = line.find('\0'); nul != std::string_view::npos) {
      error(place(nul + 1), "line with a NUL byte is ignored");
      return;
    }
  }
  if (!open_definition_.empty() && source.is_file) {
    continue_definition(line);
  } else if (is_special) {
    read_special(text_of(line, source.is_file ? 0 : source.place.column));
  } else {
    source.plain = line;
    source.line_begin = line.data();
  }
}

/// A line that needs more than cutting. What it becomes waits in the innermost source.
void Lexer::read_special(Text line) {
  bool has_condition = false;
  if (!passes_condition(line, has_condition) || takes_definition(line)) return;
  expand_leading_name(line);
  if (takes_generator(line)) return;
  substitute(line);
  // A $NAME may expand to a condition (2.2.7); a second one on a line stays, as an unknown keyword.
  if (!has_condition && !passes_condition(line, has_condition)) return;
  sources_.back().rest = std::move(line);
}

/// The words before the next brace, or the brace, of a line that has nothing special. False: there is nothing left.
bool Lexer::take_plain(Source& source, Token& token) {
  const char* at = source.plain.data();
  const char* const end = at + source.plain.size();
  const auto column = [&](const char* byte) {
    return source.is_file ? static_cast<std::uint32_t>(byte - source.line_begin + 1) : source.place.column;
  };
  const auto leave = [&](const char* from) {
    source.plain = std::string_view(from, static_cast<std::size_t>(end - from));
  };
  const auto skip_blanks = [&] {
    while (at != end && is_blank(*at)) ++at;
  };

  skip_blanks();
  if (at == end || is_comment(*at)) {
    leave(end);
    return false;
  }
  token.place = place(column(at));
  if (*at == '{' || *at == '}') {
    token.kind = *at == '{' ? TokenKind::open : TokenKind::close;
    leave(at + 1);
    return true;
  }
  token.kind = TokenKind::words;
  while (at != end && (class_of(*at) & (brace_char | comment_char)) == 0) {
    const char* const start = at;
    while (at != end && (class_of(*at) & (blank_char | brace_char | comment_char)) == 0) ++at;
    token.words.push_back({std::string(start, at), column(start)});
    skip_blanks();
    if (token.words.size() == 1 && *start == 'i' && is_include(token.words.front().text)) {
      // Braces in the pattern are no block's.
      const std::uint32_t form_column = column(start);
      const char* const rest_end = std::find_if(at, end, is_comment);
      const IncludePattern pattern = cut_pattern({at, static_cast<std::size_t>(rest_end - at)});
      leave(rest_end == at + pattern.used ? end : at + pattern.used);
      const std::string form = std::exchange(token.words.front().text, {});
      token.words.clear();
      include(form, pattern.text, form_column, column(at + pattern.at));
      return false;
    }
  }
  leave(at == end || is_comment(*at) ? end : at);
  return true;
}

/// As take_plain, for a line that is substituted already: cut at its first comment or brace. What follows a brace waits
/// in the source.
bool Lexer::take_piece(Text line, Token& token) {
  const auto start = std::find_if(line.begin(), line.end(), [](Char c) { return !is_blank(c.value); });
  if (start == line.end()) return false;
  if (start->value == 'i' && take_include(line, static_cast<std::size_t>(start - line.begin()))) return false;

  Text piece;
  bool in_quotes = false;
  for (std::size_t i = static_cast<std::size_t>(start - line.begin()); i < line.size(); ++i) {
    const Char c = line[i];
    if (c.value == '"' && !c.literal) in_quotes = !in_quotes;
    if (!in_quotes && !c.literal) {
      if (c.value == '\\' && i + 1 < line.size() && is_comment(line[i + 1].value)) {
        piece.push_back(line[++i]);
        continue;
      }
      if (is_comment(c.value)) break;
      if (c.value == '{' || c.value == '}') {
        sources_.back().rest.assign(line.begin() + static_cast<std::ptrdiff_t>(piece.empty() ? i + 1 : i), line.end());
        if (!piece.empty()) break;
        token.kind = c.value == '{' ? TokenKind::open : TokenKind::close;
        token.place = place(c.column);
        return true;
      }
    }
    piece.push_back(c);
  }
  token.kind = TokenKind::words;
  split_words(piece, token);
  if (token.words.empty()) return false;
  token.place = place(token.words.front().column);
  return true;
}

void Lexer::split_words(const Text& piece, Token& token) {
  bool is_foreign = false;
  bool needs_raw = false;
  std::size_t i = 0;
  while (i < piece.size()) {
    if (is_blank(piece[i].value)) {
      ++i;
      continue;
    }
    Word word;
    word.column = piece[i].column;
    bool is_closed = true;
    if (piece[i].value == '"') {
      is_closed = false;
      for (++i; i < piece.size(); ++i) {
        if (piece[i].value == '"') {
          is_closed = true;
          ++i;
          break;
        }
        word.text += piece[i].value;
      }
    } else {
      while (i < piece.size() && !is_blank(piece[i].value) && piece[i].value != '"') word.text += piece[i++].value;
    }
    if (!is_closed) {
      error(place(word.column),
            fmt::format("unterminated quote, expected '\"' after {}; word ignored", quoted(word.text)));
      continue;
    }
    token.words.push_back(std::move(word));
  }
  for (const Char c : piece) {
    needs_raw = needs_raw || c.value == '"' || c.value == '\'' || c.value == '\\';
    is_foreign = is_foreign || (c.value & 0x80) != 0;
  }
  if (needs_raw) token.raw = string_of(piece, 0, piece.size());
  if (is_foreign && !token.words.empty()) {
    notice(place(token.words.front().column), "non-ASCII characters outside a comment are taken as they are");
  }
}

Place Lexer::place(std::size_t column) const {
  const Source& source = sources_.back();
  const Place at = source.is_file ? Place{source.file, source.line, 0} : source.place;
  return {at.file, at.line, static_cast<std::uint32_t>(column)};
}

void Lexer::notice(Place place, std::string message) {
  if (!is_replay_) diagnostics_.notice(place, std::move(message));
}
void Lexer::warning(Place place, std::string message) {
  if (!is_replay_) diagnostics_.warning(place, std::move(message));
}
void Lexer::error(Place place, std::string message) {
  if (!is_replay_) diagnostics_.error(place, std::move(message));
}

/// column: of all characters; 0: they stand where they stand.
Lexer::Text Lexer::text_of(std::string_view bytes, std::size_t column) {
  Text text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    text.push_back({c, false, static_cast<std::uint16_t>(column == 0 ? text.size() + 1 : column)});
  }
  return text;
}

std::string Lexer::string_of(const Text& text, std::size_t from, std::size_t to) {
  std::string out;
  out.reserve(to - from);
  for (; from < to; ++from) out += text[from].value;
  return out;
}

/// Index of the first comment sign that is one, or the text's size.
std::size_t Lexer::comment_at(const Text& text) {
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i].literal) continue;
    if (text[i].value == '"') in_quotes = !in_quotes;
    if (in_quotes) continue;
    if (text[i].value == '\\' && i + 1 < text.size() && is_comment(text[i + 1].value)) {
      ++i;
    } else if (is_comment(text[i].value)) {
      return i;
    }
  }
  return text.size();
}

}  // namespace sluice::control::config
