// What one probe says.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "health/retry.h"
#include "health/weight.h"

namespace sluice::health {

/// reason: a clause for the log and for `sluicectl`, without a full stop: "connected", "connection refused".
struct ProbeResult {
  Verdict verdict;
  std::string reason;
  std::optional<WeightReport> weight = {};  ///< nothing: it says nothing of weights, what it said before still holds
};

[[nodiscard]] inline ProbeResult success(std::string reason) { return {Verdict::success, std::move(reason)}; }
[[nodiscard]] inline ProbeResult failure(std::string reason) { return {Verdict::failure, std::move(reason)}; }

}  // namespace sluice::health
