// Real-time priority for the threads that a late turn costs dearly.
#pragma once

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::control {

/// SCHED_RR for the calling thread; SCHED_RESET_ON_FORK, so that no script inherits it. Yields what to say where the
/// right to it is missing: "WHO runs without real-time priority (why): COST".
inline std::optional<std::string> be_realtime(unsigned priority, std::string_view who, std::string_view cost) {
  sched_param wanted{};
  wanted.sched_priority = int(priority);
  const int error = ::pthread_setschedparam(::pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &wanted);
  if (error == 0) return std::nullopt;
  return fmt::format("{} runs without real-time priority ({}): {}", who, std::strerror(error), cost);
}

}  // namespace sluice::control
