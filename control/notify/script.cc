#include "control/notify/script.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>

#include "control/notify/spawn.h"

namespace sluice::control {

namespace asio = boost::asio;

namespace {

/// keepalived's patience between SIGTERM and SIGKILL.
constexpr std::chrono::seconds kill_delay{2};
constexpr std::chrono::seconds abandon_delay{1};  // keepalived's for scripts in flight

template <typename Number>
std::optional<Number> number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<gid_t> groups_of(const char* user, gid_t gid) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(user, gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(user, gid, groups.data(), &count) < 0) return {gid};
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

/// Without reaping it; a process that isn't ours has ended, too.
bool has_ended(pid_t pid) {
  siginfo_t ended{};
  return ::waitid(P_PID, id_t(pid), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == pid;
}

/// A script that runs: its leader, and the clock that ends its patience.
struct Running {
  Running(asio::io_context& io, ScriptId script_id, pid_t leader, int pidfd)
      : id(script_id), pid(leader), leader_fd(io, pidfd), timer(io) {}

  ScriptId id;
  pid_t pid;
  asio::posix::stream_descriptor leader_fd;  // readable once the leader has exited
  asio::steady_timer timer;
  bool timed_out = false;
  std::function<void(const ScriptEnd&)> on_end;
};

}  // namespace

std::string ScriptEnd::text() const {
  if (timed_out) return "took too long and was killed";
  if (signal != 0) return fmt::format("killed by signal {}", signal);
  return fmt::format("exited with status {}", exit_status);
}

Result<ScriptUser> find_script_user(const std::string& user, const std::optional<std::string>& group) {
  const auto uid = number<uid_t>(user);
  const passwd* entry = uid ? ::getpwuid(*uid) : ::getpwnam(user.c_str());
  if (entry == nullptr && !uid) return fail("user " + user, "doesn't exist");
  if (entry == nullptr && !group) return fail("user " + user, "isn't known to this host, so a group must be given");

  ScriptUser found;
  found.uid = entry != nullptr ? entry->pw_uid : *uid;
  if (!group) {
    found.gid = entry->pw_gid;
    found.groups = groups_of(entry->pw_name, entry->pw_gid);
    return found;
  }
  if (const auto gid = number<gid_t>(*group)) {
    found.gid = *gid;
  } else if (const ::group* named = ::getgrnam(group->c_str())) {
    found.gid = named->gr_gid;
  } else {
    return fail("group " + *group, "doesn't exist");
  }
  found.groups = {found.gid};
  return found;
}

Result<> check_script(const ScriptSpec& script) {
  if (script.argv.empty()) return fail("script", "has no path");
  const std::string& path = script.argv.front();
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail(path, std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) return fail(path, "isn't a file");
  if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) return fail(path, "isn't executable");
  return {};
}

/// Shared with the handlers in flight, which do nothing once the runner is gone.
class ScriptRunner::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(asio::io_context& io) : io_(io) {}

  Result<ScriptId> start(const ScriptSpec& script, std::function<void(const ScriptEnd&)> on_end) {
    if (running_.size() >= running_max) {
      return fail(script.argv.empty() ? "script" : script.argv.front(),
                  fmt::format("isn't run, because {} scripts are running", running_max));
    }
    const auto pid = spawn_script(script);
    if (!pid) return std::unexpected(pid.error());
    // glibc 2.36 declares pidfd_open for C only. The descriptor is close-on-exec.
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
    if (pidfd < 0) {
      // It runs, but its end can't be awaited without blocking: better without it than with a zombie for ever.
      const int error = errno;
      ::kill(-*pid, SIGKILL);
      ::waitpid(*pid, nullptr, 0);
      return fail(script.argv.front(), "cannot be watched: " + std::generic_category().message(error));
    }
    auto running = std::make_shared<Running>(io_, ScriptId{next_id_++}, *pid, pidfd);
    running->on_end = std::move(on_end);
    running_.insert(running);
    watch_end(running);
    watch_time(running, script.time_max, SIGTERM);
    return running->id;
  }

  void end(ScriptId id) {
    const auto found = std::find_if(running_.begin(), running_.end(), [&](const auto& one) { return one->id == id; });
    if (found == running_.end()) return;
    const std::shared_ptr<Running> running = *found;
    running->on_end = {};
    if (std::exchange(running->timed_out, true)) return;  // that is under way
    ::kill(-running->pid, SIGTERM);
    watch_time(running, kill_delay, SIGKILL);
  }

  void abandon() {
    for (const auto& running : running_) ::kill(-running->pid, SIGTERM);
    const auto patience = std::chrono::steady_clock::now() + abandon_delay;
    while (!running_.empty()) {
      const bool last_words = std::chrono::steady_clock::now() >= patience;
      std::erase_if(running_, [&](const auto& running) {
        if (!has_ended(running->pid) && !last_words) return false;
        // What its leader has left behind, too, while the group's number is nobody else's.
        ::kill(-running->pid, SIGKILL);
        ::waitpid(running->pid, nullptr, 0);
        running->timer.cancel();
        running->leader_fd.close();
        return true;
      });
      if (!running_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  [[nodiscard]] std::size_t running() const { return running_.size(); }

 private:
  void watch_end(const std::shared_ptr<Running>& running) {
    running->leader_fd.async_wait(asio::posix::stream_descriptor::wait_read,
                                  [self = shared_from_this(), running](const boost::system::error_code&) {
                                    if (!self->running_.contains(running)) return;
                                    // This thread must never wait for a script: what woke us may have been something
                                    // else.
                                    if (has_ended(running->pid)) return self->reap(running);
                                    self->watch_end(running);
                                  });
  }

  void watch_time(const std::shared_ptr<Running>& running, std::chrono::milliseconds time, int signal) {
    running->timer.expires_after(time);
    running->timer.async_wait([self = shared_from_this(), running, signal](const boost::system::error_code& error) {
      if (error || !self->running_.contains(running)) return;
      running->timed_out = true;
      ::kill(-running->pid, signal);
      if (signal == SIGTERM) self->watch_time(running, kill_delay, SIGKILL);
    });
  }

  void reap(const std::shared_ptr<Running>& running) {
    // While its leader is a zombie the group's number can't be anybody else's.
    if (running->timed_out) ::kill(-running->pid, SIGKILL);
    int status = 0;
    ::waitpid(running->pid, &status, 0);
    running->timer.cancel();
    running_.erase(running);
    if (!running->on_end) return;
    running->on_end({.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                     .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                     .timed_out = running->timed_out});
  }

  asio::io_context& io_;
  std::unordered_set<std::shared_ptr<Running>> running_;
  std::uint64_t next_id_ = 1;
};

ScriptRunner::ScriptRunner(asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {}
ScriptRunner::~ScriptRunner() { impl_->abandon(); }
Result<> ScriptRunner::run(const ScriptSpec& script, std::function<void(const ScriptEnd&)> on_end) {
  const auto started = impl_->start(script, std::move(on_end));
  if (!started) return std::unexpected(started.error());
  return {};
}
Result<ScriptId> ScriptRunner::start(const ScriptSpec& script, std::function<void(const ScriptEnd&)> on_end) {
  return impl_->start(script, std::move(on_end));
}
void ScriptRunner::end(ScriptId id) { impl_->end(id); }
std::size_t ScriptRunner::running() const { return impl_->running(); }

}  // namespace sluice::control
