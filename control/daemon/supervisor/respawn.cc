#include "control/daemon/supervisor/respawn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace sluice::control {

namespace {

constexpr int exit_fatal = 1;

}  // namespace

std::string ProcessEnd::text() const {
  if (signal == 0) return fmt::format("pid {} exited with status {}", pid, exit_status);
  return fmt::format("pid {} exited due to signal {} ({}){}", pid, signal, strsignal(signal),
                     core_dumped ? ", core dumped" : "");
}

std::optional<PermanentError> permanent_error(const ProcessEnd& end) {
  if (end.signal != 0) return std::nullopt;
  switch (const auto error = PermanentError{end.exit_status}) {
    case PermanentError::fatal:
    case PermanentError::config:
    case PermanentError::no_permission: return error;
  }
  return std::nullopt;
}

const char* to_string(PermanentError error) {
  switch (error) {
    case PermanentError::fatal: return "FATAL";
    case PermanentError::config: return "CONFIG";
    case PermanentError::no_permission: return "missing permission";
  }
  return "";
}

RespawnPolicy::Verdict RespawnPolicy::ended(const ProcessEnd& end, Duration ran_for) {
  if (!has_served_ && permanent_error(end)) return {.exit_status = end.exit_status};
  if (!respawn_) return {.exit_status = end.signal == 0 && end.exit_status != 0 ? end.exit_status : exit_fatal};
  if (ran_for > sound_after) {
    next_delay_ = std::chrono::seconds(0);
    return {.respawn = true};
  }
  const auto delay = next_delay_;
  next_delay_ = delay.count() == 0 ? std::chrono::seconds(1) : std::min(delay * 2, delay_max);
  return {.respawn = true, .delay = delay};
}

}  // namespace sluice::control
