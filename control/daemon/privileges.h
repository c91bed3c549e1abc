// What the director may do, and what it gives up once it runs (capabilities(7)).
#pragma once

#include <string>

#include "net/error.h"

namespace sluice::control {

/// Holds this process what the engine needs to forward: CAP_NET_ADMIN, CAP_NET_RAW, and CAP_BPF or CAP_SYS_ADMIN?
[[nodiscard]] bool may_open_engine();

/// Gives up, for every thread of this process, each capability that neither serving nor a reload needs
/// (docs/operations.md has the list). The bounding set stays: a script that runs as root has what root has, as under
/// keepalived. Call it on the control thread, once all has been opened.
/// Error: a thread kept what it had.
Result<> keep_needed_capabilities();

/// Puts this process, and all that it starts, into the network namespace /run/netns/NAME, with a /sys that shows it.
Result<> enter_net_namespace(const std::string& name);

}  // namespace sluice::control
