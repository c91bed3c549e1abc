// Starts one process for script.h: everything between the decision and exec. What becomes of it is left to the caller.
#pragma once

#include <sys/types.h>

#include "control/notify/script.h"
#include "net/error.h"

namespace sluice::control {

/// Starts `script` in its own process group and gives its pid, which the caller must reap. time_max isn't looked at.
/// Blocks until exec has happened or failed; errors name the script and the reason. Control thread only.
[[nodiscard]] Result<pid_t> spawn_script(const ScriptSpec& script);

}  // namespace sluice::control
