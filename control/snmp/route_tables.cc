// KEEPALIVED-MIB::vrrp: static and virtual routes with their next hops, and rules.
#include <array>
#include <charconv>

#include "control/snmp/mibs.h"

namespace sluice::control::snmp {

namespace {

/// Instance 0 stands for what is static.
template <typename Config>
struct Held {
  const Snapshot* all;
  const Config* config;
  bool is_set;
};
using Route = Held<config::IpRoute>;
using Rule = Held<config::IpRule>;

struct Hop {
  const Snapshot* all;
  const config::Nexthop* config;
  bool is_v6;
};

template <typename T>
Cell gauge_if(const std::optional<T>& number) {
  return number ? Cell(gauge32(*number)) : Cell();
}
Cell gauge_if_any(std::uint32_t number) { return number != 0 ? Cell(gauge32(number)) : Cell(); }
Cell address_if(const std::optional<net::IpAddr>& given) { return given ? Cell(address(*given)) : Cell(); }
Cell truth_if(const std::optional<bool>& given) { return given ? Cell(truth(*given)) : Cell(); }
Cell ifindex_if_any(const Snapshot& all, const std::string& dev) {
  return dev.empty() ? Cell() : Cell(integer(all.ifindex(dev)));
}

// --- routes

/// RouteType of the MIB.
Value type_of(const config::IpRoute& route) {
  if (!route.nexthops.empty()) return integer(2);  // ecmp
  switch (route.type) {
    case config::RouteType::unicast:
    case config::RouteType::local: return integer(1);
    case config::RouteType::blackhole: return integer(3);
    case config::RouteType::anycast: return integer(4);
    case config::RouteType::multicast: return integer(5);
    case config::RouteType::broadcast: return integer(6);
    case config::RouteType::unreachable: return integer(7);
    case config::RouteType::prohibit: return integer(8);
    case config::RouteType::throw_: return integer(9);
    case config::RouteType::nat: return integer(10);
  }
  return integer(1);
}

template <auto Metric>
Cell metric(const Route& r) {
  const std::optional<config::RouteMetric>& given = r.config->*Metric;
  return given ? Cell(gauge32(given->value)) : Cell();
}
/// Of microseconds.
template <auto Metric>
Cell milliseconds(const Route& r) {
  const std::optional<config::RouteMetric>& given = r.config->*Metric;
  return given ? Cell(gauge32(given->value / 1000)) : Cell();
}
template <auto Metric>
Cell is_locked(const Route& r) {
  const std::optional<config::RouteMetric>& given = r.config->*Metric;
  return given ? Cell(truth(given->locked)) : Cell();
}

// What routes and next hops have in common: columns of encapsulation.
const config::Encap* encap_of(const Route& r) { return r.config->encap ? &*r.config->encap : nullptr; }
const config::Encap* encap_of(const Hop& h) { return h.config->encap ? &*h.config->encap : nullptr; }

bool is_tunnel(const config::Encap* encap) {
  return encap != nullptr && (encap->type == config::EncapType::ip || encap->type == config::EncapType::ip6);
}

template <typename Row>
Cell encap_type(const Row& row) {
  const config::Encap* encap = encap_of(row);
  if (encap == nullptr) return std::nullopt;
  switch (encap->type) {
    case config::EncapType::mpls: return integer(1);
    case config::EncapType::ip: return integer(2);
    case config::EncapType::ila: return integer(3);
    case config::EncapType::ip6: return integer(4);
  }
  return std::nullopt;
}
template <typename Row>
Cell encap_labels(const Row& row) {
  const config::Encap* encap = encap_of(row);
  if (encap == nullptr || encap->type != config::EncapType::mpls) return std::nullopt;
  std::string labels;
  for (const std::uint32_t label : encap->labels) labels += (labels.empty() ? "" : "/") + std::to_string(label);
  return text(std::move(labels));
}
template <typename Row>
Cell encap_id(const Row& row) {
  return is_tunnel(encap_of(row)) ? Cell(counter64(encap_of(row)->id)) : Cell();
}
template <typename Row>
Cell encap_destination(const Row& row) {
  return is_tunnel(encap_of(row)) ? address_if(encap_of(row)->destination) : Cell();
}
template <typename Row>
Cell encap_source(const Row& row) {
  return is_tunnel(encap_of(row)) ? address_if(encap_of(row)->source) : Cell();
}
template <typename Row>
Cell encap_tos(const Row& row) {
  return is_tunnel(encap_of(row)) ? gauge_if(encap_of(row)->traffic_class) : Cell();
}
template <typename Row>
Cell encap_ttl(const Row& row) {
  return is_tunnel(encap_of(row)) ? gauge_if(encap_of(row)->ttl) : Cell();
}
template <typename Row>
Cell encap_flags(const Row& row) {
  return is_tunnel(encap_of(row)) ? gauge_if(encap_of(row)->flags) : Cell();
}
/// Four groups of sixteen bits.
template <typename Row>
Cell encap_locator(const Row& row) {
  const config::Encap* encap = encap_of(row);
  if (encap == nullptr || encap->type != config::EncapType::ila) return std::nullopt;
  std::uint64_t locator = 0;
  const char* at = encap->locator.data();
  const char* const end = at + encap->locator.size();
  for (int group = 0; group < 4; ++group) {
    std::uint16_t bits = 0;
    at = std::from_chars(at, end, bits, 16).ptr;
    if (at != end) ++at;
    locator = locator << 16 | bits;
  }
  return counter64(locator);
}

constexpr std::array route_columns = {
    Column<Route>{2, [](const Route& r) -> Cell { return address_type(r.config->is_v6); }},
    Column<Route>{3, [](const Route& r) -> Cell { return address(r.config->destination.address); }},
    Column<Route>{4, [](const Route& r) -> Cell { return gauge32(r.config->destination.length); }},
    Column<Route>{5, [](const Route& r) { return address_if(r.config->via); }},
    Column<Route>{7, [](const Route& r) { return address_if(r.config->source); }},
    Column<Route>{8, [](const Route& r) -> Cell { return gauge32(r.config->metric.value_or(0)); }},
    Column<Route>{9, [](const Route& r) -> Cell { return scope_type(r.config->scope.value_or(0)); }},
    Column<Route>{10, [](const Route& r) -> Cell { return type_of(*r.config); }},
    Column<Route>{11, [](const Route& r) { return ifindex_if_any(*r.all, r.config->dev); }},
    Column<Route>{12, [](const Route& r) { return text_if_any(r.config->dev); }},
    Column<Route>{13, [](const Route& r) -> Cell { return gauge32(r.config->table); }},
    Column<Route>{14, [](const Route& r) -> Cell { return truth(r.is_set); }},
    Column<Route>{15, [](const Route& r) { return r.config->from ? Cell(address(r.config->from->address)) : Cell(); }},
    Column<Route>{16, [](const Route& r) { return r.config->from ? Cell(gauge32(r.config->from->length)) : Cell(); }},
    Column<Route>{17, [](const Route& r) { return gauge_if_any(r.config->tos); }},
    // The MIB counts from unspec(1), the kernel from 0.
    Column<Route>{18, [](const Route& r) -> Cell { return integer(r.config->protocol + 1); }},
    Column<Route>{19, [](const Route& r) -> Cell { return truth(r.config->ecn); }},
    Column<Route>{20, [](const Route& r) -> Cell { return truth(r.config->quickack.value_or(false)); }},
    Column<Route>{21, [](const Route& r) { return r.config->expires ? Cell(integer(*r.config->expires)) : Cell(); }},
    Column<Route>{22, metric<&config::IpRoute::mtu>},
    Column<Route>{23, is_locked<&config::IpRoute::mtu>},
    Column<Route>{24, [](const Route& r) { return gauge_if(r.config->hoplimit); }},
    Column<Route>{25, metric<&config::IpRoute::advmss>},
    Column<Route>{26, is_locked<&config::IpRoute::advmss>},
    Column<Route>{27, milliseconds<&config::IpRoute::rtt>},
    Column<Route>{28, is_locked<&config::IpRoute::rtt>},
    Column<Route>{29, milliseconds<&config::IpRoute::rttvar>},
    Column<Route>{30, is_locked<&config::IpRoute::rttvar>},
    Column<Route>{31, metric<&config::IpRoute::reordering>},
    Column<Route>{32, is_locked<&config::IpRoute::reordering>},
    Column<Route>{33, [](const Route& r) { return gauge_if(r.config->window); }},
    Column<Route>{34, metric<&config::IpRoute::cwnd>},
    Column<Route>{35, is_locked<&config::IpRoute::cwnd>},
    Column<Route>{36, metric<&config::IpRoute::ssthresh>},
    Column<Route>{37, is_locked<&config::IpRoute::ssthresh>},
    Column<Route>{38, milliseconds<&config::IpRoute::rto_min>},
    Column<Route>{39, is_locked<&config::IpRoute::rto_min>},
    Column<Route>{40, [](const Route& r) { return gauge_if(r.config->initcwnd); }},
    Column<Route>{41, [](const Route& r) { return gauge_if(r.config->initrwnd); }},
    Column<Route>{42, [](const Route& r) { return text_if_any(r.config->congctl); }},
    Column<Route>{
        43,
        [](const Route& r) { return r.config->preference ? Cell(integer(1 + int(*r.config->preference))) : Cell(); }},
    Column<Route>{44, [](const Route& r) { return gauge_if_any(r.config->realms.to); }},
    Column<Route>{45, [](const Route& r) { return gauge_if_any(r.config->realms.from); }},
    Column<Route>{46, encap_type<Route>},
    Column<Route>{47, encap_labels<Route>},
    Column<Route>{48, encap_id<Route>},
    Column<Route>{49, encap_destination<Route>},
    Column<Route>{50, encap_source<Route>},
    Column<Route>{51, encap_tos<Route>},
    Column<Route>{52, encap_ttl<Route>},
    Column<Route>{53, encap_flags<Route>},
    Column<Route>{54, encap_locator<Route>},
    Column<Route>{55, [](const Route& r) { return truth_if(r.config->fastopen_no_cookie); }},
};

constexpr std::array hop_columns = {
    Column<Hop>{2, [](const Hop& h) -> Cell { return address_type(h.config->via ? h.config->via->is_v6() : h.is_v6); }},
    Column<Hop>{3, [](const Hop& h) { return address_if(h.config->via); }},
    Column<Hop>{4, [](const Hop& h) { return ifindex_if_any(*h.all, h.config->dev); }},
    Column<Hop>{5, [](const Hop& h) { return text_if_any(h.config->dev); }},
    // keepalived has the weight as it was written, and none if none was.
    Column<Hop>{6,
                [](const Hop& h) -> Cell { return h.config->weight > 1 ? Cell(gauge32(h.config->weight)) : Cell(); }},
    Column<Hop>{7, [](const Hop& h) -> Cell { return truth(h.config->onlink); }},
    Column<Hop>{8, [](const Hop& h) { return gauge_if_any(h.config->realms.to); }},
    Column<Hop>{9, [](const Hop& h) { return gauge_if_any(h.config->realms.from); }},
    Column<Hop>{11, encap_labels<Hop>},
    Column<Hop>{12, encap_id<Hop>},
    Column<Hop>{13, encap_destination<Hop>},
    Column<Hop>{14, encap_source<Hop>},
    Column<Hop>{15, encap_tos<Hop>},
    Column<Hop>{16, encap_ttl<Hop>},
    Column<Hop>{17, encap_flags<Hop>},
    Column<Hop>{18, encap_locator<Hop>},
};

// --- rules

/// What the obsolete columns tell: one address where there may be two.
const config::Prefix* only_address(const Rule& r) {
  if (r.config->to) return &*r.config->to;
  return r.config->from ? &*r.config->from : nullptr;
}

std::string direction_of(const config::IpRule& rule) {
  if (rule.from && rule.to) return "both";
  if (rule.to) return "to";
  return rule.from ? "from" : "";
}

/// RuleAction of the MIB, which is the kernel's.
Value action_of(config::RuleAction action) {
  switch (action) {
    case config::RuleAction::table:
    case config::RuleAction::l3mdev: return integer(1);
    case config::RuleAction::go_to: return integer(2);
    case config::RuleAction::nop: return integer(3);
    case config::RuleAction::blackhole: return integer(6);
    case config::RuleAction::unreachable: return integer(7);
    case config::RuleAction::prohibit: return integer(8);
  }
  return integer(1);
}

Cell table_of(const Rule& r) {
  return r.config->action == config::RuleAction::table ? Cell(gauge32(r.config->table)) : Cell();
}

Cell type_if(const std::optional<config::Prefix>& prefix) {
  return prefix ? Cell(address_type(prefix->address)) : Cell();
}
Cell address_if(const std::optional<config::Prefix>& prefix) {
  return prefix ? Cell(address(prefix->address)) : Cell();
}
Cell length_if(const std::optional<config::Prefix>& prefix) { return prefix ? Cell(gauge32(prefix->length)) : Cell(); }

template <auto Ports>
Cell first_of(const Rule& r) {
  const auto& range = r.config->*Ports;
  return range ? Cell(gauge32(range->first)) : Cell();
}
template <auto Ports>
Cell last_of(const Rule& r) {
  const auto& range = r.config->*Ports;
  return range ? Cell(gauge32(range->last)) : Cell();
}

constexpr std::array rule_columns = {
    Column<Rule>{2, [](const Rule& r) -> Cell { return text(direction_of(*r.config)); }},
    Column<Rule>{3, [](const Rule& r) -> Cell { return address_type(r.config->is_v6); }},
    Column<Rule>{4, [](const Rule& r) { return only_address(r) ? Cell(address(only_address(r)->address)) : Cell(); }},
    Column<Rule>{5, [](const Rule& r) { return only_address(r) ? Cell(gauge32(only_address(r)->length)) : Cell(); }},
    Column<Rule>{6, table_of},
    Column<Rule>{7, [](const Rule& r) -> Cell { return truth(r.is_set); }},
    Column<Rule>{8, [](const Rule& r) -> Cell { return truth(r.config->inverted); }},
    Column<Rule>{9, [](const Rule& r) { return type_if(r.config->to); }},
    Column<Rule>{10, [](const Rule& r) { return address_if(r.config->to); }},
    Column<Rule>{11, [](const Rule& r) { return length_if(r.config->to); }},
    Column<Rule>{12, [](const Rule& r) { return type_if(r.config->from); }},
    Column<Rule>{13, [](const Rule& r) { return address_if(r.config->from); }},
    Column<Rule>{14, [](const Rule& r) { return length_if(r.config->from); }},
    Column<Rule>{15, [](const Rule& r) -> Cell { return gauge32(r.config->tos); }},
    Column<Rule>{16, [](const Rule& r) { return r.config->fwmark ? Cell(gauge32(r.config->fwmark->mark)) : Cell(); }},
    Column<Rule>{17, [](const Rule& r) { return r.config->fwmark ? Cell(gauge32(r.config->fwmark->mask)) : Cell(); }},
    Column<Rule>{18, [](const Rule& r) { return gauge_if_any(r.config->realms.to); }},
    Column<Rule>{19, [](const Rule& r) { return gauge_if_any(r.config->realms.from); }},
    Column<Rule>{20, [](const Rule& r) { return text_if_any(r.config->iif); }},
    Column<Rule>{21, [](const Rule& r) { return text_if_any(r.config->oif); }},
    Column<Rule>{22,
                 [](const Rule& r) {
                   return r.config->action == config::RuleAction::go_to ? Cell(gauge32(r.config->target)) : Cell();
                 }},
    Column<Rule>{23, [](const Rule& r) -> Cell { return action_of(r.config->action); }},
    Column<Rule>{24, table_of},
    Column<Rule>{25, [](const Rule& r) -> Cell { return gauge32(r.config->preference); }},
    Column<Rule>{26, [](const Rule& r) { return gauge_if(r.config->suppress_prefixlength); }},
    Column<Rule>{27,
                 [](const Rule& r) {
                   const auto& group = r.config->suppress_ifgroup;
                   return group ? Cell(text(std::to_string(*group))) : Cell();
                 }},
    Column<Rule>{
        28, [](const Rule& r) { return r.config->tunnel_id ? Cell(gauge32(*r.config->tunnel_id >> 32)) : Cell(); }},
    Column<Rule>{
        29, [](const Rule&
                   r) { return r.config->tunnel_id ? Cell(gauge32(std::uint32_t(*r.config->tunnel_id))) : Cell(); }},
    Column<Rule>{30, first_of<&config::IpRule::uids>},
    Column<Rule>{31, last_of<&config::IpRule::uids>},
    Column<Rule>{
        32, [](const Rule& r) { return r.config->action == config::RuleAction::l3mdev ? Cell(truth(true)) : Cell(); }},
    // keepalived 2.2.7 doesn't show those that follow.
    Column<Rule>{34, [](const Rule& r) { return gauge_if(r.config->ip_protocol); }},
    Column<Rule>{35, first_of<&config::IpRule::source_ports>},
    Column<Rule>{36, last_of<&config::IpRule::source_ports>},
    Column<Rule>{37, first_of<&config::IpRule::destination_ports>},
    Column<Rule>{38, last_of<&config::IpRule::destination_ports>},
};

}  // namespace

void add_routes(View& view, const Snapshot& snapshot) {
  std::vector<Indexed<Route>> routes;
  std::vector<Indexed<Hop>> hops;
  std::vector<Indexed<Rule>> rules;
  const auto add = [&](std::uint32_t instance, const std::vector<config::IpRoute>& its_routes,
                       const std::vector<config::IpRule>& its_rules, const HeldStatus& held) {
    for (std::uint32_t i = 0; i < its_routes.size(); ++i) {
      const config::IpRoute& route = its_routes[i];
      routes.push_back({{instance, i + 1}, {&snapshot, &route, i < held.routes.size() && held.routes[i]}});
      for (std::uint32_t h = 0; h < route.nexthops.size(); ++h) {
        hops.push_back({{instance, i + 1, h + 1}, {&snapshot, &route.nexthops[h], route.is_v6}});
      }
    }
    for (std::uint32_t i = 0; i < its_rules.size(); ++i) {
      rules.push_back({{instance, i + 1}, {&snapshot, &its_rules[i], i < held.rules.size() && held.rules[i]}});
    }
  };
  const config::StaticNetwork& fixed = snapshot.config->static_network;
  add(0, fixed.routes, fixed.rules, snapshot.vrrp.held_static);
  std::uint32_t instance = 0;
  for (const InstanceRow& row : instance_rows(snapshot)) {
    add(++instance, row.config->routes, row.config->rules, row.status->held);
  }
  view.add<Route>(keepalived_oid({2, 7, 1}), route_columns, std::move(routes));
  view.add<Rule>(keepalived_oid({2, 8, 1}), rule_columns, std::move(rules));
  view.add<Hop>(keepalived_oid({2, 11, 1}), hop_columns, std::move(hops));
}

}  // namespace sluice::control::snmp
