// `sluicectl config`: the effective configuration, defaults and all, in the language or as JSON: a file's, without a
// daemon, or the one that a daemon runs.
#pragma once

#include <string>

#include "control/config/parse.h"

namespace sluice::control::api {

/// What the file means on this host. Complaints go to stderr, as `sluiced -t` shows them; the configuration to stdout.
/// Returns the exit status: 0, or 1 when the file can't be read.
[[nodiscard]] int print_config(const std::string& file, const config::ParseOptions& options, bool json);

/// The same of the daemon behind the control socket.
[[nodiscard]] int print_running_config(const std::string& socket, bool json);

}  // namespace sluice::control::api
