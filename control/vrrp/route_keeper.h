// The routes and rules of one instance in the kernel, as address_keeper.h is for its addresses. Used on the vrrp
// thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "control/config/model/statics.h"
#include "control/netlink/changes.h"
#include "control/netlink/mirror.h"
#include "control/vrrp/route_requests.h"

namespace sluice::control {

class RouteKeeper {
 public:
  using Log = std::function<void(const std::string&)>;

  /// Borrows both.
  RouteKeeper(netlink::Changer& changer, const netlink::Mirror& mirror, Log log);

  /// Takes away what is held and isn't wanted any more; what is new comes with own().
  void configure(const std::vector<config::IpRoute>& routes, const std::vector<config::IpRule>& rules);

  /// Adds everything: the kernel takes routes away with their interface's addresses and doesn't say so. Routes first,
  /// because rules lead to them.
  void own();
  /// Rules first.
  void release();
  /// What a director that died has left.
  void remove_leftovers();

  /// The kernel says that a route to this prefix changed: did somebody take one from us that matters?
  [[nodiscard]] bool lost_route(const netlink::Prefix& prefix);
  /// The kernel says that rules changed.
  [[nodiscard]] bool lost_rule();
  /// An interface went down: the kernel took the routes over it away, and doesn't say so.
  void interface_down(const std::string& name);

  /// track_groups that a route or rule which isn't held belongs to.
  [[nodiscard]] std::set<std::string> groups_missing() const;

  /// What is in the kernel because we put it there, in the configuration's order.
  [[nodiscard]] std::vector<bool> held_routes() const;
  [[nodiscard]] std::vector<bool> held_rules() const;

 private:
  struct Route {
    config::IpRoute route;
    bool held = false;
  };
  struct Rule {
    config::IpRule rule;
    bool held = false;
  };

  void add(Route& route);
  void add(Rule& rule);
  void remove(Route& route);
  void remove(Rule& rule);
  void complain(const char* what, int error) const;

  netlink::Changer& changer_;
  Log log_;
  IndexOf index_of_;
  std::vector<Route> routes_;
  std::vector<Rule> rules_;
};

}  // namespace sluice::control
