// KEEPALIVED-MIB::check: virtual server groups and their members, virtual servers, real servers with the sorry server
// first among them, LVS' synchronisation and time-outs.
#include <algorithm>
#include <array>

#include "control/snmp/mibs.h"

namespace sluice::control::snmp {

namespace {

using std::chrono::duration_cast;

Value seconds(config::Duration time) {
  return gauge32(std::uint64_t(duration_cast<std::chrono::seconds>(time).count()));
}
Value microseconds(config::Duration time) { return gauge32(std::uint64_t(time.count())); }
config::Duration or_none(const std::optional<config::Duration>& time) { return time.value_or(config::Duration{0}); }

// --- groups

using Group = const config::VirtualServerGroup*;
using Entry = const config::GroupEntry*;
using Form = config::GroupEntry::Form;

constexpr std::array group_columns = {
    Column<Group>{2, [](const Group& g) -> Cell { return text(g->name); }},
};

bool is_range(const Entry& e) { return e->form != Form::address && e->form != Form::fwmark; }

/// Of a network: with all host bits set.
net::IpAddr last_of(const Entry& e) {
  if (e->form != Form::network) return e->last;
  std::string bytes = address(e->first).octets;
  for (std::size_t bit = e->prefix_length; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = char(std::uint8_t(bytes[bit / 8]) | 0x80U >> bit % 8);
  }
  if (e->first.is_v6()) {
    net::Ipv6Addr last;
    std::copy(bytes.begin(), bytes.end(), last.bytes.begin());
    return last;
  }
  std::uint32_t host = 0;
  for (const char byte : bytes) host = host << 8 | std::uint8_t(byte);
  return net::Ipv4Addr::from_host(host);
}

constexpr std::array entry_columns = {
    // fwmark(1), ip(2), iprange(3)
    Column<Entry>{2, [](const Entry& e) -> Cell { return integer(e->form == Form::fwmark ? 1
                                                                 : is_range(e)           ? 3
                                                                                         : 2); }},
    Column<Entry>{3, [](const Entry& e) { return e->form == Form::fwmark ? Cell(gauge32(e->fwmark)) : Cell(); }},
    Column<Entry>{4, [](const Entry& e) { return e->form == Form::fwmark ? Cell() : Cell(address_type(e->first)); }},
    Column<Entry>{5, [](const Entry& e) { return e->form == Form::address ? Cell(address(e->first)) : Cell(); }},
    Column<Entry>{6, [](const Entry& e) { return is_range(e) ? Cell(address(e->first)) : Cell(); }},
    Column<Entry>{7, [](const Entry& e) { return is_range(e) ? Cell(address(last_of(e))) : Cell(); }},
    Column<Entry>{8, [](const Entry& e) { return e->form == Form::fwmark ? Cell() : Cell(gauge32(e->port.host())); }},
};

// --- what virtual and real servers have in common

/// nat(1), dr(2), tun(3)
Value method_of(const config::Forwarding& forwarding) {
  switch (forwarding.method) {
    case ForwardingMethod::nat: return integer(1);
    case ForwardingMethod::direct: return integer(2);
    case ForwardingMethod::tunnel: return integer(3);
  }
  return integer(1);
}
bool is_tunnel(const config::Forwarding& forwarding) { return forwarding.method == ForwardingMethod::tunnel; }

Cell tunnel_type(const config::Forwarding& f) { return is_tunnel(f) ? Cell(integer(1 + int(f.tunnel))) : Cell(); }
Cell tunnel_port(const config::Forwarding& f) {
  return is_tunnel(f) && f.tunnel == config::TunnelType::gue ? Cell(gauge32(f.port.host())) : Cell();
}
Cell tunnel_checksum(const config::Forwarding& f) {
  return is_tunnel(f) && f.tunnel != config::TunnelType::ipip ? Cell(integer(1 + int(f.checksum))) : Cell();
}

Value low(std::uint64_t number) { return gauge32(std::uint32_t(number)); }
Value high(std::uint64_t number) { return gauge32(number >> 32); }

// --- virtual servers

struct Service {
  const Snapshot* all;
  const ShownServer* shown;
};
const config::VirtualServer& of(const Service& s) { return *s.shown->config; }
const Traffic& traffic(const Service& s) { return s.shown->traffic; }
using Kind = config::VirtualServerKind;

/// IPv4 unless something says otherwise.
bool is_v6(const Service& s) {
  const config::VirtualServer& server = of(s);
  if (server.ip_family) return *server.ip_family == config::Family::v6;
  return server.kind == Kind::group ? !server.real_servers.empty() && server.real_servers.front().address.is_v6()
                                    : server.key.address.is_v6();
}

/// Of LoadBalancingAlgo.
Value algorithm_of(const config::VirtualServer& server) {
  constexpr std::array<std::string_view, 14> names = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",
                                                      "sh", "sed", "nq", "fo",  "ovf",  "mh",    "twos"};
  const auto* found = std::ranges::find(names, server.scheduler.value);
  return integer(found == names.end() ? 99 : found - names.begin() + 1);
}

// The flags of sh and of mh are the same bits of LVS, so that keepalived shows both as set.
bool has_fallback(const config::VirtualServer& v) { return v.sh_fallback || v.mh_fallback || v.flag_1; }
bool has_port(const config::VirtualServer& v) { return v.sh_port || v.mh_port || v.flag_2; }

std::uint64_t servers_up(const Service& s) {
  return std::uint64_t(std::ranges::count_if(
      s.shown->servers, [](const RealServerStatus* server) { return server != nullptr && server->up; }));
}

Cell granularity4(const Service& s) {
  if (is_v6(s)) return std::nullopt;
  const auto& granularity = of(s).persistence_granularity;
  const auto* mask = granularity ? std::get_if<net::Ipv4Addr>(&*granularity) : nullptr;
  return address(mask != nullptr ? *mask : net::Ipv4Addr::of(255, 255, 255, 255));
}

Cell granularity6(const Service& s) {
  if (!is_v6(s)) return std::nullopt;
  const auto& granularity = of(s).persistence_granularity;
  const auto* length = granularity ? std::get_if<unsigned>(&*granularity) : nullptr;
  return gauge32(length != nullptr ? *length : 128);
}

constexpr std::array service_columns = {
    // fwmark(1), ip(2), group(3)
    Column<Service>{2,
                    [](const Service& s) -> Cell {
                      return integer(of(s).kind == Kind::fwmark ? 1 : of(s).kind == Kind::address ? 2 : 3);
                    }},
    Column<Service>{3, [](const Service& s) { return of(s).kind == Kind::group ? Cell(text(of(s).group)) : Cell(); }},
    Column<Service>{4,
                    [](const Service& s) { return of(s).kind == Kind::fwmark ? Cell(gauge32(of(s).fwmark)) : Cell(); }},
    Column<Service>{5, [](const Service& s) -> Cell { return address_type(is_v6(s)); }},
    Column<Service>{
        6, [](const Service& s) { return of(s).kind == Kind::address ? Cell(address(of(s).key.address)) : Cell(); }},
    Column<Service>{
        7,
        [](const Service& s) { return of(s).kind == Kind::address ? Cell(gauge32(of(s).key.port.host())) : Cell(); }},
    // tcp(1), udp(2), sctp(3)
    Column<Service>{8,
                    [](const Service& s) -> Cell {
                      if (of(s).kind == Kind::fwmark || !of(s).has_protocol) return std::nullopt;
                      switch (of(s).key.protocol) {
                        case net::Protocol::tcp: return integer(1);
                        case net::Protocol::udp: return integer(2);
                        default: return integer(3);
                      }
                    }},
    Column<Service>{9, [](const Service& s) -> Cell { return algorithm_of(of(s)); }},
    Column<Service>{10, [](const Service& s) -> Cell { return method_of(of(s).forwarding.value); }},
    // alive(1), dead(2): whether it is in the table, not whether it has servers.
    Column<Service>{11, [](const Service& s) -> Cell { return truth(s.shown->pool != nullptr); }},
    Column<Service>{12, [](const Service& s) { return text_if_any(of(s).virtualhost.value.str()); }},
    Column<Service>{13, [](const Service& s) -> Cell { return truth(of(s).persistence_timeout.count() > 0); }},
    Column<Service>{14,
                    [](const Service& s) {
                      const auto timeout = std::uint64_t(of(s).persistence_timeout.count());
                      return timeout > 0 ? Cell(gauge32(timeout)) : Cell();
                    }},
    Column<Service>{15, granularity4},
    Column<Service>{16, [](const Service& s) -> Cell { return seconds(of(s).delay_loop); }},
    Column<Service>{17, [](const Service& s) -> Cell { return truth(of(s).ha_suspend); }},
    Column<Service>{18, [](const Service& s) -> Cell { return truth(bool(of(s).alpha)); }},
    Column<Service>{19, [](const Service& s) -> Cell { return truth(of(s).omega); }},
    Column<Service>{20, [](const Service& s) -> Cell { return gauge32(of(s).real_servers.size()); }},
    Column<Service>{21, [](const Service& s) -> Cell { return gauge32(servers_up(s)); }},
    Column<Service>{22, [](const Service& s) -> Cell { return gauge32(of(s).quorum); }},
    // met(1), notMet(2)
    Column<Service>{
        23, [](const Service& s) -> Cell { return truth(s.shown->pool != nullptr && s.shown->pool->has_quorum); }},
    Column<Service>{24, [](const Service& s) { return script_text(*s.all, of(s).quorum_up.get()); }},
    Column<Service>{25, [](const Service& s) { return script_text(*s.all, of(s).quorum_down.get()); }},
    Column<Service>{26, [](const Service& s) -> Cell { return gauge32(of(s).hysteresis); }},
    Column<Service>{27, [](const Service& s) -> Cell { return gauge32(traffic(s).counters.connections); }},
    Column<Service>{28, [](const Service& s) -> Cell { return counter32(traffic(s).counters.in_packets); }},
    Column<Service>{29, [](const Service& s) -> Cell { return counter32(traffic(s).counters.out_packets); }},
    Column<Service>{30, [](const Service& s) -> Cell { return counter64(traffic(s).counters.in_bytes); }},
    Column<Service>{31, [](const Service& s) -> Cell { return counter64(traffic(s).counters.out_bytes); }},
    Column<Service>{32, [](const Service& s) -> Cell { return gauge32(traffic(s).rates.connections); }},
    Column<Service>{33, [](const Service& s) -> Cell { return gauge32(traffic(s).rates.in_packets); }},
    Column<Service>{34, [](const Service& s) -> Cell { return gauge32(traffic(s).rates.out_packets); }},
    Column<Service>{35, [](const Service& s) -> Cell { return gauge32(traffic(s).rates.in_bytes); }},
    Column<Service>{36, [](const Service& s) -> Cell { return gauge32(traffic(s).rates.out_bytes); }},
    Column<Service>{37, [](const Service& s) -> Cell { return truth(of(s).ops); }},
    Column<Service>{38, [](const Service& s) -> Cell { return counter64(traffic(s).counters.connections); }},
    Column<Service>{39, [](const Service& s) -> Cell { return counter64(traffic(s).counters.in_packets); }},
    Column<Service>{40, [](const Service& s) -> Cell { return counter64(traffic(s).counters.out_packets); }},
    Column<Service>{41, [](const Service& s) -> Cell { return low(traffic(s).rates.connections); }},
    Column<Service>{42, [](const Service& s) -> Cell { return high(traffic(s).rates.connections); }},
    Column<Service>{43, [](const Service& s) -> Cell { return low(traffic(s).rates.in_packets); }},
    Column<Service>{44, [](const Service& s) -> Cell { return high(traffic(s).rates.in_packets); }},
    Column<Service>{45, [](const Service& s) -> Cell { return low(traffic(s).rates.out_packets); }},
    Column<Service>{46, [](const Service& s) -> Cell { return high(traffic(s).rates.out_packets); }},
    Column<Service>{47, [](const Service& s) -> Cell { return low(traffic(s).rates.in_bytes); }},
    Column<Service>{48, [](const Service& s) -> Cell { return high(traffic(s).rates.in_bytes); }},
    Column<Service>{49, [](const Service& s) -> Cell { return low(traffic(s).rates.out_bytes); }},
    Column<Service>{50, [](const Service& s) -> Cell { return high(traffic(s).rates.out_bytes); }},
    Column<Service>{51, granularity6},
    Column<Service>{52, [](const Service& s) -> Cell { return truth(of(s).hashed); }},
    Column<Service>{53, [](const Service& s) -> Cell { return truth(has_fallback(of(s))); }},
    Column<Service>{54, [](const Service& s) -> Cell { return truth(has_port(of(s))); }},
    Column<Service>{55, [](const Service& s) -> Cell { return truth(of(s).flag_3); }},
    // remove(1), inhibit(2)
    Column<Service>{56, [](const Service& s) -> Cell { return truth(!of(s).inhibit_on_failure); }},
    Column<Service>{57, [](const Service& s) -> Cell { return gauge32(of(s).retry.value_or(0)); }},
    Column<Service>{58, [](const Service& s) -> Cell { return seconds(or_none(of(s).delay_before_retry)); }},
    Column<Service>{59, [](const Service& s) -> Cell { return seconds(or_none(of(s).warmup)); }},
    Column<Service>{60, [](const Service& s) -> Cell { return integer(of(s).weight); }},
    Column<Service>{61, [](const Service& s) -> Cell { return truth(bool(of(s).smtp_alert)); }},
    Column<Service>{62, [](const Service& s) -> Cell { return truth(has_fallback(of(s))); }},
    Column<Service>{63, [](const Service& s) -> Cell { return truth(has_port(of(s))); }},
    Column<Service>{64, [](const Service& s) -> Cell { return microseconds(of(s).delay_loop); }},
    Column<Service>{65, [](const Service& s) -> Cell { return microseconds(or_none(of(s).delay_before_retry)); }},
    Column<Service>{66, [](const Service& s) -> Cell { return microseconds(or_none(of(s).warmup)); }},
    Column<Service>{67, [](const Service& s) -> Cell { return microseconds(of(s).connect_timeout); }},
    Column<Service>{68, [](const Service& s) { return tunnel_type(of(s).forwarding.value); }},
    Column<Service>{69, [](const Service& s) { return tunnel_port(of(s).forwarding.value); }},
    Column<Service>{70, [](const Service& s) { return tunnel_checksum(of(s).forwarding.value); }},
    Column<Service>{71, [](const Service& s) { return text_if_any(of(s).snmp_name.str()); }},
};

// --- real servers

/// A real server, or the sorry server, of which there are fewer columns; keepalived shows 0 and disabled(2) for what
/// only checked servers have.
struct Server {
  const Snapshot* all;
  const config::RealServer* config;  ///< null: the sorry server
  const config::SorryServer* sorry;  ///< null: a real server
  const RealServerStatus* status;    ///< null: not served
  const Traffic* traffic;
};

const config::Forwarding& forwarding(const Server& s) {
  return s.config != nullptr ? s.config->forwarding.value : s.sorry->forwarding;
}
const net::IpAddr& address_of(const Server& s) {
  return s.config != nullptr ? s.config->address : s.sorry->endpoint.address;
}

/// What it is tried with, whatever keeps it out of the table now.
std::int64_t weight_of(const Server& s) {
  if (s.status == nullptr) return s.config->weight;
  if (s.status->set_weight) return *s.status->set_weight;
  if (s.status->up && s.status->in_table && s.status->table_weight > 0) return s.status->table_weight;
  return s.status->destination.weight;
}

std::uint64_t failed_checks(const Server& s) {
  if (s.status == nullptr) return 0;
  return std::uint64_t(
      std::ranges::count_if(s.status->checkers, [](const CheckerStatus& checker) { return !checker.up; }));
}

template <auto Member>
Cell time_in_seconds(const Server& s) {
  if (s.config == nullptr) return gauge32(0);
  const std::optional<config::Duration> time = s.config->*Member;
  return seconds(or_none(time));
}
template <auto Member>
Cell time_in_microseconds(const Server& s) {
  if (s.config == nullptr) return gauge32(0);
  const std::optional<config::Duration> time = s.config->*Member;
  return microseconds(or_none(time));
}

Cell limit(std::uint32_t connections) { return connections > 0 ? Cell(gauge32(connections)) : Cell(); }

using C = config::RealServer;

constexpr std::array server_columns = {
    Column<Server>{2, [](const Server& s) -> Cell { return truth(s.config != nullptr); }},  // regular(1), sorry(2)
    Column<Server>{3, [](const Server& s) -> Cell { return address_type(address_of(s)); }},
    Column<Server>{4, [](const Server& s) -> Cell { return address(address_of(s)); }},
    Column<Server>{5,
                   [](const Server& s) -> Cell {
                     return gauge32((s.config != nullptr ? s.config->port : s.sorry->endpoint.port).host());
                   }},
    Column<Server>{6,
                   [](const Server& s) {
                     return s.config != nullptr ? Cell(truth(s.status != nullptr && s.status->up)) : Cell();
                   }},
    Column<Server>{7, [](const Server& s) { return s.config != nullptr ? Cell(integer(weight_of(s))) : Cell(); }},
    Column<Server>{8, [](const Server& s) { return s.config != nullptr ? limit(s.config->upper_threshold) : Cell(); }},
    Column<Server>{9, [](const Server& s) { return s.config != nullptr ? limit(s.config->lower_threshold) : Cell(); }},
    Column<Server>{10,
                   [](const Server& s) {
                     return s.config != nullptr ? Cell(truth(!s.config->inhibit_on_failure.value)) : Cell();
                   }},
    Column<Server>{11,
                   [](const Server& s) {
                     return s.config != nullptr ? script_text(*s.all, s.config->notify_up.get()) : Cell();
                   }},
    Column<Server>{12,
                   [](const Server& s) {
                     return s.config != nullptr ? script_text(*s.all, s.config->notify_down.get()) : Cell();
                   }},
    Column<Server>{13, [](const Server& s) { return s.config != nullptr ? Cell(gauge32(failed_checks(s))) : Cell(); }},
    Column<Server>{14, [](const Server& s) -> Cell { return gauge32(s.traffic->counters.connections); }},
    Column<Server>{15, [](const Server& s) -> Cell { return gauge32(s.traffic->active); }},
    Column<Server>{16, [](const Server& s) -> Cell { return gauge32(s.traffic->inactive); }},
    Column<Server>{17, [](const Server&) -> Cell { return gauge32(0); }},  // persistent
    Column<Server>{18, [](const Server& s) -> Cell { return counter32(s.traffic->counters.in_packets); }},
    Column<Server>{19, [](const Server& s) -> Cell { return counter32(s.traffic->counters.out_packets); }},
    Column<Server>{20, [](const Server& s) -> Cell { return counter64(s.traffic->counters.in_bytes); }},
    Column<Server>{21, [](const Server& s) -> Cell { return counter64(s.traffic->counters.out_bytes); }},
    Column<Server>{22, [](const Server& s) -> Cell { return gauge32(s.traffic->rates.connections); }},
    Column<Server>{23, [](const Server& s) -> Cell { return gauge32(s.traffic->rates.in_packets); }},
    Column<Server>{24, [](const Server& s) -> Cell { return gauge32(s.traffic->rates.out_packets); }},
    Column<Server>{25, [](const Server& s) -> Cell { return gauge32(s.traffic->rates.in_bytes); }},
    Column<Server>{26, [](const Server& s) -> Cell { return gauge32(s.traffic->rates.out_bytes); }},
    Column<Server>{27, [](const Server& s) -> Cell { return counter64(s.traffic->counters.connections); }},
    Column<Server>{28, [](const Server& s) -> Cell { return counter64(s.traffic->counters.in_packets); }},
    Column<Server>{29, [](const Server& s) -> Cell { return counter64(s.traffic->counters.out_packets); }},
    Column<Server>{30, [](const Server& s) -> Cell { return low(s.traffic->rates.connections); }},
    Column<Server>{31, [](const Server& s) -> Cell { return high(s.traffic->rates.connections); }},
    Column<Server>{32, [](const Server& s) -> Cell { return low(s.traffic->rates.in_packets); }},
    Column<Server>{33, [](const Server& s) -> Cell { return high(s.traffic->rates.in_packets); }},
    Column<Server>{34, [](const Server& s) -> Cell { return low(s.traffic->rates.out_packets); }},
    Column<Server>{35, [](const Server& s) -> Cell { return high(s.traffic->rates.out_packets); }},
    Column<Server>{36, [](const Server& s) -> Cell { return low(s.traffic->rates.in_bytes); }},
    Column<Server>{37, [](const Server& s) -> Cell { return high(s.traffic->rates.in_bytes); }},
    Column<Server>{38, [](const Server& s) -> Cell { return low(s.traffic->rates.out_bytes); }},
    Column<Server>{39, [](const Server& s) -> Cell { return high(s.traffic->rates.out_bytes); }},
    Column<Server>{40, [](const Server& s) -> Cell { return method_of(forwarding(s)); }},
    // Its own, not the virtual server's.
    Column<Server>{41,
                   [](const Server& s) {
                     const bool own = s.config != nullptr && s.config->virtualhost.written;
                     return own ? text_if_any(s.config->virtualhost.value.str()) : Cell();
                   }},
    Column<Server>{42, [](const Server& s) -> Cell { return truth(s.config != nullptr && s.config->alpha); }},
    Column<Server>{43,
                   [](const Server& s) -> Cell { return gauge32(s.config != nullptr ? s.config->retry.value_or(0) : 0); }},
    Column<Server>{44, time_in_seconds<&C::delay_before_retry>},
    Column<Server>{45, time_in_seconds<&C::warmup>},
    Column<Server>{46, time_in_seconds<&C::delay_loop>},
    Column<Server>{47, [](const Server& s) -> Cell { return truth(s.config != nullptr && s.config->smtp_alert); }},
    Column<Server>{48, time_in_microseconds<&C::delay_before_retry>},
    Column<Server>{49, time_in_microseconds<&C::warmup>},
    Column<Server>{50, time_in_microseconds<&C::delay_loop>},
    Column<Server>{51, time_in_microseconds<&C::connect_timeout>},
    Column<Server>{52, [](const Server& s) { return tunnel_type(forwarding(s)); }},
    Column<Server>{53, [](const Server& s) { return tunnel_port(forwarding(s)); }},
    Column<Server>{54, [](const Server& s) { return tunnel_checksum(forwarding(s)); }},
    Column<Server>{55,
                   [](const Server& s) { return s.config != nullptr ? text_if_any(s.config->snmp_name.str()) : Cell(); }},
};

// --- LVS

using Row = const config::LvsSettings*;

constexpr net::Ipv4Addr sync_group_default = net::Ipv4Addr::of(224, 0, 0, 81);
net::IpAddr sync_group(const Row& r) { return r->sync_daemon->group.value_or(net::IpAddr(sync_group_default)); }

constexpr std::array sync_columns = {
    Column<Row>{1, [](const Row& r) -> Cell { return truth(r->sync_daemon.has_value()); }},
    Column<Row>{2, [](const Row& r) { return r->sync_daemon ? Cell(text(r->sync_daemon->interface)) : Cell(); }},
    Column<Row>{3, [](const Row& r) { return r->sync_daemon ? text_if_any(r->sync_daemon->vrrp_instance) : Cell(); }},
    Column<Row>{
        4, [](const Row& r) { return r->sync_daemon ? Cell(integer(r->sync_daemon->sync_id.value_or(0))) : Cell(); }},
    Column<Row>{
        5, [](const Row& r) { return r->sync_daemon ? Cell(integer(r->sync_daemon->bytes_max.value_or(0))) : Cell(); }},
    Column<Row>{6, [](const Row& r) { return r->sync_daemon ? Cell(integer(r->sync_daemon->port)) : Cell(); }},
    Column<Row>{7,
                [](const Row& r) { return r->sync_daemon ? Cell(integer(r->sync_daemon->ttl.value_or(0))) : Cell(); }},
    Column<Row>{8, [](const Row& r) { return r->sync_daemon ? Cell(address_type(sync_group(r))) : Cell(); }},
    Column<Row>{9, [](const Row& r) { return r->sync_daemon ? Cell(address(sync_group(r))) : Cell(); }},
};

Cell timeout(const std::optional<std::chrono::seconds>& time) { return time ? Cell(integer(time->count())) : Cell(); }

constexpr std::array timeout_columns = {
    Column<Row>{1, [](const Row& r) { return timeout(r->timeouts.tcp); }},
    Column<Row>{2, [](const Row& r) { return timeout(r->timeouts.tcp_fin); }},
    Column<Row>{3, [](const Row& r) { return timeout(r->timeouts.udp); }},
};

}  // namespace

