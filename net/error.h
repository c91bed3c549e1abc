// The one error type of the house. An Error is a value: it says where, what was found, what was expected.
// Environment failures carry the operating system's reason in `what`. Programming mistakes are asserts instead.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace sluice {

/// where: "file:line:column", an interface, a peer's address, a packet offset; may be empty.
/// what:  one sentence, no full stop; names what was found, what was expected, and for the operator what to do.
struct Error {
  std::string where;
  std::string what;

  /// "where: what", or just "what".
  [[nodiscard]] std::string text() const { return where.empty() ? what : where + ": " + what; }

  bool operator==(const Error&) const = default;
};

template <typename T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(std::string where, std::string what) {
  return std::unexpected(Error{std::move(where), std::move(what)});
}

}  // namespace sluice
