// The virtual routers as JSON, for GET /vrrp. docs/api.md describes it.
#pragma once

#include <string>

#include "control/vrrp/vrrp_settings.h"

namespace sluice::control {

[[nodiscard]] std::string vrrp_json(const VrrpStatus& status);

}  // namespace sluice::control