void add_check(View& view, const Snapshot& snapshot) {
  std::vector<Indexed<Group>> groups;
  std::vector<Indexed<Entry>> entries;
  for (const config::VirtualServerGroup& group : snapshot.config->virtual_server_groups) {
    const auto number = std::uint32_t(groups.size()) + 1;
    groups.push_back({{number}, &group});
    // keepalived has three lists, one after the other.
    std::uint32_t entry_number = 0;
    const auto add = [&](auto&& belongs) {
      for (const config::GroupEntry& entry : group.entries) {
        if (belongs(&entry)) entries.push_back({{number, ++entry_number}, &entry});
      }
    };
    add([](Entry e) { return e->form == Form::fwmark; });
    add([](Entry e) { return e->form == Form::address; });
    add([](Entry e) { return is_range(e); });
  }
  view.add<Group>(keepalived_oid({3, 1, 1}), group_columns, std::move(groups));
  view.add<Entry>(keepalived_oid({3, 2, 1}), entry_columns, std::move(entries));

  std::vector<Indexed<Service>> services;
  std::vector<Indexed<Server>> servers;
  for (const ShownServer& shown : snapshot.servers) {
    const auto number = std::uint32_t(services.size()) + 1;
    services.push_back({{number}, {&snapshot, &shown}});
    std::uint32_t server = 0;
    if (const config::SorryServer* sorry = shown.config->sorry_server.get()) {
      servers.push_back({{number, ++server}, {&snapshot, nullptr, sorry, nullptr, &shown.sorry_traffic}});
    }
    for (std::size_t i = 0; i < shown.servers.size(); ++i) {
      servers.push_back(
          {{number, ++server},
           {&snapshot, &shown.config->real_servers[i], nullptr, shown.servers[i], &shown.servers_traffic[i]}});
    }
  }
  view.add<Service>(keepalived_oid({3, 3, 1}), service_columns, std::move(services));
  view.add<Server>(keepalived_oid({3, 4, 1}), server_columns, std::move(servers));
  view.add_scalars<Row>(keepalived_oid({3, 6}), sync_columns, &snapshot.config->global.lvs);
  view.add_scalars<Row>(keepalived_oid({3, 7}), timeout_columns, &snapshot.config->global.lvs);
}

}  // namespace sluice::control::snmp
