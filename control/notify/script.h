// Runs notify scripts: what an operator wants done when a server, a quorum or an instance changes. Starting one takes
// as long as exec, and nothing waits for its end; what it is for, and with which arguments, is the caller's.
//
// A script is an argv, never a shell's line. It gets its own process group, /dev/null for stdin, stdout and stderr, no
// other file of ours, default signals, normal scheduling and the daemon's environment without IFS, LD_PRELOAD and
// LD_LIBRARY_PATH; when the daemon dies it gets SIGTERM. Scripts run concurrently and may finish out of order, as
// keepalived's do.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/error.h"

namespace boost::asio {
class io_context;
}

namespace sluice::control {

/// Who a script runs as.
struct ScriptUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary

  bool operator==(const ScriptUser&) const = default;
};

struct ScriptSpec {
  std::vector<std::string> argv;   ///< at least one; argv[0] is a path
  std::optional<ScriptUser> user;  ///< nothing: the daemon's
  /// Then SIGTERM to its group, two seconds later SIGKILL. keepalived lets notify scripts run for ever; this only keeps
  /// a script that hangs from piling up, one process per flap.
  std::chrono::milliseconds time_max = std::chrono::minutes{5};

  bool operator==(const ScriptSpec&) const = default;
};

/// How a script ended. Exactly one of exit_status and signal means something: signal is 0 if it exited.
struct ScriptEnd {
  int exit_status = 0;
  int signal = 0;
  bool timed_out = false;

  [[nodiscard]] bool succeeded() const { return signal == 0 && exit_status == 0 && !timed_out; }
  /// "exited with status 3", "killed by signal 9", "took too long and was killed".
  [[nodiscard]] std::string text() const;
};

/// user and group by name or number; without a group, the user's own, with all its supplementary ones.
/// Errors: no such user, no such group. Reads the host's databases, so for start and reload only.
[[nodiscard]] Result<ScriptUser> find_script_user(const std::string& user, const std::optional<std::string>& group);

/// Could it be run now? Error: it doesn't exist, isn't a file, isn't executable. For start and reload, so that an
/// operator hears of it before it is needed.
[[nodiscard]] Result<> check_script(const ScriptSpec& script);

/// A script that was started; never used again by the same runner.
enum class ScriptId : std::uint64_t {};

/// Lives on the thread that runs its io_context (control), which must outlive it; scripts get SIGTERM when that thread
/// ends.
class ScriptRunner {
 public:
  static constexpr std::size_t running_max = 1024;

  explicit ScriptRunner(boost::asio::io_context& io);
  /// Scripts still running get SIGTERM, and SIGKILL if they run a second later; nobody is told of their end. Waits for
  /// that.
  ~ScriptRunner();
  ScriptRunner(const ScriptRunner&) = delete;
  ScriptRunner& operator=(const ScriptRunner&) = delete;

  /// Starts the script. on_end is called later, from the io_context, unless it couldn't be started.
  /// Error: "/path/of/script: cannot be run: no such file or directory", or that running_max are running.
  Result<> run(const ScriptSpec& script, std::function<void(const ScriptEnd&)> on_end = {});
  /// The same, for who may lose interest in it: see end().
  Result<ScriptId> start(const ScriptSpec& script, std::function<void(const ScriptEnd&)> on_end);
  /// If it still runs: nobody is told of its end any more, and it gets SIGTERM, two seconds later SIGKILL.
  void end(ScriptId id);

  [[nodiscard]] std::size_t running() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::control
