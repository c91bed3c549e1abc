// Pid files: the daemon's own, by whose lock it is known that no other runs, and those that scripts written for
// keepalived read.
#pragma once

#include <sys/types.h>

#include <string>

#include "net/error.h"

namespace sluice::control {

/// The daemon's own. The lock, not the number in it, tells whether the daemon lives: a number may be anybody's by now.
class PidFile {
 public:
  /// Makes the file and takes its lock, which children that were forked keep as well.
  /// Errors: "PATH: daemon is already running (process 12)", or why it can't be made.
  static Result<PidFile> take(const std::string& path);
  /// Removes the file, unless release() was called.
  ~PidFile();
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&&) = delete;

  Result<> write(pid_t pid);
  /// This process leaves it to another, which was forked from it.
  void release();

 private:
  PidFile(std::string path, int file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  int file_;
};

/// Makes or replaces a pid file that nobody locks; a symbolic link isn't followed.
Result<> write_pid_file(const std::string& path, pid_t pid);

}  // namespace sluice::control
