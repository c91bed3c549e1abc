// The subjects of global_defs: each has its keywords in a file of its own. Internal to control/config.
#pragma once

#include <span>

#include "control/config/keywords.h"

namespace sluice::control::config {

using GlobalKeywords = std::span<const Keyword<GlobalDefs>>;

[[nodiscard]] GlobalKeywords mail_keywords();
[[nodiscard]] GlobalKeywords fifo_keywords();
[[nodiscard]] GlobalKeywords lvs_keywords();
[[nodiscard]] GlobalKeywords vrrp_default_keywords();
[[nodiscard]] GlobalKeywords process_tuning_keywords();
[[nodiscard]] GlobalKeywords socket_buffer_keywords();
[[nodiscard]] GlobalKeywords monitoring_keywords();
[[nodiscard]] GlobalKeywords file_keywords();

}  // namespace sluice::control::config
