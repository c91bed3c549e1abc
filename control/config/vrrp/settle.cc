// After the last block: what instances, groups and trackers say about each other.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

/// Of one id on one interface, for a conflict: who has more has had one reported.
constexpr std::size_t instances_compared_max = 64;

class Settler {
 public:
  explicit Settler(Context& context) : context_(context), config_(context.config) {}

  void run() {
    settle_groups();
    check_router_ids();
    note_unused_scripts();
    note_unknown_names();
  }

 private:
  // --- vrrp_sync_group ---

  void settle_groups() {
    for (SyncGroup& group : config_.sync_groups) {
      std::erase_if(group.instances, [&](const std::string& name) { return !takes_member(group, name); });
      if (group.instances.empty()) {
        error(place_of("vrrp_sync_group", group.name),
              fmt::format("vrrp_sync_group {} ignored, it has no member", quoted(group.name)));
        continue;
      }
      if (group.instances.size() == 1) {
        warn(place_of("vrrp_sync_group", group.name),
             fmt::format("vrrp_sync_group {} has a single member, expected two or more", quoted(group.name)));
      }
      std::vector<VrrpInstance*> members;
      for (const std::string& name : group.instances) members.push_back(find(name));
      for (VrrpInstance* member : members) settle_member(group, *member);
      compare(group, members);
    }
    std::erase_if(config_.sync_groups, [](const SyncGroup& group) { return group.instances.empty(); });
  }

  bool takes_member(const SyncGroup& group, const std::string& name) {
    const Place place = place_of(fmt::format("group {}", group.name), name);
    if (find(name) == nullptr) {
      error(place, fmt::format("{} ignored, expected the name of a vrrp_instance", quoted(name)));
      return false;
    }
    if (!members_.insert(name).second) {
      error(place, fmt::format("{} ignored, it is in a vrrp_sync_group already", quoted(name)));
      return false;
    }
    return true;
  }

  /// Weights of a member alone would tear the group apart: keepalived drops what has one. What both watch is said
  /// twice.
  void settle_member(const SyncGroup& group, VrrpInstance& member) {
    const Place place = place_of("vrrp_instance", member.name);
    const auto settle = [&](std::vector<Tracked>& list, const std::vector<Tracked>& of_group,
                            std::string_view keyword) {
      std::erase_if(list, [&](const Tracked& tracked) {
        if (tracked.weight.value == 0 || group.sync_group_tracking_weight) return false;
        warn(place, fmt::format("{} {} of {} ignored: it has a weight, and the instance belongs to the vrrp_sync_group "
                                "{}; expected it there, or sync_group_tracking_weight",
                                keyword, quoted(tracked.name), quoted(member.name), quoted(group.name)));
        return true;
      });
      std::set<std::string_view> names;
      for (const Tracked& tracked : list) names.insert(tracked.name);
      for (const Tracked& tracked : of_group) {
        const bool twice = names.contains(tracked.name);
        const bool own = keyword == "track_interface" && tracked.name == member.interface;
        if (twice || own) {
          warn(place, fmt::format("{} {} is watched by both {} and its vrrp_sync_group, expected one of them", keyword,
                                  quoted(tracked.name), quoted(member.name)));
        }
      }
    };
    settle(member.tracking.interfaces, group.tracking.interfaces, "track_interface");
    settle(member.tracking.scripts, group.tracking.scripts, "track_script");
    settle(member.tracking.files, group.tracking.files, "track_file");
    settle(member.tracking.processes, group.tracking.processes, "track_process");
    settle(member.tracking.bfds, group.tracking.bfds, "track_bfd");
  }

  void compare(const SyncGroup& group, const std::vector<VrrpInstance*>& members) {
    const VrrpInstance& first = *members.front();
    for (const VrrpInstance* member : members) {
      if (member->priority != first.priority) {
        careful(place_of("vrrp_sync_group", group.name),
                fmt::format("the members of {} have different priorities ({} has {}, {} has {}), and may win on "
                            "different hosts again and again; write the same priority in all of them",
                            quoted(group.name), quoted(first.name), first.priority, quoted(member->name),
                            member->priority));
        break;
      }
    }
    for (const VrrpInstance* member : members) {
      if (member->advert_int != first.advert_int) {
        careful(place_of("vrrp_sync_group", group.name),
                fmt::format("the members of {} have different advert_ints ({} has {}, {} has {}): the fastest decides "
                            "when all of them move; write the same advert_int in all of them",
                            quoted(group.name), quoted(first.name), seconds_text(first.advert_int),
                            quoted(member->name), seconds_text(member->advert_int)));
        break;
      }
    }
  }

  // --- across instances ---

