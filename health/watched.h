// FILE_CHECK and BFD_CHECK: nobody is probed. Control watches a file, or a session, and asks here what its news means.
// Pure; what a verdict changes is the pool's.
#pragma once

#include <cstdint>

#include "health/probe_result.h"
#include "health/spec.h"

namespace sluice::health {

/// keepalived: up while value * weight is above -2147483648, or, with a weight of 0, while the value is 0 (`reverse`:
/// isn't); the product, with `reverse` its opposite, is added to the server's weight.
[[nodiscard]] ProbeResult file_result(const FileCheckSpec& spec, std::int64_t value);
[[nodiscard]] ProbeResult bfd_result(bool session_is_up);

/// A checker of these kinds isn't run by the health thread.
[[nodiscard]] bool is_watched(const CheckerSpec& spec);

}  // namespace sluice::health
