// Addresses, routes and rules: those an instance carries, and the static ones. All names of iproute2's tables (scopes,
// routing tables, protocols, realms) are numbers here, as the kernel takes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

/// An address for an interface: a line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress.
struct InterfaceAddress {
  Position position;
  net::IpAddr address;
  unsigned prefix_length = 32;
  std::string dev;        ///< as in the line; empty: the instance's own interface, or its VMAC
  std::string interface;  ///< dev, or the instance's interface, or default_interface; may be empty
  std::optional<net::Ipv4Addr> broadcast;
  std::string label;   ///< IPv4 only
  unsigned scope = 0;  ///< 0 global, 200 site, 253 link, 254 host, 255 nowhere; IPv4 only
  std::optional<Prefix> peer;  ///< point to point; then prefix_length is that of an address alone
  std::optional<std::chrono::seconds> preferred_lifetime;  ///< nothing: forever. IPv6 /128: 0 unless given
  bool home = false;
  bool nodad = false;
  bool mngtmpaddr = false;
  bool noprefixroute = false;
  bool autojoin = false;
  bool no_track = false;    ///< nobody minds if somebody removes it
  bool use_vmac = false;    ///< a macvlan of its own
  std::string track_group;  ///< static ones only; empty: none

  bool operator==(const InterfaceAddress&) const = default;
};

enum class RouteType : std::uint8_t {
  unicast,
  local,
  broadcast,
  anycast,
  multicast,
  blackhole,
  unreachable,
  prohibit,
  throw_,
  nat
};

/// A metric of the route that the kernel may keep to (RTAX_LOCK).
struct RouteMetric {
  std::uint32_t value = 0;
  bool locked = false;

  bool operator==(const RouteMetric&) const = default;
};

enum class EncapType : std::uint8_t { mpls, ip, ip6, ila };

struct Encap {
  EncapType type = EncapType::ip;
  std::vector<std::uint32_t> labels;       ///< MPLS, outermost first; not empty
  std::uint64_t id = 0;                    ///< ip, ip6: the tunnel's; 0: none
  std::optional<net::IpAddr> destination;  ///< ip, ip6
  std::optional<net::IpAddr> source;       ///< ip, ip6
  std::optional<unsigned> traffic_class;   ///< ip: tos; ip6: tc
  std::optional<unsigned> ttl;             ///< ip6: hoplimit
  std::optional<unsigned> flags;           ///< ip, ip6
  std::string locator;                     ///< ila: four groups of hex, "1:2:3:4"

  bool operator==(const Encap&) const = default;
};

/// realms SOURCE/DESTINATION; 0: none.
struct Realms {
  unsigned from = 0;
  unsigned to = 0;

  bool operator==(const Realms&) const = default;
};

struct Nexthop {
  std::optional<net::IpAddr> via;
  std::string dev;      ///< may be empty
  unsigned weight = 1;  ///< 1..256
  bool onlink = false;
  Realms realms;
  std::optional<Encap> encap;

  bool operator==(const Nexthop&) const = default;
};

enum class RoutePlace : std::uint8_t { prepend, append, add };
enum class RoutePreference : std::uint8_t { low, medium, high };

/// keepalived's number among the origins of routes (rt_protos), by which it knows its own again.
inline constexpr unsigned route_protocol_keepalived = 18;
inline constexpr std::uint32_t route_table_main = 254;

/// As `ip route` means it.
struct IpRoute {
  Position position;
  bool is_v6 = false;
  RouteType type = RouteType::unicast;
  Prefix destination;                 ///< default: 0.0.0.0/0 or ::/0
  std::optional<Prefix> from;         ///< IPv6 only
  std::optional<net::IpAddr> source;  ///< src: preferred source address
  std::optional<net::IpAddr> via;
  std::string dev;                    ///< may be empty; then nobody watches the route
  std::uint32_t table = route_table_main;
  std::optional<std::uint32_t> metric;
  std::optional<unsigned> scope;
  unsigned protocol = route_protocol_keepalived;
  unsigned tos = 0;
  bool onlink = false;
  std::optional<RouteMetric> mtu;
  std::optional<unsigned> hoplimit;
  std::optional<RouteMetric> advmss;
  std::optional<RouteMetric> rtt;      ///< microseconds
  std::optional<RouteMetric> rttvar;   ///< microseconds
  std::optional<RouteMetric> rto_min;  ///< microseconds
  std::optional<RouteMetric> reordering;
  std::optional<std::uint32_t> window;
  std::optional<RouteMetric> cwnd;
  std::optional<RouteMetric> ssthresh;
  std::optional<std::uint32_t> initcwnd;
  std::optional<std::uint32_t> initrwnd;
  Realms realms;
  bool ecn = false;
  std::optional<bool> quickack;
  std::string congctl;  ///< congestion control's name; empty: the host's
  bool congctl_locked = false;
  std::optional<RoutePreference> preference;  ///< IPv6 only
  std::optional<std::uint32_t> expires;       ///< seconds; IPv6 only
  std::optional<bool> ttl_propagate;
  std::optional<bool> fastopen_no_cookie;
  std::optional<Encap> encap;
  std::string vrf;
  RoutePlace place = RoutePlace::prepend;  ///< among routes to the same destination
  std::vector<Nexthop> nexthops;           ///< several ways; then via is empty
  bool no_track = false;
  std::string track_group;  ///< static ones only; empty: none

  bool operator==(const IpRoute&) const = default;
};

enum class RuleAction : std::uint8_t { table, go_to, nop, blackhole, prohibit, unreachable, l3mdev };

/// Both ends included.
template <typename T>
struct Range {
  T first{};
  T last{};

  bool operator==(const Range&) const = default;
};

struct RuleMark {
  std::uint32_t mark = 0;
  std::uint32_t mask = 0xffff'ffff;

  bool operator==(const RuleMark&) const = default;
};

/// As `ip rule` means it.
struct IpRule {
  Position position;
  bool is_v6 = false;
  bool inverted = false;  ///< not
  std::optional<Prefix> from;
  std::optional<Prefix> to;
  std::string iif;
  std::string oif;
  unsigned tos = 0;
  std::optional<RuleMark> fwmark;
  std::uint32_t preference = 0;  ///< final: without one in the file 16384, 16383, ...
  std::optional<Range<std::uint32_t>> uids;
  std::optional<unsigned> ip_protocol;
  std::optional<Range<std::uint16_t>> source_ports;
  std::optional<Range<std::uint16_t>> destination_ports;
  std::optional<std::uint64_t> tunnel_id;
  unsigned protocol = route_protocol_keepalived;  ///< who made the rule
  std::optional<unsigned> suppress_prefixlength;
  std::optional<std::uint32_t> suppress_ifgroup;
  RuleAction action = RuleAction::table;
  std::uint32_t table = 0;   ///< of RuleAction::table
  std::uint32_t target = 0;  ///< of RuleAction::go_to: a preference
  Realms realms;
  bool no_track = false;
  std::string track_group;  ///< static ones only; empty: none

  bool operator==(const IpRule&) const = default;
};

/// There from start to end, whoever is master.
struct StaticNetwork {
  std::vector<InterfaceAddress> addresses;
  std::vector<IpRoute> routes;
  std::vector<IpRule> rules;

  bool operator==(const StaticNetwork&) const = default;
};

}  // namespace sluice::control::config
