#include "control/vrrp/route_requests.h"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/ila.h>
#include <linux/lwtunnel.h>
#include <linux/mpls_iptunnel.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <charconv>

#include "control/netlink/request.h"
#include "net/byte_order.h"

namespace sluice::control {

namespace {

// The kernel's units (RTAX_*): eighths and quarters of a millisecond, as its TCP once kept them.
constexpr std::uint32_t rtt_units(std::uint32_t microseconds) { return std::uint32_t(microseconds * 8ull / 1000); }
constexpr std::uint32_t rttvar_units(std::uint32_t microseconds) { return std::uint32_t(microseconds * 4ull / 1000); }
constexpr std::uint32_t feature_ecn = 1;

using netlink::Request;

constexpr std::size_t route_room = 16'384;  // more nexthops than anybody has

std::uint8_t family_of(bool is_v6) { return is_v6 ? AF_INET6 : AF_INET; }

unsigned char type_of(config::RouteType type) {
  switch (type) {
    case config::RouteType::unicast: return RTN_UNICAST;
    case config::RouteType::local: return RTN_LOCAL;
    case config::RouteType::broadcast: return RTN_BROADCAST;
    case config::RouteType::anycast: return RTN_ANYCAST;
    case config::RouteType::multicast: return RTN_MULTICAST;
    case config::RouteType::blackhole: return RTN_BLACKHOLE;
    case config::RouteType::unreachable: return RTN_UNREACHABLE;
    case config::RouteType::prohibit: return RTN_PROHIBIT;
    case config::RouteType::throw_: return RTN_THROW;
    case config::RouteType::nat: return RTN_NAT;
  }
  return RTN_UNICAST;
}

/// iproute2's: where the way is known to be short.
unsigned char scope_of(const config::IpRoute& route) {
  if (route.scope) return std::uint8_t(*route.scope);
  if (route.is_v6) return RT_SCOPE_UNIVERSE;
  using config::RouteType;
  if (route.type == RouteType::local || route.type == RouteType::nat) return RT_SCOPE_HOST;
  const bool is_broadcast =
      route.type == RouteType::broadcast || route.type == RouteType::multicast || route.type == RouteType::anycast;
  const bool is_direct = route.type == RouteType::unicast && !route.via && route.nexthops.empty();
  return is_broadcast || is_direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

int flags_of(const config::IpRoute& route) {
  switch (route.place) {
    case config::RoutePlace::prepend: return NLM_F_CREATE;
    case config::RoutePlace::append: return NLM_F_CREATE | NLM_F_APPEND;
    case config::RoutePlace::add: return NLM_F_CREATE | NLM_F_EXCL;
  }
  return NLM_F_CREATE;
}

void put_gateway(Request& request, const net::IpAddr& via, bool is_v6) {
  if (via.is_v6() == is_v6) return request.put(RTA_GATEWAY, via);
  // A gateway of the other family (RFC 5549).
  std::array<std::uint8_t, sizeof(rtvia) + 16> bytes{};
  rtvia head{};
  head.rtvia_family = family_of(via.is_v6());
  net::store(bytes.data(), head.rtvia_family);
  if (via.is_v4()) {
    net::store(bytes.data() + offsetof(rtvia, rtvia_addr), via.v4());
  } else {
    net::store(bytes.data() + offsetof(rtvia, rtvia_addr), via.v6());
  }
  request.put_bytes(RTA_VIA, bytes.data(), offsetof(rtvia, rtvia_addr) + (via.is_v4() ? 4 : 16));
}

void put_metrics(Request& request, const config::IpRoute& route) {
  std::uint32_t locked = 0;
  const auto put = [&](int metric, const std::optional<config::RouteMetric>& value,
                       std::uint32_t (*units)(std::uint32_t) = nullptr) {
    if (!value) return;
    if (value->locked) locked |= 1u << metric;
    request.put(metric, units != nullptr ? units(value->value) : value->value);
  };
  const auto plain = [&](int metric, const auto& value) {
    if (value) request.put(metric, std::uint32_t(*value));
  };
  // The kernel looks at it only where it is locked.
  if (route.rto_min) locked |= 1u << RTAX_RTO_MIN;
  request.nest(RTA_METRICS, [&] {
    put(RTAX_MTU, route.mtu);
    put(RTAX_ADVMSS, route.advmss);
    put(RTAX_RTT, route.rtt, rtt_units);
    put(RTAX_RTTVAR, route.rttvar, rttvar_units);
    put(RTAX_RTO_MIN, route.rto_min, [](std::uint32_t microseconds) { return microseconds / 1000; });
    put(RTAX_REORDERING, route.reordering);
    put(RTAX_CWND, route.cwnd);
    put(RTAX_SSTHRESH, route.ssthresh);
    plain(RTAX_HOPLIMIT, route.hoplimit);
    plain(RTAX_WINDOW, route.window);
    plain(RTAX_INITCWND, route.initcwnd);
    plain(RTAX_INITRWND, route.initrwnd);
    plain(RTAX_QUICKACK, route.quickack);
    plain(RTAX_FASTOPEN_NO_COOKIE, route.fastopen_no_cookie);
    if (route.ecn) request.put(RTAX_FEATURES, feature_ecn);
    if (!route.congctl.empty()) {
      if (route.congctl_locked) locked |= 1u << RTAX_CC_ALGO;
      request.put_text(RTAX_CC_ALGO, route.congctl);
    }
    if (locked != 0) request.put(RTAX_LOCK, locked);
  });
}

bool has_metrics(const config::IpRoute& route) {
  return route.mtu || route.advmss || route.rtt || route.rttvar || route.rto_min || route.reordering || route.cwnd ||
         route.ssthresh || route.hoplimit || route.window || route.initcwnd || route.initrwnd || route.quickack ||
         route.fastopen_no_cookie || route.ecn || !route.congctl.empty();
}

void put_mpls(Request& request, const config::Encap& encap) {
  std::vector<net::Be32> labels;
  for (std::size_t i = 0; i < encap.labels.size(); ++i) {
    const bool is_last = i + 1 == encap.labels.size();
    labels.push_back(net::Be32(encap.labels[i] << 12 | (is_last ? 0x100u : 0u)));  // bottom of stack (RFC 3032)
  }
  request.put_bytes(MPLS_IPTUNNEL_DST, labels.data(), labels.size() * sizeof(net::Be32));
}

void put_ip_tunnel(Request& request, const config::Encap& encap) {
  const bool is_v6 = encap.type == config::EncapType::ip6;
  if (encap.id != 0)
    request.put(is_v6 ? int(LWTUNNEL_IP6_ID) : int(LWTUNNEL_IP_ID), net::BigEndian<std::uint64_t>(encap.id));
  if (encap.destination) request.put(is_v6 ? int(LWTUNNEL_IP6_DST) : int(LWTUNNEL_IP_DST), *encap.destination);
  if (encap.source) request.put(is_v6 ? int(LWTUNNEL_IP6_SRC) : int(LWTUNNEL_IP_SRC), *encap.source);
  if (encap.ttl) request.put(is_v6 ? int(LWTUNNEL_IP6_HOPLIMIT) : int(LWTUNNEL_IP_TTL), std::uint8_t(*encap.ttl));
  if (encap.traffic_class)
    request.put(is_v6 ? int(LWTUNNEL_IP6_TC) : int(LWTUNNEL_IP_TOS), std::uint8_t(*encap.traffic_class));
  if (encap.flags)
    request.put(is_v6 ? int(LWTUNNEL_IP6_FLAGS) : int(LWTUNNEL_IP_FLAGS), net::Be16(std::uint16_t(*encap.flags)));
}

void put_locator(Request& request, const std::string& locator) {
  std::uint64_t value = 0;
  const char* at = locator.data();
  const char* const end = at + locator.size();
  while (at < end) {
    std::uint16_t group = 0;
    at = std::from_chars(at, end, group, 16).ptr + 1;
    value = value << 16 | group;
  }
  request.put(ILA_ATTR_LOCATOR, net::BigEndian<std::uint64_t>(value));
}

void put_encap(Request& request, const config::Encap& encap) {
  using config::EncapType;
  const std::uint16_t type = encap.type == EncapType::mpls  ? LWTUNNEL_ENCAP_MPLS
                             : encap.type == EncapType::ip  ? LWTUNNEL_ENCAP_IP
                             : encap.type == EncapType::ip6 ? LWTUNNEL_ENCAP_IP6
                                                            : LWTUNNEL_ENCAP_ILA;
  request.nest(RTA_ENCAP, [&] {
    if (encap.type == EncapType::mpls) return put_mpls(request, encap);
    if (encap.type == EncapType::ila) return put_locator(request, encap.locator);
    put_ip_tunnel(request, encap);
  });
  request.put(RTA_ENCAP_TYPE, type);
}

Result<> put_nexthops(Request& request, const config::IpRoute& route, const IndexOf& index_of) {
  Result<> result;
  request.nest(RTA_MULTIPATH, [&] {
    for (const config::Nexthop& hop : route.nexthops) {
      const int index = hop.dev.empty() ? 0 : index_of(hop.dev);
      if (!hop.dev.empty() && index == 0) result = fail(route.position.text(), fmt::format("{} isn't there", hop.dev));
      nl_msg* raw = request.raw();
      rtnexthop head{};
      head.rtnh_flags = hop.onlink ? RTNH_F_ONLINK : 0;
      head.rtnh_hops = std::uint8_t(hop.weight - 1);
      head.rtnh_ifindex = index;
      const auto offset = nlmsg_hdr(raw)->nlmsg_len;
      nlmsg_append(raw, &head, sizeof head, RTNH_ALIGNTO);
      if (hop.via) put_gateway(request, *hop.via, route.is_v6);
      if (hop.realms.to != 0) request.put(RTA_FLOW, std::uint32_t(hop.realms.from << 16 | hop.realms.to));
      if (hop.encap) put_encap(request, *hop.encap);
      auto* written = reinterpret_cast<rtnexthop*>(reinterpret_cast<std::uint8_t*>(nlmsg_hdr(raw)) + offset);
      written->rtnh_len = std::uint16_t(nlmsg_hdr(raw)->nlmsg_len - offset);
    }
  });
  return result;
}

Result<netlink::Bytes> route_request(std::uint16_t type, int flags, const config::IpRoute& route,
                                     const IndexOf& index_of) {
  Request request(type, flags, route_room);
  rtmsg header{};
  header.rtm_family = family_of(route.is_v6);
  header.rtm_dst_len = std::uint8_t(route.destination.length);
  header.rtm_src_len = route.from ? std::uint8_t(route.from->length) : 0;
  header.rtm_tos = std::uint8_t(route.tos);
  header.rtm_table = route.table < 256 ? std::uint8_t(route.table) : std::uint8_t(RT_TABLE_UNSPEC);
  header.rtm_protocol = std::uint8_t(route.protocol);
  header.rtm_scope = scope_of(route);
  header.rtm_type = type_of(route.type);
  header.rtm_flags = route.onlink ? unsigned(RTNH_F_ONLINK) : 0u;
  request.header(header);
  if (route.destination.length > 0) request.put(RTA_DST, route.destination.address);
  if (route.from) request.put(RTA_SRC, route.from->address);
  if (route.source) request.put(RTA_PREFSRC, *route.source);
  if (route.via) put_gateway(request, *route.via, route.is_v6);
  if (!route.dev.empty()) {
    const int index = index_of(route.dev);
    if (index == 0) return fail(route.position.text(), fmt::format("{} isn't there", route.dev));
    request.put(RTA_OIF, std::uint32_t(index));
  }
  request.put(RTA_TABLE, route.table);
  if (route.metric) request.put(RTA_PRIORITY, *route.metric);
  if (has_metrics(route)) put_metrics(request, route);
  if (route.realms.to != 0) request.put(RTA_FLOW, std::uint32_t(route.realms.from << 16 | route.realms.to));
  if (route.preference) {
    // ICMPV6_ROUTER_PREF_* (RFC 4191 2.1)
    const std::uint8_t preference = *route.preference == config::RoutePreference::low    ? 3
                                    : *route.preference == config::RoutePreference::high ? 1
                                                                                         : 0;
    request.put(RTA_PREF, preference);
  }
  if (route.expires) request.put(RTA_EXPIRES, *route.expires);
  if (route.ttl_propagate) request.put(RTA_TTL_PROPAGATE, std::uint8_t(*route.ttl_propagate));
  if (route.encap) put_encap(request, *route.encap);
  if (!route.nexthops.empty()) {
    if (auto put = put_nexthops(request, route, index_of); !put) return std::unexpected(put.error());
  }
  return request.bytes();
}

void put_prefix(Request& request, int attribute, const std::optional<config::Prefix>& prefix) {
  if (prefix && prefix->length > 0) request.put(attribute, prefix->address);
}

std::uint8_t action_of(config::RuleAction action) {
  switch (action) {
    case config::RuleAction::table:
    case config::RuleAction::l3mdev: return FR_ACT_TO_TBL;
    case config::RuleAction::go_to: return FR_ACT_GOTO;
    case config::RuleAction::nop: return FR_ACT_NOP;
    case config::RuleAction::blackhole: return FR_ACT_BLACKHOLE;
    case config::RuleAction::prohibit: return FR_ACT_PROHIBIT;
    case config::RuleAction::unreachable: return FR_ACT_UNREACHABLE;
  }
  return FR_ACT_UNSPEC;
}

netlink::Bytes rule_request(std::uint16_t type, int flags, const config::IpRule& rule) {
  Request request(type, flags);
  fib_rule_hdr header{};
  header.family = family_of(rule.is_v6);
  header.dst_len = rule.to ? std::uint8_t(rule.to->length) : 0;
  header.src_len = rule.from ? std::uint8_t(rule.from->length) : 0;
  header.tos = std::uint8_t(rule.tos);
  header.table = rule.table < 256 ? std::uint8_t(rule.table) : std::uint8_t(RT_TABLE_UNSPEC);
  header.action = action_of(rule.action);
  header.flags = rule.inverted ? unsigned(FIB_RULE_INVERT) : 0u;
  request.header(header);
  put_prefix(request, FRA_DST, rule.to);
  put_prefix(request, FRA_SRC, rule.from);
  if (!rule.iif.empty()) request.put_text(FRA_IIFNAME, rule.iif);
  if (!rule.oif.empty()) request.put_text(FRA_OIFNAME, rule.oif);
  request.put(FRA_PRIORITY, rule.preference);
  if (rule.fwmark) {
    request.put(FRA_FWMARK, rule.fwmark->mark);
    request.put(FRA_FWMASK, rule.fwmark->mask);
  }
  if (rule.action == config::RuleAction::table) request.put(FRA_TABLE, rule.table);
  if (rule.action == config::RuleAction::go_to) request.put(FRA_GOTO, rule.target);
  if (rule.action == config::RuleAction::l3mdev) request.put(FRA_L3MDEV, std::uint8_t{1});
  if (rule.uids) request.put(FRA_UID_RANGE, fib_rule_uid_range{rule.uids->first, rule.uids->last});
  if (rule.ip_protocol) request.put(FRA_IP_PROTO, std::uint8_t(*rule.ip_protocol));
  if (rule.source_ports)
    request.put(FRA_SPORT_RANGE, fib_rule_port_range{rule.source_ports->first, rule.source_ports->last});
  if (rule.destination_ports)
    request.put(FRA_DPORT_RANGE, fib_rule_port_range{rule.destination_ports->first, rule.destination_ports->last});
  if (rule.tunnel_id) request.put(FRA_TUN_ID, net::BigEndian<std::uint64_t>(*rule.tunnel_id));
  request.put(FRA_PROTOCOL, std::uint8_t(rule.protocol));
  if (rule.suppress_prefixlength) request.put(FRA_SUPPRESS_PREFIXLEN, std::uint32_t(*rule.suppress_prefixlength));
  if (rule.suppress_ifgroup) request.put(FRA_SUPPRESS_IFGROUP, *rule.suppress_ifgroup);
  if (rule.realms.to != 0) request.put(FRA_FLOW, std::uint32_t(rule.realms.from << 16 | rule.realms.to));
  return request.bytes();
}

}  // namespace

Result<netlink::Bytes> add_route_request(const config::IpRoute& route, const IndexOf& index_of) {
  return route_request(RTM_NEWROUTE, flags_of(route), route, index_of);
}
Result<netlink::Bytes> remove_route_request(const config::IpRoute& route, const IndexOf& index_of) {
  return route_request(RTM_DELROUTE, 0, route, index_of);
}
netlink::Bytes add_rule_request(const config::IpRule& rule) {
  return rule_request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}
netlink::Bytes remove_rule_request(const config::IpRule& rule) { return rule_request(RTM_DELRULE, 0, rule); }

}  // namespace sluice::control
