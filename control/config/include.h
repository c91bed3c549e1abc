// The parts of an include line. Internal to the lexer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::control::config {

/// include includer includem includew includeb includea
[[nodiscard]] bool is_include(std::string_view word);

struct IncludePattern {
  std::string text;
  std::size_t at = 0;    ///< where it starts in what was cut
  std::size_t used = 0;  ///< where what follows it starts
};

/// The pattern is all that follows, blanks included, but ends before a '}' that closes no alternative of its own.
/// Double quotes around it go away. rest: what follows the word, comment cut.
[[nodiscard]] IncludePattern cut_pattern(std::string_view rest);

}  // namespace sluice::control::config
