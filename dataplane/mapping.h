// Large tables in memory of their own: mapped lazily, so that an unused part costs nothing, and zeroed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "net/error.h"

namespace sluice::dataplane {

/// Owns a mapping. Movable. Pages are committed when first touched; transparent huge pages are asked for.
class Mapping {
 public:
  enum class Kind {
    private_memory,  ///< this process only
    shared_memory,   ///< a memfd: can be handed to another process, and outlive this one
  };

  /// name: what it is for, in messages ("connection table"). Refuses what this machine can't hold: more than the
  /// memory that is available now.
  static Result<Mapping> create(std::size_t bytes, Kind kind, const std::string& name);

  Mapping() = default;
  Mapping(Mapping&& other) noexcept { *this = std::move(other); }
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  /// The mapping as an array of T, which must be trivial (all-zero is its initial value).
  template <typename T>
  [[nodiscard]] std::span<T> as() const {
    return {static_cast<T*>(address_), bytes_ / sizeof(T)};
  }

 private:
  void* address_ = nullptr;
  std::size_t bytes_ = 0;
  int fd_ = -1;
};

/// Bytes that can be used now without swapping (MemAvailable); the largest number when that can't be read.
[[nodiscard]] std::size_t available_memory();

}  // namespace sluice::dataplane
