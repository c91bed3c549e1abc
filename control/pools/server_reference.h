// How an operator names a virtual server and one of its real servers on a command line: as the log does
// ("[10.0.0.1]:tcp:80"), or shorter where that is plain enough.
#pragma once

#include <cstddef>
#include <string_view>

#include "control/pools/pool_list.h"
#include "control/pools/pool_spec.h"
#include "net/error.h"

namespace sluice::control {

/// Its position in pools. "[10.0.0.1]:tcp:80", "10.0.0.1:80", "10.0.0.1:80/udp", "[2001:db8::1]:80", "FWM 5",
/// "fwmark 5", "[group]:0", or one of the services of a group. Errors: there is none, or more than one.
[[nodiscard]] Result<std::size_t> find_pool(std::string_view text, const PoolList& pools);

/// Its position in pool. "[10.0.2.11]:tcp:80", "10.0.2.11:80", "10.0.2.11". Errors: there is none, or more than one.
[[nodiscard]] Result<std::size_t> find_server(std::string_view text, const PoolSpec& pool);

}  // namespace sluice::control
