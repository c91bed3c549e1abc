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

VirtualServiceKey VirtualServiceKey::of_mark(std::uint32_t mark, bool is_v6) {
  return {net::Protocol{0}, is_v6 ? net::IpAddr(net::Ipv6Addr{}) : net::IpAddr(net::Ipv4Addr{}), {}, mark};
}

std::string VirtualServiceKey::text() const {
  if (has_mark()) return "FWM " + std::to_string(mark) + (address.is_v6() ? " IPv6" : "");
  return to_string(protocol) + " " + net::endpoint_text(address, port);
}

std::string DestinationKey::text() const { return net::endpoint_text(address, port); }

}  // namespace sluice::control
