// The supervisor: starts the director, watches it, starts it again, passes signals on to it, tells systemd how it is,
// and says what a crash left behind. It serves nobody itself, so that there is next to nothing in it that could crash.
// What to do when is decided in respawn.h and hello_watch.h.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/daemon/supervisor/daemonise.h"
#include "control/daemon/supervisor/notify_socket.h"
#include "control/notify/script.h"

namespace spdlog {
class logger;
}

namespace sluice::control {

/// What a reload may change.
struct SupervisorSettings {
  /// For the director to stop by itself; then SIGKILL. keepalived's child_wait_time.
  std::chrono::milliseconds child_wait_time = std::chrono::seconds(5);
  std::optional<ScriptSpec> startup_script;   ///< before the first director; its end is waited for
  std::optional<ScriptSpec> shutdown_script;  ///< after the last one
};

struct SupervisorOptions {
  std::vector<std::string> director_arguments;
  bool respawn = true;                      ///< false: -R
  std::vector<std::string> role_pid_files;  ///< get the director's pid at each start: -r, -c, -b
  SupervisorSettings settings;
  /// Called after each reload. Nothing: keep what there is.
  std::function<std::optional<SupervisorSettings>()> reread;
};

/// One thread, which runs io; it must be the process's first (see start_director).
class Supervisor {
 public:
  Supervisor(boost::asio::io_context& io, SupervisorOptions options, NotifySocket notify, StartReport report,
             std::shared_ptr<spdlog::logger> log);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Runs until it is told to stop or an error is permanent. Returns the daemon's exit status.
  int run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::control
