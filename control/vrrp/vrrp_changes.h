// What a reload would change of VRRP and of what it uses, as lines for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "control/config/config.h"

namespace sluice::control {

/// "+ vrrp_instance VI_2", "- vrrp_instance VI_1", "~ vrrp_instance VI_1: priority 100 -> 150".
[[nodiscard]] std::vector<std::string> vrrp_changes(const config::Config& before, const config::Config& after);

}  // namespace sluice::control
