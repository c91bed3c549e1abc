// keepalived's way to name a server in logs, mail and FIFOs: "[192.0.2.1]:tcp:80", "[2001:db8::1]:udp:53".
#pragma once

#include <string>

#include "control/backend/backend.h"

namespace sluice::control {

[[nodiscard]] std::string service_name(const VirtualServiceKey& service);
/// A real server has its virtual server's protocol.
[[nodiscard]] std::string server_name(const DestinationKey& server, net::Protocol protocol);

}  // namespace sluice::control
