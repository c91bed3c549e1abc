// For the tests of the lexer: what becomes of a text before any keyword is known.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "control/config/lexer.h"

namespace sluice::control::config::testing {

struct Lexed {
  std::string tokens;  ///< one per line: words joined by '|', braces as they are
  ParseOutcome outcome;
  std::size_t count = 0;
};

inline Lexed lex(std::string_view text, ParseOptions options = {}) {
  if (options.config_id.empty()) options.config_id = "director1";
  Diagnostics diagnostics;
  const auto file = diagnostics.add_file("t", std::make_shared<const std::string>(text));
  Lexer lexer(diagnostics, {file}, options);
  Lexed lexed;
  const auto read_all = [&] {
    std::string tokens;
    Token token;
    for (lexed.count = 0; lexer.next(token); ++lexed.count) {
      if (token.kind == TokenKind::open) tokens += "{";
      if (token.kind == TokenKind::close) tokens += "}";
      for (std::size_t i = 0; i < token.words.size(); ++i) tokens += (i == 0 ? "" : "|") + token.words[i].text;
      tokens += "\n";
    }
    return tokens;
  };
  lexed.tokens = read_all();
  lexer.rewind();
  if (read_all() != lexed.tokens) lexed.tokens = "a replay gives other tokens";
  diagnostics.finish(lexed.outcome);
  return lexed;
}

struct LexerRow {
  const char* description;
  std::string text;
  std::string tokens;
  std::size_t complaints = 0;
};

}  // namespace sluice::control::config::testing
