#include "control/daemon/supervisor/director_child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace sluice::control {

namespace {

constexpr const char* self = "/proc/self/exe";
constexpr int exit_not_started = 127;

struct Plan {
  char* const* argv;
  int link;
  int crash;
  int last_config;
  pid_t parent;
};

// In the child. A number may be taken by what goes to another: move all out of the way first.
bool arrange_descriptors(const Plan& plan) {
  constexpr int first_free = director_last_config_fd + 1;
  const int link = ::fcntl(plan.link, F_DUPFD_CLOEXEC, first_free);
  const int crash = ::fcntl(plan.crash, F_DUPFD_CLOEXEC, first_free);
  const int last_config = ::fcntl(plan.last_config, F_DUPFD_CLOEXEC, first_free);
  return link >= 0 && crash >= 0 && last_config >= 0 && ::dup2(link, director_link_fd) >= 0 &&
         ::dup2(crash, director_crash_fd) >= 0 && ::dup2(last_config, director_last_config_fd) >= 0 &&
         ::close_range(first_free, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

[[noreturn]] void run_child(const Plan& plan) {
  ::prctl(PR_SET_PDEATHSIG, supervisor_died_signal());
  // It may have died before we asked to be told.
  if (::getppid() != plan.parent) ::_exit(exit_not_started);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  for (const int signal : director_signals()) ::sigaddset(&blocked, signal);
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  if (arrange_descriptors(plan)) ::execv(self, plan.argv);
  ::_exit(exit_not_started);
}

Error error_of(const char* what) { return {std::string("director: ") + what, std::generic_category().message(errno)}; }

void close_all(const DirectorChild& child) {
  for (const int fd : {child.pidfd, child.link, child.crash}) {
    if (fd >= 0) ::close(fd);
  }
}

}  // namespace

int supervisor_died_signal() { return SIGRTMIN + 9; }
int signal_json() { return SIGRTMIN + 2; }
int signal_stats_clear() { return SIGRTMAX - 1; }
int signal_thread_dump() { return SIGRTMAX; }

std::vector<int> director_signals() {
  return {SIGHUP, SIGTERM, SIGUSR1, SIGUSR2, signal_json(), signal_stats_clear(), signal_thread_dump()};
}

Result<DirectorChild> start_director(const std::vector<std::string>& arguments, int last_config) {
  DirectorChild child;
  std::array<int, 2> link{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link.data()) != 0) {
    return std::unexpected(error_of("socket pair"));
  }
  child.link = link[0];
  child.crash = ::memfd_create("sluiced-crash", MFD_CLOEXEC);

  std::string name = "sluiced";
  std::vector<std::string> words = arguments;
  std::vector<char*> argv{name.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const Plan plan{argv.data(), link[1], child.crash, last_config, ::getpid()};
  child.pid = child.crash < 0 ? -1 : ::fork();
  if (child.pid == 0) run_child(plan);
  const Error no_process = error_of("cannot be started");
  ::close(link[1]);
  if (child.pid < 0) {
    close_all(child);
    return std::unexpected(no_process);
  }
  // glibc 2.36 declares pidfd_open for C only. The descriptor is close-on-exec.
  child.pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0));
  if (child.pidfd < 0) {
    const Error unwatched = error_of("cannot be watched");
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    close_all(child);
    return std::unexpected(unwatched);
  }
  return child;
}

}  // namespace sluice::control
