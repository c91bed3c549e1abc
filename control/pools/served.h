// What of a configuration can be served today: the model holds all that the file says, this says what has to wait, and
// why. The engine forwards IPv4 over TCP and UDP, from an address and port or
// from a mark.
#pragma once

#include <string>
#include <vector>

#include "control/config/config.h"

namespace sluice::control {

/// What a virtual server becomes in the table.
struct ServedServices {
  std::vector<VirtualServiceKey> keys;
  std::string why_none;  ///< "IPv6 isn't forwarded yet"; empty: it can be served
  std::string left_out;  ///< "fd00::1: IPv6 isn't forwarded yet" and how many more entries of a group; or empty
};

/// Any thread.
[[nodiscard]] ServedServices served_services(const config::Config& config, const config::VirtualServer& server);
/// Why packets can't be sent to this real server or sorry server; empty: they can.
[[nodiscard]] std::string why_not_served(const net::IpAddr& address, const config::Forwarding& forwarding);
/// Any virtual server that can be served.
[[nodiscard]] bool serves_any(const config::Config& config);

}  // namespace sluice::control
