// sluiced: reads a keepalived.conf and serves it until it is told to stop.
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "control/config/parse.h"
#include "control/daemon/director.h"

namespace {

using namespace sluice;
using namespace sluice::control;

// Exit statuses of keepalived.
constexpr int exit_ok = 0;
constexpr int exit_fatal = 1;
constexpr int exit_config = 2;
constexpr int exit_no_permission = 4;
constexpr int exit_test_missing_file = 4;
constexpr int exit_no_config = 6;

constexpr const char* default_files[] = {"/etc/sluice/sluice.conf", "/etc/keepalived/keepalived.conf"};

struct Options {
  std::string file;
  std::string config_id;
  std::string socket_path = api::default_socket_path;
  bool test_only = false;
  int detail = 0;
};

// The file to read: the one given, else the first default that exists.
std::string file_of(const Options& options) {
  if (!options.file.empty()) return options.file;
  for (const char* file : default_files) {
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return default_files[0];
}

// Effective capabilities of this process (capabilities(7)); all, when they can't be read.
std::uint64_t effective_capabilities() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapEff:")) return std::stoull(line.substr(7), nullptr, 16);
  }
  return ~0ull;
}

bool may_open_engine() {
  constexpr std::uint64_t net_admin = 1ull << 12, net_raw = 1ull << 13, sys_admin = 1ull << 21, bpf = 1ull << 39;
  const std::uint64_t held = effective_capabilities();
  return (held & net_admin) != 0 && (held & net_raw) != 0 && (held & (bpf | sys_admin)) != 0;
}

int report(const config::ParseOutcome& outcome) {
  for (const config::Complaint& complaint : outcome.complaints) {
    std::fprintf(stderr, "%s\n", complaint.text().c_str());
  }
  if (outcome.complaints_dropped > 0) {
    std::fprintf(stderr, "... and %zu more\n", outcome.complaints_dropped);
  }
  return config::test_exit_status(outcome);
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

int serve(const Options& options, const config::ParseOutcome& outcome, const std::shared_ptr<spdlog::logger>& log) {
  log_complaints(outcome, *log);
  if (!outcome.config.virtual_servers.empty() && !may_open_engine()) {
    log->error("no permission: forwarding needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF; run sluiced as root");
    return exit_no_permission;
  }
  boost::asio::io_context io(1);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  auto director = Director::start(io, outcome.config, {options.socket_path}, log);
  if (!director) {
    log->error("{}", director.error().text());
    // A place in the file means that the file is wrong; anything else is this host's.
    const bool from_file = director.error().where.find(':') != std::string::npos;
    return from_file ? exit_config : exit_fatal;
  }
  log->info("Startup complete");
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    log->info("Stopping ({})", strsignal(signal));
    (*director)->stop();
    io.stop();
  });
  io.run();
  director->reset();
  log->info("Stopped");
  return exit_ok;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  bool version = false;
  bool unused = false;
  CLI::App app{"sluiced: a layer-4 load balancer that reads keepalived.conf"};
  app.add_option("-f,--use-file", options.file,
                 fmt::format("configuration (default: {}, then {})", default_files[0], default_files[1]));
  app.add_flag("-t,--config-test", options.test_only, "check the configuration, print every mistake, exit");
  app.add_option("-i,--config-id", options.config_id, "decides @ID lines (default: the host's name)");
  app.add_option("--socket", options.socket_path, "control socket, for sluicectl")->capture_default_str();
  app.add_flag("-D,--log-detail", options.detail, "log in more detail");
  app.add_flag("-n,--dont-fork", unused, "stay in the foreground (always so)");
  app.add_flag("-l,--log-console", unused, "log to stderr (always so)");
  app.add_flag("-v,--version", version, "print the version, exit");
  CLI11_PARSE(app, argc, argv);
  if (version) {
    std::puts("sluiced " SLUICE_VERSION);
    return exit_ok;
  }

  // stderr carries no more than lines: whoever runs us (systemd, a terminal) knows who speaks.
  auto log = std::make_shared<spdlog::logger>("sluiced", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
  log->set_level(options.detail > 0 ? spdlog::level::debug : spdlog::level::info);
  log->flush_on(spdlog::level::debug);

  const std::string file = file_of(options);
  const auto outcome = config::parse_file(file, {options.config_id, true});
  if (!outcome) {
    std::fprintf(stderr, "sluiced: %s\n", outcome.error().text().c_str());
    return options.test_only ? exit_test_missing_file : exit_no_config;
  }
  if (options.test_only) return report(*outcome);
  signal(SIGPIPE, SIG_IGN);
  try {
    return serve(options, *outcome, log);
  } catch (const std::exception& error) {
    log->critical("internal error: {}", error.what());
    return 70;
  }
}
