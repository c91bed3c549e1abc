// keepalived_bfd.data, which SIGUSR1 writes: every session with keepalived's words for what it has. Pure.
#pragma once

#include <string>

#include "control/bfd/bfd_settings.h"

namespace sluice::control {

/// Empty without sessions. Lines about keepalived's descriptors and threads are left out.
[[nodiscard]] std::string bfd_data_text(const BfdStatus& status);

}  // namespace sluice::control
