// sluiced: reads a keepalived.conf and serves it until it is told to stop. Chooses by the command line what this
// process is to be: the supervisor, its director, or something that answers a question and ends.
#include <fmt/format.h>
#include <malloc.h>
#include <net/if.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "control/api/sluicectl/genhash.h"
#include "control/config/parse.h"
#include "control/daemon/director_process.h"
#include "control/daemon/exit_status.h"
#include "control/daemon/log.h"
#include "control/daemon/options.h"
#include "control/daemon/privileges.h"
#include "control/daemon/settings.h"
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

// The names of the interfaces that the daemon would see; nothing: its network namespace isn't there (yet).
std::optional<std::vector<std::string>> interfaces_of(const Options& options) {
  if (!options.net_namespace.empty() && !enter_net_namespace(options.net_namespace)) return std::nullopt;
  std::vector<std::string> names;
  struct if_nameindex* const all = ::if_nameindex();
  if (all == nullptr) return std::nullopt;
  for (const auto* each = all; each->if_index != 0; ++each) names.emplace_back(each->if_name);
  ::if_freenameindex(all);
  return names;
}

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
  config::ParseOptions how = parse_options(options);
  how.interfaces = interfaces_of(options);
  auto outcome = config::parse_file(options.file, how);
  if (outcome) {
    // Which interfaces there are depends on the namespace that the file may name.
    const Options completed = complete(options, outcome->config);
    if (completed.net_namespace != options.net_namespace) {
      how.interfaces = interfaces_of(completed);
      outcome = config::parse_file(options.file, how);
    }
  }
  if (!outcome) {
    fmt::print(log.get(), "sluiced: {}\n", outcome.error().text());
    return exit_test_missing_file;
  }
  for (const config::Complaint& complaint : outcome->complaints) fmt::print(log.get(), "{}", config::render(complaint));
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

// What concerns this process; the director reads the rest, and complains of what is wrong with it. Nothing: the file
// can't be read.
Result<SupervisorSettings> read_settings(Options& options) {
  auto outcome = config::parse_file(options.file, parse_options(options));
  if (!outcome) {
    options = complete(std::move(options), {});
    return std::unexpected(outcome.error());
  }
  options = complete(std::move(options), outcome->config);
  auto scripts = supervisor_settings(outcome->config);
  for (const Error& complaint : scripts.complaints) options.remarks.push_back(complaint.text());
  return std::move(scripts.settings);
}

std::optional<SupervisorSettings> reread_settings(const Options& options, spdlog::logger& log) {
  Options read = options;
  read.remarks.clear();
  auto settings = read_settings(read);
  for (const std::string& remark : read.remarks) log.warn("{}", remark);
  ::malloc_trim(0);
  return settings ? std::optional(std::move(*settings)) : std::nullopt;
}

int supervise(Options options) {
  auto settings = read_settings(options);
  // A configuration may be large, and nothing of it is needed any more.
  ::malloc_trim(0);
  const auto made = make_log(options);
  if (!made) {
    say(made.error().text());
    return exit_fatal;
  }
  const auto& log = *made;
  // Whoever starts a daemon by hand hears of what keeps it from starting.
  const auto refuse = [&](const Error& error, int status) {
    log->error("{}", error.text());
    if (!options.log_console) say(error.text());
    return status;
  };
  log->info("Starting Sluice v" SLUICE_VERSION);
  for (const std::string& remark : options.remarks) log->warn("{}", remark);
  if (!settings) return refuse(settings.error(), exit_no_config);
  if (options.umask) ::umask(*options.umask);
  if (!options.process_name.empty()) ::prctl(PR_SET_NAME, options.process_name.c_str());
  if (!options.net_namespace.empty()) {
    if (auto entered = enter_net_namespace(options.net_namespace); !entered) return refuse(entered.error(), exit_fatal);
  }
  std::error_code ignored;
  std::filesystem::create_directory(std::filesystem::path(options.pid_file).parent_path(), ignored);
  auto pid_file = PidFile::take(options.pid_file);
  if (!pid_file) return refuse(pid_file.error(), exit_fatal);
  StartReport report;
  if (!options.foreground) {
    auto daemon = daemonise();
    if (!daemon) return refuse(daemon.error(), exit_fatal);
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
  supervised.settings = std::move(*settings);
  supervised.reread = [&] { return reread_settings(options, *log); };
  Supervisor supervisor(io, std::move(supervised), NotifySocket::from_environment(), std::move(report), log);
  const int status = supervisor.run();
  log->info("Stopped Sluice v" SLUICE_VERSION);
  return status;
}

int direct(const Options& options) {
  const auto log = make_log(options);
  return log ? run_director(options, *log) : exit_fatal;
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
    case Options::Action::genhash: return api::genhash_main("sluiced --genhash", {argv + 2, argv + argc});
    default: break;
  }
  options.file = file_of(options);
  if (options.action == Options::Action::test) return test_config(options);
  try {
    return options.action == Options::Action::direct ? direct(options) : supervise(options);
  } catch (const std::exception& error) {
    say(fmt::format("internal error: {}", error.what()));
    return exit_internal;
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
