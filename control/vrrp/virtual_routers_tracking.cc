// What the virtual routers track, and the faults that keep them from running.
#include <fmt/format.h>

#include <algorithm>

#include "control/vrrp/virtual_routers_inside.h"

namespace sluice::control {

using vrrp::Fault;
using vrrp::FaultKind;

void VirtualRouters::on_tracked(const TrackedStatus& status) {
  const auto known = std::ranges::find_if(
      tracked_, [&](const TrackedStatus& each) { return each.kind == status.kind && each.name == status.name; });
  if (known == tracked_.end()) {
    tracked_.push_back(status);
  } else {
    *known = status;
  }
  for (const auto& router : routers_) {
    const bool is_news = std::ranges::any_of(router->trackers, [&](const vrrp::Tracker& tracker) {
      return tracker.kind == status.kind && tracker.name == status.name && status.up && tracker.up != *status.up;
    });
    if (is_news && status.kind == vrrp::TrackKind::bfd) {
      log(fmt::format("VRRP_Instance({}) Tracked BFD instance {} is {}", router->config.name, status.name,
                      *status.up ? "UP" : "DOWN"));
    }
    set_tracked(*router, status);
    look_at_trackers(*router);
    if (is_news && status.lost_neighbor) {
      const net::IpAddr& neighbor = *status.lost_neighbor;
      drive(
          *router, [&](vrrp::Instance& alone) { return alone.on_neighbor_lost(now(), neighbor); },
          [&](vrrp::SyncGroup& group, std::size_t member) { return group.on_neighbor_lost(now(), member, neighbor); });
    }
  }
}

void VirtualRouters::set_tracked(VirtualRouter& router, const TrackedStatus& status) {
  for (vrrp::Tracker& tracker : router.trackers) {
    if (tracker.kind != status.kind || tracker.name != status.name) continue;
    if (status.up) tracker.up = *status.up;
    tracker.value = status.value;
  }
}

void VirtualRouters::look_at_trackers(VirtualRouter& router) {
  struct Seen {
    Fault fault;
    bool is_fault;
    bool is_pending;
    std::string why;
  };
  std::vector<Seen> all;
  for (const vrrp::Tracker& tracker : router.trackers) {
    const std::uint32_t number =
        tracker_numbers_.try_emplace({tracker.kind, tracker.name}, std::uint32_t(tracker_numbers_.size()))
            .first->second;
    const bool is_known = std::ranges::any_of(tracked_, [&](const TrackedStatus& each) {
      return each.kind == tracker.kind && each.name == tracker.name && each.up;
    });
    const bool is_pending = tracker.kind == vrrp::TrackKind::script && tracker.weight == 0 && !is_known;
    all.push_back(
        {{FaultKind::tracker, number}, !is_pending && vrrp::is_fault(tracker), is_pending, vrrp::fault_text(tracker)});
  }
  for (const config::TrackGroup& group : config_.track_groups) {
    if (std::ranges::find(group.instances, router.config.name) == group.instances.end()) continue;
    const std::uint32_t number = tracker_numbers_
                                     .try_emplace({vrrp::TrackKind::interface, "track_group " + group.name},
                                                  std::uint32_t(tracker_numbers_.size()))
                                     .first->second;
    all.push_back({{FaultKind::tracker, number},
                   groups_missing_.contains(group.name),
                   false,
                   "(something static of track_group " + group.name + " is missing)"});
  }
  const std::vector<Fault> before = router.election.faults();
  for (const Seen& each : all) {
    // What takes a fault's place comes before the fault goes.
    if (each.is_fault) set_fault(router, each.fault, true, each.why);
    if (each.is_pending) set_fault(router, {FaultKind::script_pending, each.fault.index}, true, "");
  }
  for (const Fault& fault : before) {
    if (fault.kind != FaultKind::tracker && fault.kind != FaultKind::script_pending) continue;
    const bool stays = std::ranges::any_of(all, [&](const Seen& each) {
      return each.fault.index == fault.index && (fault.kind == FaultKind::tracker ? each.is_fault : each.is_pending);
    });
    if (!stays) set_fault(router, fault, false, "");
  }
  const int delta = vrrp::sum_of_deltas(router.trackers);
  drive(
      router, [&](vrrp::Instance& alone) { return alone.on_priority_delta(now(), delta); },
      [&](vrrp::SyncGroup& group, std::size_t member) { return group.on_priority_delta(now(), member, delta); });
}

std::set<std::string> VirtualRouters::groups_missing() const {
  std::set<std::string> missing = static_addresses_->groups_missing();
  missing.merge(static_routes_->groups_missing());
  return missing;
}

/// Static addresses, routes and rules: what can't be put back is a fault for those that track its group.
void VirtualRouters::look_at_static() {
  std::set<std::string> missing = groups_missing();
  if (missing == groups_missing_) return;
  groups_missing_ = std::move(missing);
  for (const auto& router : routers_) look_at_trackers(*router);
}

void VirtualRouters::set_fault(VirtualRouter& router, Fault fault, bool present, const std::string& why) {
  const bool is_there = std::ranges::find(router.election.faults(), fault) != router.election.faults().end();
  if (is_there == present) return;
  drive(
      router,
      [&](vrrp::Instance& alone) {
        return present ? alone.on_fault(now(), fault, why) : alone.on_fault_cleared(now(), fault);
      },
      [&](vrrp::SyncGroup& group, std::size_t member) {
        return present ? group.on_fault(now(), member, fault, why) : group.on_fault_cleared(now(), member, fault);
      });
}

}  // namespace sluice::control