  /// keepalived refuses two of one id, family and interface that also speak to the same group or peers.
  void check_router_ids() {
    std::map<std::tuple<unsigned, bool, std::string_view>, std::vector<const VrrpInstance*>> of_id;
    for (const VrrpInstance& one : config_.vrrp_instances) {
      auto& others = of_id[{one.virtual_router_id, one.is_v6, one.interface}];
      for (const VrrpInstance* other : others) {
        if (one.unicast_peers.empty() != other->unicast_peers.empty() ||
            one.multicast_group != other->multicast_group || !share_peers(one, *other)) {
          continue;
        }
        warn(place_of("vrrp_instance", one.name),
             fmt::format("{} and {} both have virtual_router_id {} for IPv{} on {}: each takes the other's "
                         "advertisements for its own and neither stays master; write another id in one of them",
                         quoted(other->name), quoted(one.name), one.virtual_router_id, one.is_v6 ? 6 : 4,
                         quoted(one.interface)));
        break;
      }
      if (others.size() < instances_compared_max) others.push_back(&one);
    }
  }

  static bool share_peers(const VrrpInstance& one, const VrrpInstance& other) {
    if (one.unicast_peers.empty()) return true;
    std::set<net::IpAddr> peers;
    for (const UnicastPeer& peer : other.unicast_peers) peers.insert(peer.address);
    return std::ranges::any_of(one.unicast_peers,
                               [&](const UnicastPeer& peer) { return peers.contains(peer.address); });
  }

  // --- names ---

  void note_unused_scripts() {
    std::set<std::string_view> used;
    const auto add = [&](const Tracking& tracking) {
      for (const Tracked& tracked : tracking.scripts) used.insert(tracked.name);
    };
    for (const VrrpInstance& vi : config_.vrrp_instances) add(vi.tracking);
    for (const SyncGroup& group : config_.sync_groups) add(group.tracking);
    for (const VrrpScript& script : config_.vrrp_scripts) {
      if (used.contains(script.name)) continue;
      context_.diagnostics.notice(
          place_of("vrrp_script", script.name),
          fmt::format("vrrp_script {} never runs, no track_script names it", quoted(script.name)));
    }
  }

  void note_unknown_names() {
    if (const auto& daemon = config_.global.lvs.sync_daemon; daemon && !daemon->vrrp_instance.empty()) {
      if (find(daemon->vrrp_instance) == nullptr) {
        careful(place_of("lvs_sync_daemon", ""),
                fmt::format("lvs_sync_daemon names {}, which is no vrrp_instance of this file: it will follow nobody; "
                            "write the name of one",
                            quoted(daemon->vrrp_instance)));
      }
    }
    for (const TrackGroup& group : config_.track_groups) {
      for (const std::string& name : group.instances) {
        if (find(name) != nullptr) continue;
        careful(place_of("track_group", group.name),
                fmt::format("track_group {} names {}, which is no vrrp_instance of this file: nobody will go to FAULT; "
                            "write the name of one",
                            quoted(group.name), quoted(name)));
      }
    }
  }

  VrrpInstance* find(const std::string& name) {
    const auto found = context_.names.find("vrrp_instance " + name);
    return found == context_.names.end() ? nullptr : &config_.vrrp_instances[found->second];
  }

  [[nodiscard]] Place place_of(std::string_view kind, const std::string& name) const {
    const auto found = context_.definitions.find(fmt::format("{} {}", kind, name));
    return found == context_.definitions.end() ? Place{} : found->second;
  }

  void error(Place place, std::string message) { context_.diagnostics.error(place, std::move(message)); }
  void warn(Place place, std::string message) { context_.diagnostics.warning(place, std::move(message)); }
  void careful(Place place, const std::string& message) { context_.diagnostics.notice(place, "careful: " + message); }

  Context& context_;
  Config& config_;
  std::set<std::string> members_;
};

}  // namespace

void settle_vrrp(Context& context) { Settler(context).run(); }

void check_interfaces(Context& context, std::span<const std::string> existing) {
  if (context.config.global.dynamic_interfaces != DynamicInterfaces::no) return;
  std::set<std::string, std::less<>> names(existing.begin(), existing.end());
  for (const VrrpInstance& vi : context.config.vrrp_instances) {
    if (vi.vmac && !vi.vmac->name.empty()) names.insert(vi.vmac->name);
    if (vi.ipvlan && !vi.ipvlan->name.empty()) names.insert(vi.ipvlan->name);
  }
  for (const InterfaceUse& use : context.interfaces) {
    if (names.contains(use.name)) continue;
    context.diagnostics.error(use.place, fmt::format("interface {} doesn't exist here, expected one that `ip link` "
                                                     "shows, or dynamic_interfaces in global_defs",
                                                     quoted(use.name)));
  }
}

}  // namespace sluice::control::config
