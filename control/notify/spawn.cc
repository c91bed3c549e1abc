#include "control/notify/spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "control/unique_fd.h"

namespace sluice::control {

namespace {

/// The same file at 3 or above: the child puts /dev/null on 0, 1 and 2, which the daemon may have closed.
UniqueFd above_stdio(UniqueFd fd) {
  return fd.get() > STDERR_FILENO ? std::move(fd) : UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

/// The daemon's environment, as far as a script that may run as root should trust it.
std::vector<char*> script_environment() {
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('='));
    if (name != "IFS" && name != "LD_PRELOAD" && name != "LD_LIBRARY_PATH") environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  return environment;
}

/// All that the child needs, made before it exists: between vfork and exec it must not allocate.
struct Plan {
  const char* path;
  char* const* argv;
  char* const* environment;
  const ScriptUser* user;  // may be null
  int null_fd;
  int report_fd;
};

struct Report {
  enum class Step : int { files, user, exec } step;
  int error;
};

/// The credentials by raw system calls: glibc's wrappers would tell every thread of the process that this child still
/// shares its memory with.
bool become(const ScriptUser& user) {
  return ::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
         ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
}

[[noreturn]] void give_up(const Plan& plan, Report::Step step) {
  const Report report{step, errno};
  [[maybe_unused]] const ssize_t written = ::write(plan.report_fd, &report, sizeof report);
  ::_exit(127);
}

/// Runs in the child, on the parent's memory, while the parent stands still.
[[noreturn]] void run_child(const Plan& plan) {
  ::setpgid(0, 0);
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &by_default, nullptr);

  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(plan.null_fd, fd) < 0) give_up(plan, Report::Step::files);
  }
  if (::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0) give_up(plan, Report::Step::files);

  // Best effort: a script at the daemon's priority is still a script.
  const sched_param normal{};
  ::sched_setscheduler(0, SCHED_OTHER, &normal);
  ::setpriority(PRIO_PROCESS, 0, 0);

  if (plan.user != nullptr && !become(*plan.user)) give_up(plan, Report::Step::user);
  // After the credentials, because a change of them clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);

  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.path, plan.argv, plan.environment);
  give_up(plan, Report::Step::exec);
}

/// vfork, not fork: fork would write-protect the whole memory of the process, workers' tables and frames included, and
/// each of their next writes would fault. Apart, because the frame of the function that calls vfork is shared.
[[gnu::noinline]] pid_t start_child(const Plan& plan) {
  const pid_t pid = ::vfork();
  if (pid == 0) run_child(plan);
  return pid;
}

std::string words(int error) { return std::generic_category().message(error); }

std::string explain(const Report& report) {
  switch (report.step) {
    case Report::Step::files: return "its files cannot be prepared: " + words(report.error);
    case Report::Step::user: return "cannot be run as its user: " + words(report.error);
    case Report::Step::exec: break;
  }
  return "cannot be run: " + words(report.error);
}

}  // namespace

Result<pid_t> spawn_script(const ScriptSpec& script) {
  if (script.argv.empty()) return fail("script", "has no path");
  const std::string& path = script.argv.front();

  std::vector<char*> argv;
  for (const std::string& word : script.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const std::vector<char*> environment = script_environment();

  const UniqueFd null_fd = above_stdio(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)));
  std::array<int, 2> ends{-1, -1};
  if (null_fd.get() < 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(path, "cannot be run: " + words(errno));
  }
  const UniqueFd report_in(ends[0]);
  pid_t pid = -1;
  int fork_error = 0;
  {
    const UniqueFd report_out = above_stdio(UniqueFd(ends[1]));
    const Plan plan{path.c_str(),  argv.data(),     environment.data(), script.user ? &*script.user : nullptr,
                    null_fd.get(), report_out.get()};
    // No handler of ours may run in the child, on our memory.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = start_child(plan);
    fork_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  if (pid < 0) return fail(path, "cannot be run: " + words(fork_error));

  Report report{};
  if (::read(report_in.get(), &report, sizeof report) != sizeof report) return pid;
  ::waitpid(pid, nullptr, 0);
  return fail(path, explain(report));
}

}  // namespace sluice::control
