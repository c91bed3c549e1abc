// The director's process, from its birth as the supervisor's child to its end: reads the configuration, runs the
// director on this thread, takes signals, says hello. What it serves is director.h's.
#pragma once

#include <memory>

#include "control/daemon/options.h"

namespace spdlog {
class logger;
}

namespace sluice::control {

/// Call it on the process's first thread, with the descriptors of director_child.h open. Returns its exit status.
int run_director(const Options& options, const std::shared_ptr<spdlog::logger>& log);

}  // namespace sluice::control
