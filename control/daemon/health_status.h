// What the checkers say, as JSON, for GET /health. docs/api.md describes it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "control/pools/pool_manager.h"

namespace sluice::control {

[[nodiscard]] std::string health_json(const std::vector<PoolStatus>& pools, std::chrono::steady_clock::time_point now);

}  // namespace sluice::control
