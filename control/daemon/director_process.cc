#include "control/daemon/director_process.h"
#include "control/daemon/bfd_dump.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <sstream>
#include <thread>

#include "control/config/parse.h"
#include "control/config/print.h"
#include "control/daemon/bfd_dump.h"
#include "control/daemon/crash_report.h"
#include "control/daemon/data_dump.h"
#include "control/daemon/director.h"
#include "control/daemon/exit_status.h"
#include "control/daemon/last_config.h"
#include "control/daemon/privileges.h"
#include "control/daemon/settings.h"
#include "control/daemon/supervisor/director_child.h"
#include "control/daemon/supervisor/director_link.h"
#include "control/daemon/supervisor/hello_watch.h"
#include "control/daemon/vrrp_dump.h"
#include "control/vrrp/setup.h"

namespace sluice::control {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// For the clean-up, once the supervisor is gone and nobody would kill us any more.
constexpr unsigned orphan_seconds_max = 5;

// The supervisor died. Stop as on SIGTERM, and if that takes too long, or nobody listens, of SIGALRM.
void on_supervisor_died(int) {
  ::alarm(orphan_seconds_max);
  ::kill(::getpid(), SIGTERM);
}

void prepare_signals() {
  struct sigaction action {};
  action.sa_handler = on_supervisor_died;
  action.sa_flags = SA_RESTART;
  ::sigaction(supervisor_died_signal(), &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // Ctrl-C reaches the whole foreground group; the supervisor acts on it.
  ::signal(SIGINT, SIG_IGN);
}

void unblock(const std::vector<int>& signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void log_complaints(const config::ParseOutcome& outcome, spdlog::logger& log) {
  for (const config::Complaint& complaint : outcome.complaints) {
    const auto level = complaint.severity == config::Severity::error     ? spdlog::level::err
                       : complaint.severity == config::Severity::warning ? spdlog::level::warn
                                                                         : spdlog::level::info;
    log.log(level, "{}", complaint.text());
  }
  if (outcome.complaints_dropped > 0) log.warn("... and {} complaints more", outcome.complaints_dropped);
}

std::vector<std::string> interfaces_there() {
  std::vector<std::string> names;
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> all(::if_nameindex(), &::if_freenameindex);
  for (const auto* each = all.get(); each != nullptr && each->if_index != 0; ++each) names.emplace_back(each->if_name);
  return names;
}

class DirectorProcess {
 public:
  DirectorProcess(const Options& options, std::shared_ptr<spdlog::logger> log)
      : options_(options), log_(std::move(log)), link_(director_link_fd), signals_(io_), hello_timer_(io_) {
    for (const int signal : director_signals()) signals_.add(signal);
    unblock(director_signals());
  }
  ~DirectorProcess() {
    if (keeper_.joinable()) keeper_.join();
  }
  DirectorProcess(const DirectorProcess&) = delete;
  DirectorProcess& operator=(const DirectorProcess&) = delete;

  int run() {
    auto read = read_config();
    if (!read) {
      log_->error("{}", read.error().text());
      return exit_no_config;
    }
    config::Config& config = *read;
    const config::Processes& names = config.global.processes;
    const std::string& name = names.checker.name.empty() ? names.vrrp.name : names.checker.name;
    ::prctl(PR_SET_NAME, name.empty() ? "sluiced" : name.c_str());
    if (options_.vrrp && !is_after_crash_) {
      const std::vector<Error> missing = missing_interfaces(config, interfaces_there());
      for (const Error& complaint : missing) log_->error("{}", complaint.text());
      if (!missing.empty()) return exit_config;
    }
    if (options_.dump_config) dump_config(config);
    if (!options_.checks) config.virtual_servers.clear();
    if (!config.virtual_servers.empty() && !may_open_engine()) {
      log_->error("no permission: forwarding needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF; run sluiced as root");
      return exit_no_permission;
    }
    // The health thread takes no signals, by which alone a thread can be made to give up what it has: so before it is.
    const auto opened = [this] {
      if (auto done = keep_needed_capabilities(); !done) log_->warn("{}", done.error().text());
    };
    auto director = Director::start(io_, config,
                                    {.socket_path = options_.socket_path,
                                     .opened = opened,
                                     .file = options_.file,
                                     .parse = parse_options(options_),
                                     .serves = options_.checks,
                                     .runs_vrrp = options_.vrrp,
                                     .snmp = {options_.snmp, options_.snmp_socket},
                                     .runs_bfd = options_.bfd,
                                     .reloading = [this](bool begins) { reloading(begins); },
                                     .reloaded = [this](config::Config next) { keep(std::move(next)); },
                                     .in_force = [this] { return kept(); }},
                                    log_);
    if (!director) {
      log_->error("{}", director.error().text());
      // A place in the file means that the file is wrong; anything else is this host's.
      const bool from_file = director.error().where.find(':') != std::string::npos;
      return from_file ? exit_config : exit_fatal;
    }
    director_ = std::move(*director);
    log_->info("Startup complete");
    link_.send({DirectorMessage::Kind::ready, ""});
    keep(std::move(config));
    wait_signal();
    hello();
    io_.run();
    director_.reset();
    log_->info("Stopped");
    return exit_ok;
  }

 private:
  // After a crash what the dead director served, else the file.
  Result<config::Config> read_config() {
    if (const auto text = last_config_.load()) {
      // What there is to say of it was said when the file was read; the print names every keyword, whoever set it.
      auto outcome = config::parse_text(*text, options_.file, {options_.config_id, false});
      is_after_crash_ = true;
      log_->warn("Serving what ran before; {} isn't read again until a reload", options_.file);
      return std::move(outcome.config);
    }
    auto outcome = config::parse_file(options_.file, parse_options(options_));
    if (!outcome) return std::unexpected(outcome.error());
    log_complaints(*outcome, *log_);
    return std::move(outcome->config);
  }

  void dump_config(const config::Config& config) {
    std::istringstream lines(config::to_text(config));
    for (std::string line; std::getline(lines, line);) log_->info("{}", line);
  }

  // On a thread of its own, because there may be much of it. What can't be read again as it was isn't kept: better the
  // file as it is than something that nobody wrote.
  void keep(config::Config config) {
    if (keeper_.joinable()) keeper_.join();
    last_config_.clear();
    keeper_ = std::thread([this, config = std::move(config)] {
      const std::string text = config::to_text(config);
      if (config::parse_text(text, options_.file, {options_.config_id, false}).config != config) {
        return log_->debug("After a crash {} will be read again: its print doesn't give it back", options_.file);
      }
      if (auto done = last_config_.save(text); !done) log_->warn("{}", done.error().text());
    });
  }

  std::optional<std::string> kept() {
    if (keeper_.joinable()) keeper_.join();
    return last_config_.load();
  }

  void hello() {
    link_.send({DirectorMessage::Kind::hello, ""});
    if (std::string status = status_line(director_->counts()); status != last_status_) {
      last_status_ = std::move(status);
      link_.send({DirectorMessage::Kind::status, last_status_});
    }
    hello_timer_.expires_after(hello_interval);
    hello_timer_.async_wait([this](const error_code& error) {
      if (!error) hello();
    });
  }

  void wait_signal() {
    signals_.async_wait([this](const error_code& error, int signal) {
      if (error) return;
      on_signal(signal);
      if (signal != SIGTERM) wait_signal();
    });
  }

  void on_signal(int signal) {
    switch (signal) {
      case SIGTERM: return stop();
      case SIGHUP: director_->reload(); return;
      case SIGUSR1: return dump_data();
      default: break;
    }
    if (signal == SIGUSR2 || signal == signal_stats_clear()) {
      director_->vrrp_status([this](const VrrpStatus& status) { write("keepalived.stats", vrrp_stats_text(status)); });
    } else if (signal == signal_json()) {
      director_->vrrp_status([this](const VrrpStatus& status) { write("keepalived.json", vrrp_json_text(status)); });
    } else {
      log_->info("{}: nothing to show", strsignal(signal));
    }
  }

  void stop() {
    if (options_.keep_services) {
      // As after a crash: packets for services are dropped, not answered, until the next start takes over.
      log_->info("Leaving the services as they are (--dont-release-ipvs)");
      log_->flush();
      ::_exit(exit_ok);
    }
    hello_timer_.cancel();
    director_->stop();
    io_.stop();
  }

  void reloading(bool begins) {
    link_.send({begins ? DirectorMessage::Kind::reloading : DirectorMessage::Kind::ready, ""});
  }

  void dump_data() {
    log_->info("Printing checker data for process({}) on signal", ::getpid());
    write("keepalived_check.data", check_data_text(director_->services(), director_->pools()));
    director_->vrrp_status([this](const VrrpStatus& status) {
      if (!status.routers.empty()) write("keepalived.data", vrrp_data_text(status));
    });
    director_->bfd_status([this](const BfdStatus& status) {
      if (!status.sessions.empty()) write("keepalived_bfd.data", bfd_data_text(status));
    });
  }

  void write(const std::string& name, const std::string& text) {
    if (const auto written = write_data_file(name, text); !written) log_->error("{}", written.error().text());
  }

  const Options& options_;
  std::shared_ptr<spdlog::logger> log_;
  SupervisorLink link_;
  LastConfig last_config_{director_last_config_fd};
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer hello_timer_;
  std::unique_ptr<Director> director_;
  std::string last_status_;
  bool is_after_crash_ = false;
  std::thread keeper_;
};

}  // namespace

int run_director(const Options& options, const std::shared_ptr<spdlog::logger>& log) {
  ::fcntl(director_link_fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(director_crash_fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(director_last_config_fd, F_SETFD, FD_CLOEXEC);
  install_crash_handlers(director_crash_fd);
  prepare_signals();
  return DirectorProcess(options, log).run();
}

}  // namespace sluice::control
