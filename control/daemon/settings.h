// What of a configuration concerns the daemon as a process, and not what it serves: names, files, scripts around its
// life. keepalived's parent reads these; the command line comes before the file.
#pragma once

#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/config/parse.h"
#include "control/daemon/options.h"
#include "control/daemon/supervisor/supervisor.h"
#include "net/error.h"

namespace sluice::control {

/// The options, with what they leave open filled in from the configuration, and the rest with defaults: net_namespace,
/// umask, the log's ident, pid file and control socket. A network namespace and an instance become part of these names
/// (sluiced_blue_one), so that several daemons can run on a host. Pure.
[[nodiscard]] Options complete(Options options, const config::Config& config);

/// How the options want a configuration to be read.
[[nodiscard]] config::ParseOptions parse_options(const Options& options);

struct ScriptsFromConfig {
  SupervisorSettings settings;
  std::vector<Error> complaints;  ///< about scripts that can't or shouldn't be run
};

/// Looks at the scripts' files; for start and reload.
[[nodiscard]] ScriptsFromConfig supervisor_settings(const config::Config& config);

}  // namespace sluice::control
