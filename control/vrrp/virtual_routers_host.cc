// What the kernel says of links, addresses and routes, and what it means for the virtual routers.
#include <fmt/format.h>

#include <algorithm>

#include "control/vrrp/setup.h"
#include "control/vrrp/virtual_routers_inside.h"

namespace sluice::control {

using vrrp::Fault;
using vrrp::FaultKind;

void VirtualRouters::on_link_news(const netlink::Link& link, bool removed) {
  const auto known = links_seen_.find(link.ifindex);
  std::optional<netlink::Link> before;
  if (known != links_seen_.end()) before = known->second;
  if (removed) {
    links_seen_.erase(link.ifindex);
  } else {
    links_seen_.insert_or_assign(link.ifindex, link);
  }
  const bool runs = !removed && link.running;
  const auto lives_on = [&](const auto& router) { return home_of(router->config) == link.name; };
  if (before && before->running != runs && std::ranges::any_of(routers_, lives_on)) {
    log(fmt::format("Netlink reports {} {}", link.name, runs ? "up" : "down"));
  }
  // Another name is another interface: the one of the old name has gone.
  if (before && before->name != link.name) on_link(before->name);
  on_link(link.name);
  if (removed || !before || before->mac == link.mac) return;
  // Neighbours have the old MAC.
  for (const auto& router : routers_) {
    const bool is_there = std::ranges::any_of(router->addresses.addresses(), [&](const KeptAddress& kept) {
      return kept.held && kept.request.address.ifindex == link.ifindex;
    });
    if (is_there) announce(*router, router->garp.on_garp(now(), vrrp::GarpCause::addresses_added));
  }
}

void VirtualRouters::on_link(const std::string& name) {
  vmacs_->link_changed(name);
  const netlink::Link* link = reflector_->link(name);
  const TrackedStatus status{vrrp::TrackKind::interface, name, link != nullptr && link->running};
  if (link == nullptr) sysctls_->forget_interface(name);
  want_sysctls();
  static_addresses_->interfaces_changed();
  if (link != nullptr && link->running) {
    static_addresses_->own();
    static_routes_->own();
  } else {
    static_routes_->interface_down(name);
  }
  look_at_static();
  for (const auto& router : routers_) {
    router->addresses.interfaces_changed();
    // How much fits into an advertisement depends on the MTU.
    if (link != nullptr && name == home_of(router->config)) {
      router->wire = wire_of(router->config, link->mtu, router->hmac_keys);
    }
    set_tracked(*router, status);
    look_at_link(*router, false);
    look_at_trackers(*router);
  }
}

void VirtualRouters::look_at_link(VirtualRouter& router, bool at_once) {
  const std::string& home = home_of(router.config);
  if (home.empty()) return;
  const netlink::Link* link = reflector_->link(home);
  const netlink::Link* advert_link = reflector_->link(router.advert_interface);
  const int ifindex = link != nullptr ? link->ifindex : 0;
  const int advert_ifindex = advert_link != nullptr ? advert_link->ifindex : 0;
  // Renamed: what it has to say, that it gives up, leaves by the interface that it was.
  if (ifindex == 0 && reflector_->link(router.ifindex) != nullptr) count_link(router, false);
  if (ifindex != router.ifindex || advert_ifindex != router.advert_ifindex) {
    router.ifindex = ifindex;
    router.advert_ifindex = advert_ifindex;
    look_at_source(router);
    reopen(router);
  }
  const bool up = is_up(router);
  if (router.link_up == up) {
    router.delay.cancel();
    return;
  }
  config::Duration delay{0};
  for (const config::UpDownDelay& each : config_.process.interface_up_down_delays) {
    if (each.interface == home) delay = up ? each.up : each.down;
  }
  if (at_once || !router.link_up || delay.count() == 0) return count_link(router, up);
  router.delay.set(now() + delay);
}

/// The interface and, if it has one, its VMAC, whose carrier is the interface's.
bool VirtualRouters::is_up(const VirtualRouter& router) const {
  const netlink::Link* link = reflector_->link(home_of(router.config));
  const netlink::Link* vmac = reflector_->link(router.vmac);
  return link != nullptr && link->running && (router.vmac.empty() || (vmac != nullptr && vmac->up));
}

void VirtualRouters::count_link(VirtualRouter& router, bool up) {
  router.link_up = up;
  if (router.vmac.empty()) {
    set_fault(router, {FaultKind::interface_down}, !up, fmt::format("(interface {} down)", home_of(router.config)));
    return;
  }
  const netlink::Link* base = reflector_->link(router.config.interface);
  const bool base_down = base == nullptr || !base->running;
  if (!up && base_down) {
    set_fault(router, {FaultKind::base_down}, true, fmt::format("(base interface {} down)", router.config.interface));
  } else if (!up) {
    set_fault(router, {FaultKind::interface_down}, true, fmt::format("(interface {} down)", router.vmac));
  } else {
    set_fault(router, {FaultKind::base_down}, false, "");
    set_fault(router, {FaultKind::interface_down}, false, "");
  }
}

void VirtualRouters::on_address(const netlink::InterfaceAddress& address, bool removed) {
  if (removed && static_addresses_->lost(address)) {
    log(fmt::format("static address {} was removed by somebody else: it is back", address.address.text()), true);
    static_routes_->own();  // the kernel took those with it that needed the address
  }
  look_at_static();
  for (const auto& router : routers_) {
    if (removed && router->addresses.lost(address)) {
      const netlink::Link* link = reflector_->link(address.ifindex);
      log(fmt::format("Netlink reflector reports IP {} removed from {}", address.address.text(),
                      link != nullptr ? link->name : "an interface that is gone"));
      lose(*router, address.address.text());
    }
    if (address.ifindex == router->ifindex) look_at_source(*router);
  }
}

void VirtualRouters::on_route(const netlink::Prefix& prefix) {
  if (static_routes_->lost_route(prefix)) static_routes_->own();
  look_at_static();
  for (const auto& router : routers_) {
    if (router->routes.lost_route(prefix)) {
      lose(*router, fmt::format("route {}/{}", prefix.address.text(), prefix.length));
    }
  }
}

void VirtualRouters::on_rules() {
  if (static_routes_->lost_rule()) static_routes_->own();
  look_at_static();
  for (const auto& router : routers_) {
    if (router->routes.lost_rule()) lose(*router, "a rule");
  }
}

/// Somebody else took away what we have.
void VirtualRouters::lose(VirtualRouter& router, const std::string& what) {
  log(fmt::format("({}) {} was removed by somebody else", router.config.name, what), true);
  drive(
      router, [](vrrp::Instance& alone) { return alone.on_addresses_lost(now()); },
      [](vrrp::SyncGroup& group, std::size_t member) { return group.on_addresses_lost(now(), member); });
}

bool VirtualRouters::is_virtual(const netlink::InterfaceAddress& address) const {
  return std::ranges::any_of(routers_, [&](const auto& router) { return router->addresses.has(address); });
}

std::optional<net::IpAddr> VirtualRouters::source_of(const VirtualRouter& router) const {
  const config::VrrpInstance& config = router.config;
  const auto there = reflector_->mirror().addresses_of(router.ifindex);
  if (config.source) {
    const bool exists =
        config.interface.empty()
            ? reflector_->mirror().is_local(*config.source)
            : std::ranges::any_of(there, [&](const auto& each) { return each.address == *config.source; });
    return config.track_src_ip && !exists ? std::nullopt : config.source;
  }
  if (config.ipvlan && config.ipvlan->address && (!config.is_v6 || is_link_local(config.ipvlan->address->address))) {
    return config.ipvlan->address->address;
  }
  for (const netlink::InterfaceAddress& each : there) {
    if (each.address.is_v6() != config.is_v6 || is_virtual(each)) continue;
    if (!config.is_v6 || is_link_local(each.address)) return each.address;
  }
  return std::nullopt;
}

void VirtualRouters::look_at_source(VirtualRouter& router) {
  const auto source = source_of(router);
  if (source != router.source) {
    router.source = source;
    if (source) router.election.set_source(*source);
    reopen(router);
  }
  set_fault(router, {FaultKind::no_source_address}, !source,
            fmt::format("(no {} address for interface)", router.config.is_v6 ? "IPv6 link-local" : "IPv4"));
}

}  // namespace sluice::control
