// One virtual server as the pool manager runs it: what goes into the backend's table, how each real server is checked,
// and what is to be run when something changes. Plain values; from_config.h makes them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "control/backend/backend.h"
#include "control/notify/script.h"
#include "health/spec.h"

namespace sluice::control {

struct CheckerSetup {
  health::CheckerSpec spec;
  bool log_all_failures = false;  ///< also those that are tolerated, or of a server that is down already

  bool operator==(const CheckerSetup&) const = default;
};

struct RealServerSpec {
  DestinationSpec destination;  ///< with the configured weight
  bool inhibit_on_failure = false;
  std::optional<ScriptSpec> notify_up;
  std::optional<ScriptSpec> notify_down;
  std::vector<CheckerSetup> checkers;  ///< none: always up

  bool operator==(const RealServerSpec&) const = default;
};

struct PoolSpec {
  VirtualServiceSpec service;
  std::vector<RealServerSpec> servers;  ///< in the order of the file, which is the order of add_destination
  std::optional<DestinationSpec> sorry_server;
  bool sorry_server_inhibit = false;
  std::uint32_t quorum = 1;
  std::uint32_t hysteresis = 0;
  std::optional<ScriptSpec> quorum_up;
  std::optional<ScriptSpec> quorum_down;
  bool notify_up_at_start = false;   ///< rs_init_notifies
  bool notify_down_at_stop = false;  ///< omega

  bool operator==(const PoolSpec&) const = default;
};

}  // namespace sluice::control
