// Writing a route as the line that reads as it.
#include <fmt/format.h>

#include "control/config/network/route.h"

namespace sluice::control::config {

namespace {

/// "100ms", "0.5ms".
std::string time_text(std::uint32_t microseconds) {
  // A thousandth of a second is to a millisecond what a second is to a thousand of them.
  return seconds_text(Duration(std::int64_t{microseconds} * 1000)) + "ms";
}

void add_locked(std::vector<Arg>& args, std::string_view name, const RouteMetric& metric, std::string value) {
  if (metric.locked) {
    args.push_back(flag(name));
    args.push_back(option("lock", std::move(value)));
  } else {
    args.push_back(option(name, std::move(value)));
  }
}

void write_nexthop(std::vector<Arg>& args, const Nexthop& hop) {
  args.push_back(flag("nexthop"));
  if (hop.via) args.push_back(option("via", hop.via->text()));
  if (!hop.dev.empty()) args.push_back(option("dev", hop.dev));
  args.push_back(option("weight", std::int64_t{hop.weight}));
  if (hop.onlink) args.push_back(flag("onlink"));
  write_realms(args, hop.realms);
  if (hop.encap) write_encap(args, *hop.encap);
}

void write_metrics(std::vector<Arg>& args, const IpRoute& route) {
  for (const auto& [name, member] : route_metrics) {
    if (const auto& metric = route.*member) add_locked(args, name, *metric, fmt::format("{}", metric->value));
  }
  for (const auto& [name, member, max_us] : route_times) {
    if (const auto& metric = route.*member) add_locked(args, name, *metric, time_text(metric->value));
  }
  for (const auto& [name, member] : route_numbers) {
    if (const auto& number = route.*member) args.push_back(option(name, std::int64_t{*number}));
  }
  for (const auto& [name, member] : route_switches) {
    if (const auto& on = route.*member) args.push_back(option(name, std::int64_t{*on ? 1 : 0}));
  }
  if (route.hoplimit) args.push_back(option("hoplimit", std::int64_t{*route.hoplimit}));
  write_realms(args, route.realms);
  if (route.ecn) args.push_back(option("features", std::string("ecn")));
  if (!route.congctl.empty()) add_locked(args, "congctl", {.locked = route.congctl_locked}, route.congctl);
  if (route.preference) {
    args.push_back(option("pref", std::string(word_of(route_preferences, *route.preference))));
  }
  if (route.ttl_propagate) {
    args.push_back(option("ttl-propagate", std::string(*route.ttl_propagate ? "enabled" : "disabled")));
  }
}

}  // namespace

void write_route(Writer& writer, const IpRoute& route) {
  std::vector<Arg> args;
  if (route.type != RouteType::unicast) args.push_back(plain("type", std::string(word_of(route_types, route.type))));
  const bool is_default = !route.is_v6 && route.destination == Prefix{net::IpAddr(), 0};
  args.push_back(plain("to", is_default ? "default" : route.destination.text()));
  if (route.from) args.push_back(option("from", route.from->text()));
  if (route.source) args.push_back(option("src", route.source->text()));
  if (route.via) args.push_back(option("via", route.via->text()));
  if (!route.dev.empty()) args.push_back(option("dev", route.dev));
  if (route.table != route_table_main) args.push_back(option("table", std::int64_t{route.table}));
  if (route.metric) args.push_back(option("metric", std::int64_t{*route.metric}));
  if (route.scope) args.push_back(option("scope", std::int64_t{*route.scope}));
  if (route.protocol != route_protocol_keepalived) args.push_back(option("protocol", std::int64_t{route.protocol}));
  if (route.tos != 0) args.push_back(option("tos", std::int64_t{route.tos}));
  if (route.onlink) args.push_back(flag("onlink"));
  write_metrics(args, route);
  if (!route.vrf.empty()) args.push_back(option("vrf", route.vrf));
  if (route.place != RoutePlace::prepend) args.push_back(flag(word_of(route_places, route.place)));
  if (route.no_track) args.push_back(flag("no_track"));
  if (!route.track_group.empty()) args.push_back(option("track_group", route.track_group));
  if (route.encap) write_encap(args, *route.encap);
  for (const Nexthop& hop : route.nexthops) write_nexthop(args, hop);
  writer.item(args);
}

}  // namespace sluice::control::config
