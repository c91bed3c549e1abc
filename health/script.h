// How health has a script run without handling processes itself: it asks whoever made the HealthThread, and is told how
// the script ended. Plain types; the waiting is script_calls.h's.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sluice::health {

/// Ids, already looked up.
struct RunAs {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary

  bool operator==(const RunAs&) const = default;
};

struct ScriptCommand {
  std::vector<std::string> argv;  ///< at least one; argv[0] is a path
  std::optional<RunAs> user;      ///< nothing: the daemon's
  /// Whoever runs it ends it then, with its whole process group: SIGTERM, two seconds later SIGKILL.
  std::chrono::milliseconds time_max{std::chrono::seconds{60}};

  bool operator==(const ScriptCommand&) const = default;
};

/// How a script ended.
struct ScriptOutcome {
  enum class How : std::uint8_t {
    exited,       ///< number: its exit status
    killed,       ///< number: the signal, which wasn't ours
    timed_out,    ///< it was ended, or is being ended
    cannot_run,   ///< it isn't there, or can't be executed; problem says why
    not_started,  ///< this host has no process left for it, or the like; problem says why
  };
  How how = How::exited;
  int number = 0;
  std::string problem;

  bool operator==(const ScriptOutcome&) const = default;
};

/// To be called once, from any thread, at once or later; later calls do nothing, nor does one after the HealthThread
/// is gone.
using ScriptDone = std::function<void(ScriptOutcome)>;
/// Ends the script, if it still runs: nobody waits for it any more. May be empty.
using StopScript = std::function<void()>;
/// Starts the script. Both this and what it returns are called on the health thread and must not block: they post.
using RunScript = std::function<StopScript(const ScriptCommand& command, ScriptDone done)>;

}  // namespace sluice::health
