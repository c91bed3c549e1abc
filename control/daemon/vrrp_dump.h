// What SIGUSR1, SIGUSR2 and SIGJSON write of VRRP: keepalived.data, keepalived.stats and keepalived.json, as far as
// monitoring reads them. Pure.
#pragma once

#include <chrono>
#include <string>

#include "control/vrrp/vrrp_settings.h"

namespace sluice::control {

/// keepalived.data: instances with their states, in the order of the file.
[[nodiscard]] std::string vrrp_data_text(const VrrpStatus& status);
/// keepalived.stats: counters, per instance.
[[nodiscard]] std::string vrrp_stats_text(const VrrpStatus& status);
/// keepalived.json, version 1: an array with "data" and "stats" of each instance.
[[nodiscard]] std::string vrrp_json_text(const VrrpStatus& status);

}  // namespace sluice::control
