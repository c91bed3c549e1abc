#include "control/vrrp/route_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

namespace sluice::control {

namespace {

/// Its place in the file doesn't make it another one.
template <typename Entry, typename Value>
bool take_over(std::vector<Entry>& before, Value Entry::*value, const Value& wanted) {
  for (Entry& entry : before) {
    if (entry.held && entry.*value == wanted) return std::exchange(entry.held, false);
  }
  return false;
}

bool is_gone(int error) { return error == ESRCH || error == ENOENT || error == ENODEV; }

}  // namespace

RouteKeeper::RouteKeeper(netlink::Changer& changer, const netlink::Mirror& mirror, Log log)
    : changer_(changer), log_(std::move(log)), index_of_([&mirror](const std::string& name) {
        const netlink::Link* link = mirror.link(name);
        return link != nullptr ? link->ifindex : 0;
      }) {}

void RouteKeeper::complain(const char* what, int error) const {
  log_(fmt::format("{}: {}", what, std::strerror(error)));
}

void RouteKeeper::configure(const std::vector<config::IpRoute>& routes, const std::vector<config::IpRule>& rules) {
  std::vector<Route> next_routes;
  for (const config::IpRoute& route : routes) next_routes.push_back({route, take_over(routes_, &Route::route, route)});
  std::vector<Rule> next_rules;
  for (const config::IpRule& rule : rules) next_rules.push_back({rule, take_over(rules_, &Rule::rule, rule)});
  release();
  routes_ = std::move(next_routes);
  rules_ = std::move(next_rules);
}

void RouteKeeper::own() {
  for (Route& route : routes_) add(route);
  for (Rule& rule : rules_) add(rule);
}

void RouteKeeper::release() {
  for (Rule& rule : rules_) {
    if (rule.held) remove(rule);
  }
  for (Route& route : routes_) {
    if (route.held) remove(route);
  }
}

void RouteKeeper::remove_leftovers() {
  // Most often nothing is left: that it can't be removed is no news.
  for (Rule& rule : rules_) std::ignore = changer_.apply(remove_rule_request(rule.rule));
  for (Route& route : routes_) {
    const auto request = remove_route_request(route.route, index_of_);
    if (request) std::ignore = changer_.apply(*request);
  }
}

void RouteKeeper::add(Route& route) {
  const auto request = add_route_request(route.route, index_of_);
  if (!request) return log_(request.error().text());
  const int error = changer_.apply(*request);
  route.held = error == 0 || error == EEXIST;
  if (!route.held) complain(fmt::format("route {} can't be added", route.route.destination.text()).c_str(), error);
}

void RouteKeeper::add(Rule& rule) {
  const int error = changer_.apply(add_rule_request(rule.rule));
  rule.held = error == 0 || error == EEXIST;
  if (!rule.held) complain(fmt::format("rule {} can't be added", rule.rule.preference).c_str(), error);
}

void RouteKeeper::remove(Route& route) {
  route.held = false;
  const auto request = remove_route_request(route.route, index_of_);
  if (!request) return;  // gone with its interface
  const int error = changer_.apply(*request);
  if (error != 0 && !is_gone(error))
    complain(fmt::format("route {} can't be removed", route.route.destination.text()).c_str(), error);
}

void RouteKeeper::remove(Rule& rule) {
  rule.held = false;
  const int error = changer_.apply(remove_rule_request(rule.rule));
  if (error != 0 && !is_gone(error))
    complain(fmt::format("rule {} can't be removed", rule.rule.preference).c_str(), error);
}

// Whether it is there, adding it tells: the news doesn't say what is left of several routes to a prefix.
bool RouteKeeper::lost_route(const netlink::Prefix& prefix) {
  bool lost = false;
  for (Route& route : routes_) {
    const config::Prefix& to = route.route.destination;
    if (!route.held || to.length != prefix.length || to.address != prefix.address) continue;
    const auto request = add_route_request(route.route, index_of_);
    const int error = request ? changer_.apply(*request) : ENODEV;
    if (error == EEXIST) continue;
    if (error == 0) remove(route);
    route.held = false;
    lost = lost || !route.route.no_track;
  }
  return lost;
}

void RouteKeeper::interface_down(const std::string& name) {
  for (Route& route : routes_) {
    if (route.route.dev == name) route.held = false;
  }
}

std::set<std::string> RouteKeeper::groups_missing() const {
  std::set<std::string> groups;
  for (const Route& each : routes_) {
    if (!each.held && !each.route.track_group.empty()) groups.insert(each.route.track_group);
  }
  for (const Rule& each : rules_) {
    if (!each.held && !each.rule.track_group.empty()) groups.insert(each.rule.track_group);
  }
  return groups;
}

bool RouteKeeper::lost_rule() {
  bool lost = false;
  for (Rule& rule : rules_) {
    if (!rule.held) continue;
    const int error = changer_.apply(add_rule_request(rule.rule));
    if (error == EEXIST) continue;
    if (error == 0) remove(rule);
    rule.held = false;
    lost = lost || !rule.rule.no_track;
  }
  return lost;
}

std::vector<bool> RouteKeeper::held_routes() const {
  std::vector<bool> held;
  for (const Route& route : routes_) held.push_back(route.held);
  return held;
}

std::vector<bool> RouteKeeper::held_rules() const {
  std::vector<bool> held;
  for (const Rule& rule : rules_) held.push_back(rule.held);
  return held;
}

}  // namespace sluice::control
