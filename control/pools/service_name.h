// keepalived's way to name a server in logs, mail and FIFOs: "[192.0.2.1]:tcp:80", "[2001:db8::1]:udp:53", "FWM 5",
// "[group]:0".
#pragma once

#include <string>

#include "control/backend/backend.h"
#include "control/pools/pool_spec.h"

namespace sluice::control {

[[nodiscard]] std::string service_name(const VirtualServiceKey& service);
/// A group's name, or that of its only service.
[[nodiscard]] std::string pool_name(const PoolSpec& pool);
/// protocol: its virtual server's.
[[nodiscard]] std::string server_name(const DestinationKey& server, net::Protocol protocol);

}  // namespace sluice::control
