// The BFD sessions as JSON, for GET /bfd. docs/api.md describes it.
#pragma once

#include <string>

#include "control/bfd/bfd_settings.h"

namespace sluice::control {

[[nodiscard]] std::string bfd_json(const BfdStatus& status);

}  // namespace sluice::control
