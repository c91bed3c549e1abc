#include "control/daemon/supervisor/supervisor.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/daemon/crash_report.h"
#include "control/daemon/data_dump.h"
#include "control/daemon/last_config.h"
#include "control/daemon/supervisor/director_child.h"
#include "control/daemon/supervisor/director_link.h"
#include "control/daemon/supervisor/hello_watch.h"
#include "control/daemon/supervisor/pid_file.h"
#include "control/daemon/supervisor/respawn.h"

namespace sluice::control {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;

namespace {

// A crash report is some dozens of lines; a director that writes more into it is not to fill our memory.
constexpr std::size_t crash_bytes_max = 64 * 1024;

std::int64_t monotonic_usec() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

std::string read_all(int file) {
  std::string text(crash_bytes_max, '\0');
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  text.resize(got > 0 ? std::size_t(got) : 0);
  return text;
}

}  // namespace

// A director that runs, with all that hangs on it. Handlers hold it, so that one that comes late meets what it is
// about, not its successor.
struct RunningDirector {
  RunningDirector(asio::io_context& io, const DirectorChild& child)
      : pid(child.pid), ended(io, child.pidfd), link(io, child.link), crash(child.crash) {}
  ~RunningDirector() { ::close(crash); }
  RunningDirector(const RunningDirector&) = delete;
  RunningDirector& operator=(const RunningDirector&) = delete;

  pid_t pid;
  Clock::time_point since = Clock::now();
  asio::posix::stream_descriptor ended;
  asio::posix::stream_descriptor link;
  int crash;
  std::array<char, director_message_bytes_max + 1> message{};
  bool ready = false;
};

class Supervisor::Impl {
 public:
  Impl(asio::io_context& io, SupervisorOptions options, NotifySocket notify, StartReport report,
       std::shared_ptr<spdlog::logger> log)
      : io_(io),
        options_(std::move(options)),
        notify_(std::move(notify)),
        report_(std::move(report)),
        log_(std::move(log)),
        policy_(options_.respawn),
        scripts_(io),
        signals_(io),
        tick_(io),
        respawn_timer_(io),
        stop_timer_(io) {}

  ~Impl() {
    if (last_config_ >= 0) ::close(last_config_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int run() {
    // Orphans of the director (scripts of a crashed one) become ours, to be reaped.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (const int signal : director_signals()) signals_.add(signal);
    signals_.add(SIGINT);
    signals_.add(SIGCHLD);
    wait_signal();
    tick();
    run_script(options_.settings.startup_script, [this] {
      if (!stopping_) start();
    });
    io_.run();
    return exit_status_;
  }

 private:
  // --- start ------------------------------------------------------------------------------------------------------

  void start() {
    const auto child = start_director(options_.director_arguments, last_config_);
    if (!child) {
      log_->critical("{}", child.error().text());
      return after_end(ProcessEnd{}, Clock::duration{});
    }
    director_ = std::make_shared<RunningDirector>(io_, *child);
    log_->info("Starting director process, pid={}", director_->pid);
    watch_.started(director_->since);
    for (const std::string& file : options_.role_pid_files) {
      if (const auto written = write_pid_file(file, director_->pid); !written)
        log_->error("{}", written.error().text());
    }
    wait_message(director_);
    wait_end(director_);
  }

  // --- what the director says -------------------------------------------------------------------------------------

  void wait_message(const std::shared_ptr<RunningDirector>& director) {
    director->link.async_read_some(asio::buffer(director->message),
                                   [this, director](const error_code& error, std::size_t length) {
                                     if (error || director != director_) return;
                                     if (const auto message = decode({director->message.data(), length}))
                                       take(*message);
                                     wait_message(director);
                                   });
  }

  void take(const DirectorMessage& message) {
    const auto now = Clock::now();
    watch_.hello(now);
    switch (message.kind) {
      case DirectorMessage::Kind::hello: break;
      case DirectorMessage::Kind::ready:
        watch_.busy(false, now);
        policy_.has_served();
        if (std::exchange(reloading_, false)) reread();
        director_->ready = true;
        report_.tell(0);
        if (!stopping_) notify_.send(fmt::format("READY=1\nMAINPID={}", ::getpid()));
        break;
      case DirectorMessage::Kind::reloading:
        watch_.busy(true, now);
        reloading_ = true;
        if (!stopping_) notify_.send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_usec()));
        break;
      case DirectorMessage::Kind::status:
        if (!stopping_) notify_.send("STATUS=" + message.text);
        break;
    }
  }

