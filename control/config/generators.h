// What a ~SEQ or ~LST line still has to make. Internal to the lexer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/lexer.h"

namespace sluice::control::config {

struct Lexer::Generator {
  std::vector<std::string> names;  ///< of the definitions that change from line to line
  std::uint64_t left = 0;          ///< lines
  std::int64_t value = 0;          ///< ~SEQ: of the next line
  std::int64_t step = 0;
  bool is_hexadecimal = false;
  std::vector<std::vector<std::string>> rows;  ///< ~LST: one value per name, or fewer; taken from the back
  Text line;                                   ///< what is repeated
};

}  // namespace sluice::control::config
