// Lines, words, braces, conditions, definitions; see lexer.h. What opens files is in include.cc, the shell-like
// splitting of script lines in script_words.cc.
#include "control/config/lexer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace sluice::control::config {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\r' || c == '\n'; }
bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return {};
  const std::string full = name;
  return full.substr(0, full.find('.'));
}

}  // namespace

Lexer::Lexer(Diagnostics& diagnostics, std::uint32_t file, std::string_view text, const ParseOptions& options)
    : diagnostics_(diagnostics), options_(options) {
  if (options_.config_id.empty()) options_.config_id = host_name();
  Source source;
  source.file = file;
  source.text = text;
  sources_.push_back(std::move(source));
  files_opened_ = 1;
  bytes_read_ = text.size();
  if (text.starts_with("\xef\xbb\xbf")) {
    diagnostics_.warning({file, 1, 1}, "byte order mark at the start of the file, skipped");
    sources_.back().at = 3;
  }
}

std::optional<Token> Lexer::next() {
  Text line;
  bool substituted = false;
  while (read_line(line, substituted)) {
    if (!substituted) {
      bool has_condition = false;
      if (!passes_condition(line, has_condition) || takes_definition(line)) continue;
      substitute(line);
      // A $NAME may expand to a condition (2.2.7); a second one on a line stays, as an unknown keyword.
      if (!has_condition && !passes_condition(line, has_condition)) continue;
    }
    if (auto token = take_piece(std::move(line))) return token;
    line = {};
  }
  return std::nullopt;
}

Place Lexer::place(std::uint32_t column) const {
  const Source& source = sources_.back();
  if (source.is_definition) return source.place;
  return {source.file, source.line, column};
}

/// The next line of the innermost source, line end removed; or what is left of the current one after a brace.
bool Lexer::read_line(Text& line, bool& substituted) {
  while (!sources_.empty()) {
    Source& source = sources_.back();
    if (!source.rest.empty()) {
      line = std::exchange(source.rest, {});
      substituted = true;
      return true;
    }
    if (source.at >= source.text.size()) {
      sources_.pop_back();
      if (!open_definition_.empty() && (sources_.empty() || !sources_.back().is_definition)) open_definition_.clear();
      continue;
    }
    const std::size_t end = std::min(source.text.find('\n', source.at), source.text.size());
    std::string_view bytes = source.text.substr(source.at, end - source.at);
    if (!source.is_definition) expansions_left_ = substitutions_max;
    source.at = end + 1;
    ++source.line;
    while (!bytes.empty() && bytes.back() == '\r') bytes.remove_suffix(1);

    if (bytes.size() > line_bytes_max) {
      diagnostics_.error(place(1),
                         fmt::format("line of {} bytes is ignored, expected at most {}", bytes.size(), line_bytes_max));
      continue;
    }
    if (const auto nul = bytes.find('\0'); nul != std::string_view::npos) {
      diagnostics_.error(place(static_cast<std::uint32_t>(nul + 1)), "line with a NUL byte is ignored");
      continue;
    }
    if (!open_definition_.empty() && !source.is_definition) {
      const bool more = bytes.ends_with('\\');
      if (more) bytes.remove_suffix(1);
      std::string& value = definitions_[open_definition_];
      if (value.size() + bytes.size() > definition_bytes_max) {
        diagnostics_.error(place(1), fmt::format("definition {} is cut here, expected at most {} bytes",
                                                 quoted(open_definition_), definition_bytes_max));
        open_definition_.clear();
        continue;
      }
      value += '\n';
      value += bytes;
      if (!more) open_definition_.clear();
      continue;
    }

    line.clear();
    line.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) line.push_back({bytes[i], false, static_cast<std::uint32_t>(i + 1)});
    substituted = false;
    return true;
  }
  return false;
}

