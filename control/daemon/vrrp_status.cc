#include "control/daemon/vrrp_status.h"

#include <nlohmann/json.hpp>

namespace sluice::control {

namespace {

using Json = nlohmann::ordered_json;

double seconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1e6; }

std::int64_t unix_seconds(std::chrono::system_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

Json errors_json(const std::array<std::uint64_t, vrrp::receive_errors>& errors) {
  Json counts = Json::object();
  for (std::size_t i = 0; i < errors.size(); ++i) counts[std::string(vrrp::receive_error_names[i])] = errors[i];
  return counts;
}

Json counters_json(const vrrp::Counters& counters) {
  return {{"adverts_received", counters.adverts_received},
          {"adverts_sent", counters.adverts_sent},
          {"become_master", counters.become_master},
          {"release_master", counters.release_master},
          {"priority_zero_received", counters.priority_zero_received},
          {"priority_zero_sent", counters.priority_zero_sent},
          {"address_list_errors", counters.address_list_errors}};
}

Json router_json(const VirtualRouterStatus& router) {
  Json json = {{"name", router.name},
               {"interface", router.interface},
               {"virtual_router_id", router.virtual_router_id},
               {"version", router.version},
               {"family", router.is_v6 ? "IPv6" : "IPv4"},
               {"state", vrrp::to_string(router.state)},
               {"priority", router.priority},
               {"effective_priority", router.effective_priority},
               {"sync_group", router.sync_group},
               {"source", router.source ? router.source->text() : ""},
               {"master_address", router.master_address ? router.master_address->text() : ""},
               {"master_priority", router.master_priority},
               {"advert_int_s", seconds(router.advertisement_interval)},
               {"master_adver_interval_s", seconds(router.master_adver_interval)},
               {"skew_time_s", seconds(router.skew_time)},
               {"master_down_interval_s", seconds(router.master_down_interval)}};
  if (router.deadline_in) json["timer_in_s"] = seconds(*router.deadline_in);
  json["last_transition"] = {{"from", vrrp::to_string(router.last_transition.from)},
                             {"to", vrrp::to_string(router.last_transition.to)},
                             {"reason", vrrp::to_string(router.last_transition.reason)},
                             {"at_unix_s", unix_seconds(router.last_transition_at)}};
  json["faults"] = router.faults;
  json["addresses"] = router.addresses;
  json["trackers"] = Json::array();
  for (const TrackerStatus& tracker : router.trackers) {
    json["trackers"].push_back({{"kind", tracker.kind},
                                {"name", tracker.name},
                                {"weight", tracker.weight},
                                {"fault", tracker.is_fault},
                                {"delta", tracker.delta}});
  }
  json["counters"] = counters_json(router.counters);
  json["errors"] = errors_json(router.errors);
  return json;
}

}  // namespace

std::string vrrp_json(const VrrpStatus& status) {
  Json routers = Json::array();
  for (const VirtualRouterStatus& router : status.routers) routers.push_back(router_json(router));
  Json groups = Json::array();
  for (const SyncGroupStatus& group : status.groups) {
    groups.push_back({{"name", group.name}, {"state", vrrp::to_string(group.state)}, {"members", group.members}});
  }
  return Json{{"vrrp_instances", std::move(routers)},
              {"vrrp_sync_groups", std::move(groups)},
              {"announcements_sent", status.announcements_sent},
              {"errors", errors_json(status.errors)}}
      .dump();
}

}  // namespace sluice::control
