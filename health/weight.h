// Weights that checkers speak of: what MISC_CHECK (misc_dynamic) and FILE_CHECK say, and what it makes of the weight
// that is configured. Pure. Who asks the pool for another weight is control.
#pragma once

#include <cstdint>
#include <span>

namespace sluice::health {

/// What one checker says of its server's weight.
struct WeightReport {
  enum class Kind : std::uint8_t {
    relative,  ///< to be added to the configured weight; 0 is "as configured"
    absolute,  ///< alone it would be the weight
  };
  Kind kind = Kind::relative;
  std::int64_t value = 0;

  bool operator==(const WeightReport&) const = default;
};

/// keepalived: an absolute weight w counts as w - configured, what all checkers say adds up, and below 0 is 0.
/// reports: the last of each checker that has one.
[[nodiscard]] std::uint32_t effective_weight(std::uint32_t configured, std::span<const WeightReport> reports);

}  // namespace sluice::health
