// global_defs: settings of the whole process.
#pragma once

#include <optional>
#include <string>

#include "control/config/model/common.h"

namespace sluice::control::config {

struct GlobalDefs {
  std::string router_id;  ///< empty: the host's name
  std::optional<std::string> script_user;
  std::optional<std::string> script_group;
  bool enable_script_security = false;
  unsigned vrrp_version = 2;              ///< 2 or 3; read, not acted on yet
  bool rs_init_notifies = false;          ///< read, not acted on yet
  bool checker_log_all_failures = false;  ///< already applied to the checkers

  bool operator==(const GlobalDefs&) const = default;
};

}  // namespace sluice::control::config