/// `@id REST` stands only where id is the config-id, `@^id REST` only where it isn't. The prefix becomes blanks.
bool Lexer::passes_condition(Text& line, bool& found) {
  auto at = std::find_if(line.begin(), line.end(), [](Char c) { return !is_blank(c.value); });
  if (at == line.end() || at->value != '@' || at->literal) return true;
  found = true;
  const auto start = at++;
  const bool negated = at != line.end() && at->value == '^';
  if (negated) ++at;
  std::string id;
  while (at != line.end() && !is_blank(at->value)) id += (at++)->value;
  std::for_each(start, at, [](Char& c) { c.value = ' '; });
  return (id == options_.config_id) != negated;
}

/// `$NAME=VALUE`, alone on its line; a backslash at the end continues it on the next.
bool Lexer::takes_definition(const Text& line) {
  std::string text;
  for (const Char c : line) text += c.value;
  std::size_t at = text.find_first_not_of(" \t");
  if (at == std::string::npos) return false;
  if (text[at] == '~') {
    diagnostics_.notice(place(static_cast<std::uint32_t>(at + 1)),
                        "generators (~SEQ, ~LST) aren't supported yet, line ignored");
    return true;
  }
  if (text[at] != '$' || at + 1 >= text.size() || !is_name_start(text[at + 1])) return false;
  std::size_t end = at + 1;
  while (end < text.size() && is_name(text[end])) ++end;
  if (end >= text.size() || text[end] != '=') return false;
  const std::string name = text.substr(at + 1, end - at - 1);
  std::string value = text.substr(end + 1);
  value.erase(0, value.find_first_not_of(" \t"));
  const bool more = value.ends_with('\\');
  if (more) {
    value.pop_back();
    open_definition_ = name;
  }
  value.erase(value.find_last_not_of(" \t") + 1);
  definitions_[name] = value;
  return true;
}

/// Replaces $NAME and ${NAME}. A definition of several lines becomes a source of its own, read after this line.
void Lexer::substitute(Text& line) {
  if (std::none_of(line.begin(), line.end(), [](Char c) { return c.value == '$'; })) return;
  std::size_t left = substitutions_max;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i].value != '$' || line[i].literal || i + 1 >= line.size()) continue;
    const bool braced = line[i + 1].value == '{';
    const std::size_t name_at = i + (braced ? 2 : 1);
    std::size_t end = name_at;
    while (end < line.size() && is_name(line[end].value)) ++end;
    std::string name;
    for (std::size_t k = name_at; k < end; ++k) name += line[k].value;
    if (name.empty()) continue;
    if (braced) {
      if (end >= line.size() || line[end].value != '}') {
        if (name == "_RANDOM" || name == "_ENV") {
          diagnostics_.notice(place(line[i].column), fmt::format("${{{}}} isn't supported yet", name));
        }
        continue;
      }
      ++end;
    } else if (end < line.size() && !is_blank(line[end].value) && line[end].value != ',' && line[end].value != ')') {
      continue;
    }

    std::string value;
    bool literal = false;
    if (name == "_HASH" || name == "_BANG") {
      value = name == "_HASH" ? "#" : "!";
      literal = true;
    } else if (name == "_PWD") {
      value = directory_of(sources_.back().file);
    } else if (name == "_INSTANCE") {
      value = options_.config_id;
    } else if (const auto found = definitions_.find(name); found != definitions_.end()) {
      value = found->second;
    } else {
      continue;  // undefined names stay as they are
    }
    if (left-- == 0) {
      diagnostics_.error(place(line[i].column),
                         fmt::format("more than {} replacements on one line, does {} refer to itself?",
                                     substitutions_max, quoted(name)));
      return;
    }

    if (const auto break_at = value.find('\n'); break_at != std::string::npos) {
      const Place here = place(line[i].column);
      const std::uint32_t column = line[i].column;
      line.resize(i);
      if (expansions_left_ == 0) {
        diagnostics_.error(here,
                           fmt::format("definition {} is expanded too often, does it refer to itself?", quoted(name)));
        return;
      }
      --expansions_left_;
      for (const char c : value.substr(0, break_at)) line.push_back({c, false, column});
      // On top of the stack; what is left of this line after a brace is kept there too, and read before its text.
      Source source;
      source.file = sources_.back().file;
      source.depth = sources_.back().depth;
      source.owned = std::make_shared<const std::string>(value.substr(break_at + 1));
      source.text = *source.owned;
      source.is_definition = true;
      source.place = here;
      sources_.push_back(std::move(source));
      --i;
      continue;
    }
    Text replaced(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(i));
    for (const char c : value) replaced.push_back({c, literal, line[i].column});
    replaced.insert(replaced.end(), line.begin() + static_cast<std::ptrdiff_t>(end), line.end());
    line = std::move(replaced);
    if (line.size() > line_bytes_max) {
      diagnostics_.error(
          place(1), fmt::format("line of {} bytes after replacing $NAMEs is ignored, expected at most {}", line.size(),
                                line_bytes_max));
      line.clear();
      return;
    }
    --i;  // the value itself may hold names
  }
}

