// The configuration that a director last served, kept in a memory file that outlives it: one that is started after a
// crash serves what ran before, whatever has become of the file on disk since. Text, in keepalived's language: it is
// what a Config can be made from again.
#pragma once

#include <optional>
#include <string>

#include "net/error.h"

namespace sluice::control {

class LastConfig {
 public:
  /// Borrows the descriptor of a memory file, empty at first.
  explicit LastConfig(int file) : file_(file) {}

  /// Whole or not at all: a director that dies in the middle leaves nothing.
  Result<> save(const std::string& text) const;
  /// Nothing: none was kept.
  [[nodiscard]] std::optional<std::string> load() const;
  void clear() const;

 private:
  int file_;
};

}  // namespace sluice::control
