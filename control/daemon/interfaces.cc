#include "control/daemon/interfaces.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "dataplane/classify/rule.h"

namespace sluice::control {

namespace {

class Chooser {
 public:
  Chooser(const config::Config& config, const netlink::Mirror& mirror, const RouteTo& route_to)
      : config_(config), mirror_(mirror), route_to_(route_to) {}

  void add_virtual_address(const net::IpAddr& address, const std::string& where) {
    if (const netlink::Link* carrier = mirror_.link_with(address); carrier != nullptr && !carrier->loopback) {
      return add(carrier, where);
    }
    for (const config::VrrpInstance& instance : config_.vrrp_instances) {
      for (const auto* owned : {&instance.addresses, &instance.excluded_addresses}) {
        for (const config::InterfaceAddress& each : *owned) {
          if (each.address != address || each.interface.empty()) continue;
          if (const netlink::Link* link = mirror_.link(each.interface)) return add(link, where);
        }
      }
    }
    add_route_to(address, where);
  }

  /// Where packets come in that a classify rule marks.
  void add_classified(const config::Classify& rule) {
    const std::string where = rule.position.text();
    if (!rule.interface.empty()) {
      if (const netlink::Link* link = mirror_.link(rule.interface)) return add(link, where);
      return warn(where, fmt::format("interface '{}' doesn't exist", rule.interface));
    }
    const dataplane::Ipv4Prefix prefix{rule.destination.address.v4(), rule.destination.length};
    std::set<net::IpAddr> carried;
    const auto look_at = [&](const net::IpAddr& address) {
      if (address.is_v4() && prefix.contains({address.v4(), 32})) carried.insert(address);
    };
    for (const netlink::InterfaceAddress& each : mirror_.addresses()) look_at(each.address);
    for (const config::VrrpInstance& instance : config_.vrrp_instances) {
      for (const auto* owned : {&instance.addresses, &instance.excluded_addresses}) {
        for (const config::InterfaceAddress& each : *owned) look_at(each.address);
      }
    }
    if (carried.empty()) carried.insert(rule.destination.address);
    for (const net::IpAddr& address : carried) add_virtual_address(address, where);
  }

  void add_route_to(const net::IpAddr& address, const std::string& where) {
    const auto route = route_to_(address);
    if (!route) return warn(where, route.error().what);
    if (route->kind == netlink::RouteDecision::Kind::local) return;  // on this host: through its own stack
    if (route->kind == netlink::RouteDecision::Kind::refused) {
      return warn(where, fmt::format("{} can't be reached: {}", address.text(), route->reason));
    }
    add(mirror_.link(route->ifindex), where);
  }

  InterfaceChoices finish() {
    for (const auto& [ifindex, name] : chosen_) choices_.names.push_back(name);
    return std::move(choices_);
  }

 private:
  void add(const netlink::Link* link, const std::string& where) {
    link = lowest_link(link, mirror_);
    if (link == nullptr) return;
    if (!link->ethernet) return warn(where, fmt::format("{} isn't an Ethernet device", link->name));
    chosen_.emplace(link->ifindex, link->name);
  }
  void warn(const std::string& where, const std::string& what) { choices_.warnings.push_back(where + ": " + what); }

  const config::Config& config_;
  const netlink::Mirror& mirror_;
  const RouteTo& route_to_;
  std::map<int, std::string> chosen_;
  InterfaceChoices choices_;
};

std::set<std::uint32_t> marks_of(const config::Config& config, const config::VirtualServer& server) {
  if (server.kind == config::VirtualServerKind::fwmark) return {server.fwmark};
  std::set<std::uint32_t> marks;
  for (const config::VirtualServerGroup& group : config.virtual_server_groups) {
    if (server.kind != config::VirtualServerKind::group || group.name != server.group) continue;
    for (const config::GroupEntry& entry : group.entries) {
      if (entry.form == config::GroupEntry::Form::fwmark) marks.insert(entry.fwmark);
    }
  }
  return marks;
}

/// IPv4 only: others aren't served yet.
std::set<net::IpAddr> addresses_of(const config::Config& config, const config::VirtualServer& server) {
  std::set<net::IpAddr> addresses;
  if (server.kind == config::VirtualServerKind::address && server.key.address.is_v4())
    addresses.insert(server.key.address);
  for (const config::VirtualServerGroup& group : config.virtual_server_groups) {
    if (server.kind != config::VirtualServerKind::group || group.name != server.group) continue;
    const auto members = expand(group);
    if (!members) continue;
    for (const config::GroupMember& member : *members) {
      if (member.fwmark == 0 && member.address.is_v4()) addresses.insert(member.address);
    }
  }
  return addresses;
}

}  // namespace

const netlink::Link* lowest_link(const netlink::Link* link, const netlink::Mirror& mirror) {
  while (link != nullptr && link->parent_ifindex != 0 && (link->kind == "vlan" || link->kind == "macvlan")) {
    const netlink::Link* parent = mirror.link(link->parent_ifindex);
    if (parent == nullptr) break;
    link = parent;
  }
  return link;
}

Result<InterfaceChoices> choose_interfaces(const config::Config& config, const netlink::Mirror& mirror,
                                           const RouteTo& route_to) {
  if (!config.dataplane.interfaces.empty()) {
    for (const std::string& name : config.dataplane.interfaces) {
      const netlink::Link* link = mirror.link(name);
      if (link == nullptr) {
        return fail(config.dataplane.position.text(),
                    fmt::format("interface '{}' doesn't exist: name one that `ip link` shows", name));
      }
      if (!link->ethernet) {
        return fail(config.dataplane.position.text(),
                    fmt::format("interface '{}' isn't an Ethernet device: the engine can't serve it", name));
      }
    }
    return InterfaceChoices{config.dataplane.interfaces, {}};
  }
  Chooser chooser(config, mirror, route_to);
  for (const config::VirtualServer& server : config.virtual_servers) {
    const std::set<net::IpAddr> addresses = addresses_of(config, server);
    const std::set<std::uint32_t> marks = marks_of(config, server);
    if (addresses.empty() && marks.empty()) continue;
    for (const net::IpAddr& address : addresses) chooser.add_virtual_address(address, server.position.text());
    for (const config::Classify& rule : config.dataplane.classify) {
      if (rule.destination.address.is_v4() && marks.contains(rule.mark)) chooser.add_classified(rule);
    }
    for (const config::RealServer& real : server.real_servers) chooser.add_route_to(real.address, real.position.text());
    if (server.sorry_server)
      chooser.add_route_to(server.sorry_server->endpoint.address, server.sorry_server->position.text());
  }
  InterfaceChoices choices = chooser.finish();
  if (choices.names.empty()) {
    std::string why = "no interface carries a virtual address or leads to a real server";
    for (const std::string& warning : choices.warnings) why += "; " + warning;
    return fail("dataplane",
                why + ": add the addresses and routes, or name the interfaces: dataplane { interfaces eth0 }");
  }
  return choices;
}

}  // namespace sluice::control
