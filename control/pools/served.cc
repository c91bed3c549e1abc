#include "control/pools/served.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sluice::control {

namespace {

constexpr const char* no_ipv6 = "IPv6 isn't forwarded yet";

/// Of one service; empty: it can be served.
std::string why_not(const VirtualServiceKey& key) {
  if (key.address.is_v6()) return no_ipv6;
  if (key.has_mark()) return {};
  if (key.protocol == net::Protocol::sctp) return "SCTP isn't forwarded yet";
  if (key.port.is_zero()) return "a virtual server without port isn't built yet";
  return {};
}

/// Empty: packets can be sent to one of them at least.
std::string why_no_real_server(const config::VirtualServer& server) {
  std::string why;
  for (const config::RealServer& real : server.real_servers) {
    why = why_not_served(real.address, real.forwarding.value);
    if (why.empty()) return {};
  }
  return "no real server can be reached: " + why;
}

const config::VirtualServerGroup* group_of(const config::Config& config, const config::VirtualServer& server) {
  const auto& groups = config.virtual_server_groups;
  const auto found =
      std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.name == server.group; });
  return found == groups.end() ? nullptr : &*found;
}

ServedServices served_group(const config::Config& config, const config::VirtualServer& server) {
  ServedServices served;
  const config::VirtualServerGroup* group = group_of(config, server);
  const auto members = group == nullptr ? Result<std::vector<config::GroupMember>>() : expand(*group);
  if (!members) {
    served.why_none = members.error().what;
    return served;
  }
  // A real server has one port in all services of its pool.
  const bool needs_port = std::any_of(server.real_servers.begin(), server.real_servers.end(),
                                      [](const auto& real) { return real.port.is_zero(); });
  std::size_t left_out = 0;
  for (const config::GroupMember& member : *members) {
    const VirtualServiceKey key = member.fwmark != 0
                                      ? VirtualServiceKey::of_mark(member.fwmark, member.family == config::Family::v6)
                                      : VirtualServiceKey{server.key.protocol, member.address, member.port};
    std::string why = why_not(key);
    if (why.empty() && needs_port && !key.has_mark())
      why = "a group with several ports isn't built yet for real servers without one";
    if (why.empty()) {
      served.keys.push_back(key);
    } else if (left_out++ == 0) {
      served.left_out = key.text() + ": " + why;
    }
  }
  if (left_out > 1) served.left_out += fmt::format(" (and {} more)", left_out - 1);
  if (members->empty()) served.why_none = "there is nothing in its group";
  if (served.keys.empty() && left_out > 0) served.why_none = std::exchange(served.left_out, {});
  return served;
}

}  // namespace

ServedServices served_services(const config::Config& config, const config::VirtualServer& server) {
  ServedServices served;
  switch (server.kind) {
    case config::VirtualServerKind::group: served = served_group(config, server); break;
    case config::VirtualServerKind::address: served.keys = {server.key}; break;
    case config::VirtualServerKind::fwmark:
      served.keys = {VirtualServiceKey::of_mark(server.fwmark, server.ip_family == config::Family::v6)};
      break;
  }
  if (served.why_none.empty()) served.why_none = why_not(served.keys.front());
  if (served.why_none.empty()) served.why_none = why_no_real_server(server);
  if (!served.why_none.empty()) served.keys.clear();
  return served;
}

std::string why_not_served(const net::IpAddr& address, const config::Forwarding& forwarding) {
  if (address.is_v6()) return no_ipv6;
  if (forwarding.method != ForwardingMethod::tunnel) return {};
  switch (forwarding.tunnel) {
    case config::TunnelType::ipip: return {};
    case config::TunnelType::gue: return "TUN type gue isn't built yet";
    case config::TunnelType::gre: return "TUN type gre isn't built yet";
  }
  return {};
}

bool serves_any(const config::Config& config) {
  return std::any_of(config.virtual_servers.begin(), config.virtual_servers.end(),
                     [&](const auto& server) { return served_services(config, server).why_none.empty(); });
}

}  // namespace sluice::control
