#include "control/daemon/settings.h"

#include "control/api/server.h"
#include "control/pools/script_resolver.h"

namespace sluice::control {

namespace {

constexpr const char* run_directory = "/run/sluice/";

}  // namespace

Options complete(Options options, const config::Config& config) {
  const config::ProcessSettings& process = config.process;
  if (options.net_namespace.empty()) options.net_namespace = process.net_namespace;
  std::string suffix;
  if (!options.net_namespace.empty()) suffix += "_" + options.net_namespace;
  if (!process.instance.empty()) suffix += "_" + process.instance;
  options.ident += suffix;

  const bool pid_directory = process.use_pid_dir || !suffix.empty();
  if (options.pid_file.empty()) {
    options.pid_file = pid_directory ? run_directory + ("sluiced" + suffix) + ".pid" : default_pid_file;
  }
  if (options.socket_path.empty()) {
    options.socket_path = suffix.empty() ? api::default_socket_path : run_directory + ("sluice" + suffix) + ".sock";
  }
  if (!options.umask && config.global.files.umask) options.umask = mode_t{*config.global.files.umask};
  if (options.process_name.empty()) options.process_name = config.global.processes.name;
  return options;
}

config::ParseOptions parse_options(const Options& options) {
  config::ParseOptions parse;
  parse.config_id = options.config_id;
  parse.require_includes = options.all_config;
  return parse;
}

ScriptsFromConfig supervisor_settings(const config::Config& config) {
  ScriptsFromConfig result;
  ScriptResolver scripts(config.global, result.complaints);
  const auto resolve = [&](const std::optional<config::Script>& script,
                           std::chrono::seconds time_max) -> std::optional<ScriptSpec> {
    const auto known = scripts.resolve(script ? &*script : nullptr);
    if (!known) return std::nullopt;
    ScriptSpec spec = *known;
    spec.time_max = time_max;
    return spec;
  };
  result.settings.child_wait_time = config.process.child_wait_time;
  result.settings.startup_script = resolve(config.global.startup_script, config.global.startup_script_timeout);
  result.settings.shutdown_script = resolve(config.global.shutdown_script, config.global.shutdown_script_timeout);
  return result;
}

}  // namespace sluice::control
