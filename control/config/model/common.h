// What the parts of the model share: durations, positions, scripts, and values that are inherited.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/address.h"

namespace sluice::control::config {

/// keepalived's timers have a resolution of one microsecond.
using Duration = std::chrono::microseconds;

/// Where a node stands in the text. line and column count from 1, column in bytes. The file's name is shared by all
/// nodes of that file; null: no place in a text.
struct Position {
  std::shared_ptr<const std::string> file;
  unsigned line = 0;
  unsigned column = 0;

  /// "file:line:column".
  [[nodiscard]] std::string text() const;
  /// Always equal: a configuration whose lines moved is still the same configuration.
  constexpr bool operator==(const Position&) const { return true; }
};

/// A value with a default that depends on the blocks around it (checker <- real_server <- virtual_server <- default).
/// While a block is read, `written` says whether the file gave it; afterwards `value` is final, whoever gave it.
template <typename T>
struct Inherited {
  T value{};
  bool written = false;

  constexpr Inherited() = default;
  constexpr Inherited(T initial) : value(std::move(initial)) {}  // NOLINT: a default reads as a plain value
  constexpr operator const T&() const { return value; }          // NOLINT: so does its use
  constexpr void write(T given) {
    value = std::move(given);
    written = true;
  }
  constexpr void inherit(const T& outer) {
    if (!written) value = outer;
  }
  /// Who gave it doesn't matter: what it is does.
  constexpr bool operator==(const Inherited& other) const { return value == other.value; }
  constexpr bool operator==(const T& other) const { return value == other; }
};

/// A command to run. argv has at least one element. user and group as in the file (names or numbers); without them
/// the command runs as global_defs' script_user.
struct Script {
  Position position;
  std::vector<std::string> argv;
  std::optional<std::string> user;
  std::optional<std::string> group;

  bool operator==(const Script&) const = default;
};

/// An address with a port, of either family. Port 0: none given.
struct ServerEndpoint {
  net::IpAddr address;
  net::L4Port port{};

  auto operator<=>(const ServerEndpoint&) const = default;
};

/// An address with a prefix length: a network (host bits clear or not, as written), or an interface's address.
struct Prefix {
  net::IpAddr address;
  unsigned length = 0;

  auto operator<=>(const Prefix&) const = default;
  /// "192.0.2.0/24".
  [[nodiscard]] std::string text() const;
};

}  // namespace sluice::control::config
