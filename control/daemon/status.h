// What the director shows of itself, as JSON: the contract between sluiced, sluicectl and whoever reads the control
// socket. docs/api.md describes it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "control/backend/backend.h"
#include "control/backend/engine_backend.h"
#include "control/pools/pool_manager.h"
#include "dataplane/engine.h"
#include "dataplane/port/steer.h"

namespace sluice::control {

/// GET /services: the table, joined with what the pools know of health. Services in the backend's order.
[[nodiscard]] std::string services_json(const std::string& backend, const std::vector<VirtualServiceStatus>& table,
                                        const std::vector<PoolStatus>& pools);
/// POST /reload, and /diff, where `ok` says that it would be.
[[nodiscard]] std::string reload_json(bool ok, const std::vector<std::string>& complaints,
                                      const std::vector<std::string>& changes);
/// GET /connections
[[nodiscard]] std::string connections_json(const ConnectionList& list);
/// GET /stats. engine: null when none runs.
[[nodiscard]] std::string stats_json(std::chrono::seconds uptime, const dataplane::Engine* engine,
                                     const dataplane::SteerCounters& steer);

}  // namespace sluice::control
