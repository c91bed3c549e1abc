// What one non-blocking step over a connection came to, with or without TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::health {

struct StreamStep {
  enum class State : std::uint8_t { done, wait_to_read, wait_to_write, closed, failed };
  State state;
  std::size_t bytes = 0;  ///< done: sent or received, above 0
  std::string reason;     ///< failed: why, as a clause
};

}  // namespace sluice::health
