// sluiced: reads a keepalived.conf and serves it until it is told to stop. Chooses by the command line what this
// process is to be: the supervisor, its director, or something that answers a question and ends.
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "control/config/parse.h"
#include "control/daemon/director_process.h"
#include "control/daemon/exit_status.h"
#include "control/daemon/log.h"
#include "control/daemon/options.h"
#include "control/daemon/privileges.h"
#include "control/daemon/supervisor/pid_file.h"
#include "control/daemon/supervisor/supervisor.h"

namespace {

using namespace sluice;
using namespace sluice::control;

void say(const std::string& line) { std::fprintf(stderr, "sluiced: %s\n", line.c_str()); }

// The file to read: the one given, else the first default that exists. Absolute, because a daemon leaves its directory.
std::string file_of(const Options& options) {
  std::error_code ignored;
  if (!options.file.empty()) return std::filesystem::absolute(options.file, ignored);
  for (const char* file : default_files) {
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return default_files[0];
}

// --- questions ----------------------------------------------------------------------------------------------------

int test_config(const Options& options) {
  const auto close = [](std::FILE* file) {
    if (file != nullptr && file != stderr) std::fclose(file);
  };
  const std::unique_ptr<std::FILE, decltype(close)> log(
      options.test_log.empty() ? stderr : std::fopen(options.test_log.c_str(), "ae"), close);
  if (log == nullptr) {
    say(fmt::format("{} can't be written", options.test_log));
    return exit_fatal;
  }
  for (const std::string& remark : options.remarks) fmt::print(log.get(), "{}\n", remark);
  const auto outcome = config::parse_file(options.file, {options.config_id, true});
  if (!outcome) {
    fmt::print(log.get(), "sluiced: {}\n", outcome.error().text());
    return exit_test_missing_file;
  }
  for (const config::Complaint& complaint : outcome->complaints) fmt::print(log.get(), "{}\n", complaint.text());
  if (outcome->complaints_dropped > 0) fmt::print(log.get(), "... and {} more\n", outcome->complaints_dropped);
  return config::test_exit_status(*outcome);
}

int print_signal_number(const std::string& name) {
  const auto number = signal_number(name);
  if (!number) {
    std::fprintf(stderr, "Unknown sigfunc %s\n", name.c_str());
    return exit_fatal;
  }
  std::printf("%d\n", *number);
  return exit_ok;
}

// --- the daemon ---------------------------------------------------------------------------------------------------

void allow_core_dumps() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_CORE, &unlimited);
}

int supervise(const Options& options, const std::shared_ptr<spdlog::logger>& log) {
  log->info("Starting Sluice v" SLUICE_VERSION);
  for (const std::string& remark : options.remarks) log->warn("{}", remark);
  // Looked at here only so that whoever starts us hears of it at once; the director reads it.
  if (::access(options.file.c_str(), R_OK) != 0) {
    const Error error{options.file, std::generic_category().message(errno)};
    log->error("{}", error.text());
    if (!options.log_console) say(error.text());
    return exit_no_config;
  }
  if (!options.net_namespace.empty()) {
    if (auto entered = enter_net_namespace(options.net_namespace); !entered) {
      log->error("{}", entered.error().text());
      if (!options.log_console) say(entered.error().text());
      return exit_fatal;
    }
  }
  auto pid_file = PidFile::take(options.pid_file);
  if (!pid_file) {
    log->error("{}", pid_file.error().text());
    if (!options.log_console) say(pid_file.error().text());
    return exit_fatal;
  }
  StartReport report;
  if (!options.foreground) {
    auto daemon = daemonise();
    if (!daemon) {
      log->error("{}", daemon.error().text());
      return exit_fatal;
    }
    report = std::move(*daemon);
  }
  if (auto written = pid_file->write(::getpid()); !written) log->error("{}", written.error().text());
  if (options.core_dump) allow_core_dumps();
  ::signal(SIGPIPE, SIG_IGN);

  boost::asio::io_context io(1);
  SupervisorOptions supervised;
  supervised.director_arguments = director_arguments(options);
  supervised.respawn = options.respawn;
  supervised.role_pid_files = options.role_pid_files;
  Supervisor supervisor(io, std::move(supervised), NotifySocket::from_environment(), std::move(report), log);
  const int status = supervisor.run();
  log->info("Stopped Sluice v" SLUICE_VERSION);
  return status;
}

int run(int argc, char** argv) {
  auto parsed = parse_command_line({argv + 1, argv + argc});
  if (!parsed) {
    say(parsed.error().text() + "; sluiced --help lists what there is");
    return exit_fatal;
  }
  Options& options = *parsed;
  switch (options.action) {
    case Options::Action::version: std::fputs("Sluice v" SLUICE_VERSION "\n", stderr); return exit_ok;
    case Options::Action::help: std::fputs(usage().c_str(), stderr); return exit_ok;
    case Options::Action::signal_number: return print_signal_number(options.signal_name);
    case Options::Action::genhash: say("use sluicectl genhash"); return exit_fatal;
    default: break;
  }
  options.file = file_of(options);
  if (options.action == Options::Action::test) return test_config(options);
  if (options.umask) ::umask(*options.umask);
  auto log = make_log(options);
  if (!log) {
    say(log.error().text());
    return exit_fatal;
  }
  try {
    return options.action == Options::Action::direct ? run_director(options, *log) : supervise(options, *log);
  } catch (const std::exception& error) {
    (*log)->critical("internal error: {}", error.what());
    return exit_internal;
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
