// The virtual routers as things stand, to be shown.
#include <fmt/format.h>

#include "control/vrrp/virtual_routers_inside.h"

namespace sluice::control {

using vrrp::Fault;
using vrrp::FaultKind;

namespace {

std::string to_text(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::interface_down: return "interface down";
    case FaultKind::base_down: return "base interface down";
    case FaultKind::no_source_address: return "no source address";
    case FaultKind::configuration:
      if (fault.index == fault_no_peer) return "unicast without a peer";
      return fault.index == fault_no_key ? "no key for auth_hmac" : "can't listen";
    case FaultKind::tracker: return "tracked thing failed";
    case FaultKind::sync_group: return "sync group in FAULT";
    case FaultKind::script_pending: return "script not run yet";
    case FaultKind::sync_group_pending: return "sync group waits for a script";
  }
  return {};
}

std::string to_text(vrrp::TrackKind kind) {
  switch (kind) {
    case vrrp::TrackKind::interface: return "interface";
    case vrrp::TrackKind::script: return "script";
    case vrrp::TrackKind::process: return "process";
    case vrrp::TrackKind::bfd: return "bfd";
    case vrrp::TrackKind::file: return "file";
  }
  return {};
}

HeldStatus held_of(const AddressKeeper& addresses, const RouteKeeper& routes) {
  HeldStatus held{.routes = routes.held_routes(), .rules = routes.held_rules()};
  for (const KeptAddress& kept : addresses.addresses()) {
    held.addresses.push_back(kept.held);
    held.interfaces.push_back(kept.interface);
  }
  return held;
}

}  // namespace

VrrpStatus VirtualRouters::status() const {
  VrrpStatus result;
  for (const auto& router : routers_) {
    const vrrp::Instance& election = router->election;
    VirtualRouterStatus& shown = result.routers.emplace_back();
    shown.name = router->config.name;
    shown.interface = router->config.interface;
    shown.ifindex = router->ifindex;
    shown.advert_interface = router->advert_interface;
    if (router->group != nullptr) shown.sync_group = router->group->config.name;
    shown.virtual_router_id = router->config.virtual_router_id;
    shown.version = router->config.version;
    shown.is_v6 = router->config.is_v6;
    shown.state = election.state();
    shown.priority = election.config().priority;
    shown.effective_priority = election.effective_priority();
    shown.source = router->source;
    shown.master_address = election.master_address();
    shown.master_priority = election.master_priority();
    shown.advertisement_interval = election.config().advertisement_interval;
    shown.master_adver_interval = election.master_adver_interval();
    shown.skew_time = election.skew_time();
    shown.master_down_interval = election.master_down_interval();
    if (const auto deadline = election.deadline()) shown.deadline_in = *deadline - now();
    shown.last_transition = election.last_transition();
    shown.last_transition_at = router->last_transition_at;
    shown.up_since = router->up_since;
    shown.master_reason = router->master_reason;
    shown.last_error = router->last_error;
    shown.held = held_of(router->addresses, router->routes);
    for (const Fault& fault : election.faults()) shown.faults.push_back(to_text(fault));
    for (const KeptAddress& kept : router->addresses.addresses()) {
      shown.addresses.push_back(fmt::format("{}/{} dev {}", kept.request.address.address.text(),
                                            kept.request.address.prefix_length, kept.interface));
    }
    for (const vrrp::Tracker& tracker : router->trackers) {
      shown.trackers.push_back(
          {to_text(tracker.kind), tracker.name, tracker.weight, vrrp::is_fault(tracker), vrrp::delta(tracker)});
    }
    shown.counters = election.counters();
    shown.errors = router->errors;
  }
  for (const auto& group : groups_) {
    SyncGroupStatus& shown = result.groups.emplace_back();
    shown.name = group->config.name;
    shown.state = group->group->state();
    for (const VirtualRouter* member : group->members) shown.members.push_back(member->config.name);
  }
  if (static_addresses_ != nullptr && static_routes_ != nullptr) {
    result.held_static = held_of(*static_addresses_, *static_routes_);
  }
  result.announcements_sent = announcer_->sent();
  result.errors = errors_;
  return result;
}

}  // namespace sluice::control
