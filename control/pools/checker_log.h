// What the log says when a checker has a result, in keepalived's words.
#pragma once

#include <optional>
#include <string>

#include "control/pools/pool_spec.h"
#include "health/health_thread.h"
#include "health/log_lines.h"

namespace sluice::control {

/// The line for `event`, or nothing where keepalived is silent: a result that changes nothing, unless all failures are
/// to be logged. The probe's reason follows in parentheses.
[[nodiscard]] std::optional<std::string> checker_line(const CheckerSetup& checker, const health::CheckedNames& names,
                                                      const health::HealthEvent& event);

}  // namespace sluice::control
