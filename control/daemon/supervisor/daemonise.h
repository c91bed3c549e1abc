// Leaves the terminal, as daemons do. The process that was started from the shell stays until it is known whether the
// daemon serves, so that its exit status says so.
#pragma once

#include <utility>

#include "net/error.h"

namespace sluice::control {

/// The way back to the process that was started from the shell.
class StartReport {
 public:
  /// Nobody waits.
  StartReport() = default;
  explicit StartReport(int pipe) : pipe_(pipe) {}
  /// Whoever still waits ends with status 1.
  ~StartReport();
  StartReport(StartReport&& other) noexcept : pipe_(std::exchange(other.pipe_, -1)) {}
  StartReport& operator=(StartReport&& other) noexcept {
    std::swap(pipe_, other.pipe_);
    return *this;
  }

  /// Whoever waits ends with this status. Only the first call counts.
  void tell(int exit_status);

 private:
  int pipe_ = -1;
};

/// Forks twice, leads a session of its own, goes to /, and has /dev/null for stdin, stdout and stderr. Returns in the
/// daemon only; the process that called it ends, without destructors, with the status that the daemon tells.
/// Call it while there is one thread.
Result<StartReport> daemonise();

}  // namespace sluice::control
