// vrrp_track_process, as arithmetic: is a process one of those that are watched, and do enough of them run, for long
// enough? Pure; /proc and the kernel's events are track_processes.h's.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"

namespace sluice::control {

/// A process as /proc shows it.
struct ProcessView {
  std::string name;  ///< comm: at most 15 characters
  /// Its command line, the program first; empty: it has none (a thread of the kernel), or nobody asked.
  std::vector<std::string> command;
};

/// Is the command line compared, or the name alone? Parameters, param_match and full_command ask for it (keepalived).
[[nodiscard]] bool needs_command_line(const config::TrackProcess& watched);

/// As keepalived 2.2.7 matches:
///
///   process sleep                             by name, whatever the parameters and the program's path are
///   process sleep      full_command           command[0] is "sleep", whatever the parameters are
///   process sleep 10                          command is exactly this
///   process sleep      param_match            ... and has no parameter
///   process sleep 10   param_match partial    more parameters may follow
///   process sleep 10   param_match initial    ... and the last one given may be longer
[[nodiscard]] bool matches(const config::TrackProcess& watched, const ProcessView& process);

/// How many of the watched ones run, and what follows from it. A change counts when it has lasted: fork_delay where
/// more run than before, terminate_delay where fewer do.
class ProcessQuorum {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// The first count counts at once.
  ProcessQuorum(config::TrackProcess watched, unsigned count);

  /// So many run now. Returns whether up() has changed by it.
  [[nodiscard]] bool count(unsigned running, Time now);
  /// When on_time() has something to do; nothing: no change is waiting.
  [[nodiscard]] std::optional<Time> due() const { return due_; }
  [[nodiscard]] bool on_time(Time now);

  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] unsigned running() const { return running_; }
  [[nodiscard]] const config::TrackProcess& watched() const { return watched_; }

 private:
  [[nodiscard]] bool has_quorum() const;

  config::TrackProcess watched_;
  unsigned running_;
  bool up_;
  std::optional<Time> due_;
};

}  // namespace sluice::control
