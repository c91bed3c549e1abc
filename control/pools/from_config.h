// Config -> what the pool manager runs. Everything is resolved here that needs the host: who a script runs as, whether
// it can be run at all. The rest is a change of words.
#pragma once

#include <vector>

#include "control/config/config.h"
#include "control/pools/pool_spec.h"
#include "net/error.h"

namespace sluice::control {

struct PoolsFromConfig {
  std::vector<PoolSpec> pools;  ///< one per virtual server that can be served, in the order of the file
  /// What is left out, "FILE:LINE:COLUMN: what": virtual servers and real servers that can't be served yet, checks that
  /// aren't built, scripts that can't be run. All else goes on.
  std::vector<Error> complaints;
};

/// Reads the host's users and looks at the scripts' files; for start and reload.
[[nodiscard]] PoolsFromConfig pools_from(const config::Config& config);

}  // namespace sluice::control
