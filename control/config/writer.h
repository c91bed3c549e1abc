// Takes a configuration statement by statement and gives it a form: keepalived's language (it can be read again and
// means the same) or JSON. Which statements there are is decided by the tables of keywords, see keywords.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

/// A command; in the language one quoted word that splits into these arguments again.
struct CommandLine {
  std::vector<std::string> argv;
};

/// A duration is written in seconds, a bool as true or false.
using WordValue = std::variant<std::string, std::int64_t, bool, Duration, CommandLine>;

/// What stands behind a keyword.
struct Arg {
  enum class Form : std::uint8_t {
    plain,   ///< VALUE
    option,  ///< LABEL VALUE
    flag     ///< LABEL
  };
  std::string_view label;  ///< the member's name in JSON; may be empty if the statement has no more than this
  WordValue value;
  Form form = Form::plain;
};

[[nodiscard]] inline Arg plain(std::string_view label, WordValue value) {
  return {label, std::move(value), Arg::Form::plain};
}
[[nodiscard]] inline Arg option(std::string_view label, WordValue value) {
  return {label, std::move(value), Arg::Form::option};
}
[[nodiscard]] inline Arg flag(std::string_view label) { return {label, true, Arg::Form::flag}; }

/// In JSON: an object's member; or one element of an array under the keyword's name.
enum class Occurs : std::uint8_t { once, repeated };

class Writer {
 public:
  virtual ~Writer() = default;

  /// `KEYWORD ARGS`. JSON: KEYWORD: true without arguments, the value if there is one, else an object by labels (an
  /// array if the labels are empty).
  virtual void line(std::string_view keyword, const std::vector<Arg>& args, Occurs occurs = Occurs::once) = 0;
  /// `KEYWORD ARGS {`. JSON: an object, its first members are the arguments by label.
  virtual void open(std::string_view keyword, const std::vector<Arg>& args, Occurs occurs = Occurs::once) = 0;
  virtual void close() = 0;
  /// `KEYWORD ARGS {`, whose lines are items without a keyword. JSON: an array; with arguments one of several objects
  /// that have the array as "entries".
  virtual void open_list(std::string_view keyword, const std::vector<Arg>& args = {}) = 0;
  virtual void item(const std::vector<Arg>& args) = 0;
  virtual void close_list() = 0;

  /// Everything written so far; ends with a line end.
  [[nodiscard]] virtual std::string text() const = 0;
};

[[nodiscard]] std::unique_ptr<Writer> make_text_writer();
[[nodiscard]] std::unique_ptr<Writer> make_json_writer();

/// The word as the lexer reads it back: as it is, or in double quotes.
[[nodiscard]] std::string written_word(std::string_view word);
/// A command as script_argv() splits it back, without the quotes around it.
[[nodiscard]] std::string written_command(const std::vector<std::string>& argv);
/// "1.5", "6".
[[nodiscard]] std::string seconds_text(Duration duration);

}  // namespace sluice::control::config