  void reread() {
    if (!options_.reread) return;
    if (auto settings = options_.reread()) options_.settings = std::move(*settings);
  }

  // Looks after the director, and tells systemd that somebody does.
  void tick() {
    auto interval = std::chrono::duration_cast<Clock::duration>(hello_interval);
    if (const auto patience = notify_.watchdog()) {
      interval = std::min(interval, std::chrono::duration_cast<Clock::duration>(*patience / 2));
    }
    tick_.expires_after(interval);
    tick_.async_wait([this](const error_code& error) {
      if (error) return;
      look_after();
      tick();
    });
  }

  void look_after() {
    const auto now = Clock::now();
    if (director_ != nullptr) {
      const auto silent_s = std::chrono::duration_cast<std::chrono::seconds>(watch_.silent_for(now)).count();
      switch (watch_.check(now)) {
        case HelloWatch::Action::none: break;
        case HelloWatch::Action::abort:
          log_->critical("director process({}) has been silent for {} s: it hangs, and is ended", director_->pid,
                         silent_s);
          // To the control thread, which is the one that hangs. CONT in case the process was stopped.
          ::syscall(SYS_tgkill, director_->pid, director_->pid, SIGABRT);
          ::kill(director_->pid, SIGCONT);
          break;
        case HelloWatch::Action::kill: ::kill(director_->pid, SIGKILL); break;
      }
    }
    // While a dead director waits for its respawn we are in charge, and well.
    if (director_ == nullptr || watch_.content(now)) notify_watchdog();
  }

  void notify_watchdog() {
    if (notify_.watchdog()) notify_.send("WATCHDOG=1");
  }

  // --- its end ----------------------------------------------------------------------------------------------------

  void wait_end(const std::shared_ptr<RunningDirector>& director) {
    director->ended.async_wait(asio::posix::stream_descriptor::wait_read, [this, director](const error_code& error) {
      if (!error && director == director_) on_end();
    });
  }

  void on_end() {
    const auto director = std::move(director_);
    director_ = nullptr;
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(director->pid), &info, WEXITED | WNOHANG);
    ProcessEnd end{.pid = director->pid};
    (info.si_code == CLD_EXITED ? end.exit_status : end.signal) = info.si_status;
    end.core_dumped = info.si_code == CLD_DUMPED;
    stop_timer_.cancel();
    director->link.close();
    director->ended.close();
    reap_orphans();
    for (const std::string& file : options_.role_pid_files) ::unlink(file.c_str());

    const bool as_told = end.signal == 0 && end.exit_status == 0 && stopping_;
    if (!as_told && !permanent_error(end)) log_->critical("{}", end.text());
    for (const std::string& line : readable_crash_report(read_all(director->crash))) {
      log_->critical("{}", line);
    }
    if (stopping_) return finish();
    reloading_ = false;
    // It couldn't even start with what ran before: perhaps it can with what is in the file.
    if (!director->ready) LastConfig(last_config_).clear();
    after_end(end, Clock::now() - director->since);
  }

  void after_end(const ProcessEnd& end, Clock::duration ran_for) {
    const auto verdict = policy_.ended(end, ran_for);
    if (!verdict.respawn) {
      if (const auto error = permanent_error(end)) {
        log_->critical("pid {} exited with permanent error {}. Terminating", end.pid, to_string(*error));
      } else {
        log_->critical("Director child process({}) died: Exiting", end.pid);
      }
      exit_status_ = verdict.exit_status;
      return begin_stop();
    }
    if (const auto error = permanent_error(end))
      log_->critical("pid {} exited with error {}", end.pid, to_string(*error));
    log_->critical("Director child process({}) died: Respawning", end.pid);
    if (verdict.delay.count() > 0) {
      log_->warn("Restart of director process delayed {} seconds to limit respawn rate", verdict.delay.count());
    }
    notify_.send(fmt::format("STATUS=The director died ({}), starting it again", end.text()));
    // Whoever started us needn't wait for what may take many tries.
    report_.tell(0);
    respawn_timer_.expires_after(verdict.delay);
    respawn_timer_.async_wait([this](const error_code& error) {
      if (!error && !stopping_ && director_ == nullptr) start();
    });
  }

