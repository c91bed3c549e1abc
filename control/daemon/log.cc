#include "control/daemon/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>

#include <vector>

namespace sluice::control {

namespace {

// stderr carries no more than lines: whoever runs us (systemd, a terminal) knows who speaks.
constexpr const char* console_pattern = "%Y-%m-%d %H:%M:%S.%e %l: %v";
// Supervisor and director write into one file.
constexpr const char* file_pattern = "%Y-%m-%d %H:%M:%S.%e %n[%P] %l: %v";

}  // namespace

Result<std::shared_ptr<spdlog::logger>> make_log(const Options& options) {
  std::vector<spdlog::sink_ptr> sinks;
  if (options.log_console) {
    sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    sinks.back()->set_pattern(console_pattern);
  }
  if (options.log_file) {
    try {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(*options.log_file));
      sinks.back()->set_pattern(file_pattern);
    } catch (const spdlog::spdlog_ex& error) {
      return fail("log file", error.what());
    }
  }
  // It knows the time and the level by itself.
  if (options.log_syslog) {
    sinks.push_back(std::make_shared<spdlog::sinks::syslog_sink_mt>(options.ident, LOG_PID, options.facility, false));
  }
  auto log = std::make_shared<spdlog::logger>(options.ident, sinks.begin(), sinks.end());
  log->set_level(options.detail > 0 ? spdlog::level::debug : spdlog::level::info);
  log->flush_on(spdlog::level::debug);
  return log;
}

}  // namespace sluice::control
