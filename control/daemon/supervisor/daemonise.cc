#include "control/daemon/supervisor/daemonise.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace sluice::control {

namespace {

constexpr int exit_without_report = 1;

[[noreturn]] void wait_for_report(int pipe) {
  unsigned char status = 0;
  ssize_t got = 0;
  do got = ::read(pipe, &status, 1);
  while (got < 0 && errno == EINTR);
  ::_exit(got == 1 ? status : exit_without_report);
}

bool detach_stdio() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return false;
  bool done = true;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) done = ::dup2(null, fd) >= 0 && done;
  if (null > STDERR_FILENO) ::close(null);
  return done;
}

}  // namespace

StartReport::~StartReport() {
  if (pipe_ >= 0) ::close(pipe_);
}

void StartReport::tell(int exit_status) {
  if (pipe_ < 0) return;
  const auto status = static_cast<unsigned char>(exit_status);
  [[maybe_unused]] const ssize_t written = ::write(pipe_, &status, 1);
  ::close(pipe_);
  pipe_ = -1;
}

Result<StartReport> daemonise() {
  const auto failed = [] { return fail("becoming a daemon", std::generic_category().message(errno)); };
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return failed();
  const pid_t child = ::fork();
  if (child < 0) return failed();
  if (child > 0) {
    ::close(pipe[1]);
    wait_for_report(pipe[0]);
  }
  ::close(pipe[0]);
  StartReport report(pipe[1]);
  if (::setsid() < 0) return failed();
  // A session's leader could get a terminal again; its child can't.
  const pid_t daemon = ::fork();
  if (daemon < 0) return failed();
  if (daemon > 0) ::_exit(0);
  if (::chdir("/") != 0 || !detach_stdio()) return failed();
  return report;
}

}  // namespace sluice::control