/// Cuts the line at its first comment or brace. A brace, or a line of words, becomes a token; nothing for a blank line
/// or an include. What follows a brace waits in the source.
std::optional<Token> Lexer::take_piece(Text line) {
  Text piece;
  bool in_quotes = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const Char c = line[i];
    if (c.value == '"' && !c.literal) in_quotes = !in_quotes;
    if (!in_quotes && !c.literal) {
      if (c.value == '\\' && i + 1 < line.size() && (line[i + 1].value == '#' || line[i + 1].value == '!')) {
        piece.push_back(line[++i]);
        continue;
      }
      if (c.value == '#' || c.value == '!') break;
      if (c.value == '{' || c.value == '}') {
        const bool at_start = std::all_of(piece.begin(), piece.end(), [](Char p) { return is_blank(p.value); });
        const std::size_t taken = at_start ? i + 1 : i;
        sources_.back().rest.assign(line.begin() + static_cast<std::ptrdiff_t>(taken), line.end());
        if (!at_start) break;
        return Token{c.value == '{' ? TokenKind::open : TokenKind::close, place(c.column), {}, {}};
      }
    }
    piece.push_back(c);
  }

  Token token;
  split_words(piece, token);
  if (token.words.empty()) return std::nullopt;
  token.place = place(token.words.front().column);
  if (token.words.front().text == "include" || token.words.front().text.starts_with("include")) {
    static constexpr std::string_view forms[] = {"include", "includer", "includem", "includew", "includeb", "includea"};
    if (std::find(std::begin(forms), std::end(forms), token.words.front().text) != std::end(forms)) {
      include(token);
      return std::nullopt;
    }
  }
  return token;
}

void Lexer::split_words(const Text& piece, Token& token) {
  bool foreign = false;
  bool needs_raw = false;
  std::size_t i = 0;
  while (i < piece.size()) {
    if (is_blank(piece[i].value)) {
      ++i;
      continue;
    }
    Word word;
    word.column = piece[i].column;
    bool closed = true;
    if (piece[i].value == '"') {
      closed = false;
      for (++i; i < piece.size(); ++i) {
        if (piece[i].value == '"') {
          closed = true;
          ++i;
          break;
        }
        word.text += piece[i].value;
      }
    } else {
      while (i < piece.size() && !is_blank(piece[i].value) && piece[i].value != '"') word.text += piece[i++].value;
    }
    if (!closed) {
      diagnostics_.error(place(word.column),
                         fmt::format("unterminated quote, expected '\"' after {}; word ignored", quoted(word.text)));
      continue;
    }
    foreign = foreign || std::any_of(word.text.begin(), word.text.end(), [](char c) { return (c & 0x80) != 0; });
    token.words.push_back(std::move(word));
  }
  for (const Char c : piece) needs_raw = needs_raw || c.value == '"' || c.value == '\'' || c.value == '\\';
  if (needs_raw) {
    for (const Char c : piece) token.raw += c.value;
  }
  if (foreign) {
    diagnostics_.notice(place(token.words.front().column),
                        "non-ASCII characters outside a comment are taken as they are");
  }
}

}  // namespace sluice::control::config
