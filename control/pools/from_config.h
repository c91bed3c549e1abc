// Config -> what the pool manager runs. Everything is resolved here that needs the host: who a script runs as, whether
// it can be run at all. The rest is a change of words.
#pragma once

#include <vector>

#include "control/config/config.h"
#include "control/pools/pool_spec.h"
#include "net/error.h"

namespace sluice::control {

struct PoolsFromConfig {
  std::vector<PoolSpec> pools;  ///< one per virtual server, in the order of the file
  /// One per script that can't be run, "FILE:LINE:COLUMN: what"; it is left out, as keepalived does, and all else goes
  /// on.
  std::vector<Error> complaints;
};

/// Reads the host's users and looks at the scripts' files; for start and reload.
[[nodiscard]] PoolsFromConfig pools_from(const config::Config& config);

}  // namespace sluice::control
