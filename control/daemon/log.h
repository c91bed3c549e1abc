// Where the daemon's log goes, by the command line: syslog, stderr, a file.
#pragma once

#include <memory>

#include "control/daemon/options.h"
#include "net/error.h"

namespace spdlog {
class logger;
}

namespace sluice::control {

/// Error: the file can't be written.
[[nodiscard]] Result<std::shared_ptr<spdlog::logger>> make_log(const Options& options);

}  // namespace sluice::control