  // --- signals ----------------------------------------------------------------------------------------------------

  void wait_signal() {
    signals_.async_wait([this](const error_code& error, int signal) {
      if (error) return;
      on_signal(signal);
      wait_signal();
    });
  }

  void on_signal(int signal) {
    switch (signal) {
      case SIGCHLD: return reap_orphans();
      case SIGINT:
      case SIGTERM:
        if (!stopping_) log_->info("Stopping ({})", strsignal(signal));
        return begin_stop();
      case SIGUSR1: write_parent_data(); break;
      default: break;
    }
    if (director_ != nullptr) {
      ::kill(director_->pid, signal);
    } else if (signal == SIGHUP && !stopping_ && respawn_timer_.cancel() > 0) {
      // Whatever was wrong has been repaired, it seems, and the file is to be read.
      LastConfig(last_config_).clear();
      start();
    }
  }

  // SIGCHLD may come once for many; those who wait for a child of their own reap it themselves.
  void reap_orphans() {
    for (;;) {
      siginfo_t info{};
      if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
      const bool awaited = (director_ != nullptr && info.si_pid == director_->pid) || scripts_.running() > 0;
      if (awaited) return;
      ::waitpid(info.si_pid, nullptr, WNOHANG);
    }
  }

  void write_parent_data() {
    log_->info("Printing parent data for process({}) on signal", ::getpid());
    const std::string text =
        parent_data_text({.pid = ::getpid(), .director = director_ != nullptr ? director_->pid : 0});
    if (const auto written = write_data_file("keepalived_parent.data", text); !written) {
      log_->error("{}", written.error().text());
    }
  }

  // --- stop -------------------------------------------------------------------------------------------------------

  void begin_stop() {
    if (stopping_) return;
    stopping_ = true;
    notify_.send("STOPPING=1");
    respawn_timer_.cancel();
    if (director_ == nullptr) return finish();
    ::kill(director_->pid, SIGTERM);
    ::kill(director_->pid, SIGCONT);
    stop_timer_.expires_after(options_.settings.child_wait_time);
    stop_timer_.async_wait([this](const error_code& error) {
      if (error || director_ == nullptr) return;
      log_->critical("director process({}) did not stop within {} ms: killing it", director_->pid,
                     options_.settings.child_wait_time.count());
      ::kill(director_->pid, SIGKILL);
    });
  }

  void finish() {
    if (std::exchange(finished_, true)) return;
    run_script(options_.settings.shutdown_script, [this] {
      report_.tell(exit_status_);
      io_.stop();
    });
  }

  // Then goes on, whatever became of the script.
  template <typename Then>
  void run_script(const std::optional<ScriptSpec>& script, Then then) {
    if (!script) return then();
    const auto started = scripts_.run(*script, [this, name = script->argv.front(), then](const ScriptEnd& end) {
      if (!end.succeeded()) log_->warn("{} {}", name, end.text());
      reap_orphans();
      then();
    });
    if (started) return;
    log_->error("{}", started.error().text());
    then();
  }

  asio::io_context& io_;
  SupervisorOptions options_;
  NotifySocket notify_;
  StartReport report_;
  std::shared_ptr<spdlog::logger> log_;
  RespawnPolicy policy_;
  HelloWatch watch_;
  ScriptRunner scripts_;
  asio::signal_set signals_;
  asio::steady_timer tick_;
  asio::steady_timer respawn_timer_;
  asio::steady_timer stop_timer_;
  std::shared_ptr<RunningDirector> director_;
  int last_config_ = ::memfd_create("sluiced-last-config", MFD_CLOEXEC);
  bool reloading_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  int exit_status_ = 0;
};

Supervisor::Supervisor(asio::io_context& io, SupervisorOptions options, NotifySocket notify, StartReport report,
                       std::shared_ptr<spdlog::logger> log)
    : impl_(std::make_unique<Impl>(io, std::move(options), std::move(notify), std::move(report), std::move(log))) {}
Supervisor::~Supervisor() = default;
int Supervisor::run() { return impl_->run(); }

}  // namespace sluice::control
