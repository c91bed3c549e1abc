#include "control/backend/backend.h"

namespace sluice::control {

std::string to_string(ForwardingMethod method) {
  switch (method) {
    case ForwardingMethod::nat: return "Masq";
    case ForwardingMethod::direct: return "Route";
    case ForwardingMethod::tunnel: return "Tunnel";
  }
  return "?";
}

std::string VirtualServiceKey::text() const { return to_string(protocol) + " " + net::endpoint_text(address, port); }

std::string DestinationKey::text() const { return net::endpoint_text(address, port); }

}  // namespace sluice::control
