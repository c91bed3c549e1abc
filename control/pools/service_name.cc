#include "control/pools/service_name.h"

#include <fmt/format.h>

namespace sluice::control {

namespace {

std::string name(const net::IpAddr& address, net::Protocol protocol, net::L4Port port) {
  const char* word = protocol == net::Protocol::tcp    ? "tcp"
                     : protocol == net::Protocol::udp  ? "udp"
                     : protocol == net::Protocol::sctp ? "sctp"
                                                       : "none";
  return fmt::format("[{}]:{}:{}", address.text(), word, port.host());
}

}  // namespace

std::string service_name(const VirtualServiceKey& service) {
  if (service.has_mark()) return fmt::format("FWM {}", service.mark);
  return name(service.address, service.protocol, service.port);
}

std::string pool_name(const PoolSpec& pool) {
  return pool.group.empty() ? service_name(pool.services.front().key) : pool.group;
}

std::string server_name(const DestinationKey& server, net::Protocol protocol) {
  return name(server.address, protocol, server.port);
}

}  // namespace sluice::control
