// Script lines are split the way a shell would; see lexer.h.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/lexer.h"

namespace sluice::control::config {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\r' || c == '\n'; }

std::optional<unsigned> digit(char c, unsigned base) {
  unsigned value = 99;
  if (c >= '0' && c <= '9') value = static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') value = static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') value = static_cast<unsigned>(c - 'A') + 10;
  if (value >= base) return std::nullopt;
  return value;
}

/// Up to `count` digits from text[at] on; at moves behind them.
char number(std::string_view text, std::size_t& at, unsigned base, unsigned count) {
  unsigned value = 0;
  while (count-- > 0 && at < text.size()) {
    const auto d = digit(text[at], base);
    if (!d) break;
    value = value * base + *d;
    ++at;
  }
  return static_cast<char>(value & 0xff);
}

/// text[at] follows a backslash; at moves behind the escape.
char decode_escape(std::string_view text, std::size_t& at) {
  const char c = text[at];
  if (digit(c, 8)) return number(text, at, 8, 3);
  ++at;
  switch (c) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'E': return '\x1b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case 'x': return at < text.size() && digit(text[at], 16) ? number(text, at, 16, 2) : 'x';
    case 'c': return at < text.size() ? static_cast<char>(text[at++] & 0x1f) : 'c';
    default: return c;
  }
}

std::optional<std::vector<std::string>> split(std::string_view text, bool decode) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (quote == 0 && is_blank(c)) {
      in_word = false;
      ++i;
      continue;
    }
    if (!in_word) {
      words.emplace_back();
      in_word = true;
    }
    ++i;
    if (c == quote && quote != 0) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '\\' && i < text.size()) {
      if (decode) {
        words.back() += decode_escape(text, i);
      } else {
        words.back() += c;
        words.back() += text[i++];
      }
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return words;
}

}  // namespace

std::optional<std::vector<std::string>> script_words(std::string_view raw) { return split(raw, false); }

std::optional<std::vector<std::string>> script_argv(std::string_view command) { return split(command, true); }

}  // namespace sluice::control::config
