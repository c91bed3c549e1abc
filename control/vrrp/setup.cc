#include "control/vrrp/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace sluice::control {

namespace {

vrrp::Authentication authentication_of(const config::VrrpInstance& instance) {
  vrrp::Authentication result;
  if (!instance.authentication) return result;
  result.type = instance.authentication->type == config::AuthType::ah ? vrrp::AuthType::ah : vrrp::AuthType::password;
  const std::string& password = instance.authentication->password;
  std::copy_n(password.begin(), std::min(password.size(), result.key.size()), result.key.begin());
  return result;
}

vrrp::HmacAuthentication hmac_of(const config::AuthHmac& hmac, config::Duration advert_int,
                                 std::span<const vrrp::HmacKey> keys) {
  using Mode = vrrp::HmacAuthentication::Mode;
  vrrp::HmacAuthentication result{.keys = {keys.begin(), keys.end()}};
  result.active_key = std::uint8_t(hmac.active_key.value_or(hmac.keys.empty() ? 0 : hmac.keys.front().id));
  switch (hmac.mode) {
    case config::AuthHmac::Mode::enforce: result.mode = Mode::enforce; break;
    case config::AuthHmac::Mode::permissive: result.mode = Mode::permissive; break;
    case config::AuthHmac::Mode::receive_only: result.mode = Mode::receive_only; break;
  }
  if (hmac.anti_replay == config::AuthHmac::AntiReplay::time) {
    const auto three = std::chrono::ceil<std::chrono::seconds>(3 * advert_int);
    result.window = hmac.time_window.value_or(std::max(three, std::chrono::seconds(5)));
  }
  return result;
}

/// Of no effect, whichever way the weight goes.
vrrp::Tracker unknown(vrrp::TrackKind kind, const config::Tracked& tracked) {
  vrrp::Tracker tracker{.kind = kind,
                        .name = tracked.name,
                        .weight = tracked.weight.value,
                        .reverse = tracked.weight.reverse,
                        .up = false,
                        .value = 0};
  if (kind != vrrp::TrackKind::file) tracker.up = is_fault(tracker) || delta(tracker) != 0;
  return tracker;
}

std::vector<vrrp::Tracker> trackers_of(const config::Tracking& tracking) {
  using vrrp::TrackKind;
  std::vector<vrrp::Tracker> all;
  for (const auto& each : tracking.interfaces) all.push_back(unknown(TrackKind::interface, each));
  for (const auto& each : tracking.scripts) all.push_back(unknown(TrackKind::script, each));
  for (const auto& each : tracking.files) all.push_back(unknown(TrackKind::file, each));
  for (const auto& each : tracking.processes) all.push_back(unknown(TrackKind::process, each));
  for (const auto& each : tracking.bfds) all.push_back(unknown(TrackKind::bfd, each));
  return all;
}

/// Without the interface of its own address nobody is master of it.
void add_own_devices(const config::VrrpInstance& instance, std::vector<vrrp::Tracker>& trackers) {
  const auto add = [&](const std::string& device, bool no_track) {
    if (device.empty() || no_track || device == instance.interface) return;
    const bool known = std::ranges::any_of(trackers, [&](const vrrp::Tracker& tracker) {
      return tracker.kind == vrrp::TrackKind::interface && tracker.name == device;
    });
    if (!known) trackers.push_back(unknown(vrrp::TrackKind::interface, {.name = device}));
  };
  for (const auto* list : {&instance.addresses, &instance.excluded_addresses}) {
    for (const config::InterfaceAddress& address : *list)
      add(address.dev, address.no_track || instance.dont_track_primary);
  }
  for (const config::IpRoute& route : instance.routes) add(route.dev, route.no_track);
}

}  // namespace

vrrp::InstanceConfig election_of(const config::VrrpInstance& instance, const config::GlobalDefs& global,
                                 const net::IpAddr& source) {
  vrrp::InstanceConfig result;
  result.name = instance.name;
  result.version = instance.version == 2 ? vrrp::Version::v2 : vrrp::Version::v3;
  result.priority = std::uint8_t(instance.priority);
  result.advertisement_interval = instance.advert_int;
  result.start_as_master = instance.state == config::InitialState::master;
  result.preempt_mode = !instance.nopreempt;
  result.preempt_delay = instance.preempt_delay;
  result.down_timer_adverts = instance.down_timer_adverts;
  result.startup_delay = std::max(global.vrrp.startup_delay, global.vrrp.delay_after_boot);
  if (instance.timer_expired_backup) result.timer_expired_backup = std::uint8_t(*instance.timer_expired_backup);
  result.source = source;
  result.accept_mode = instance.accept;
  result.strict = instance.strict;
  result.unicast = !instance.unicast_peers.empty();
  result.lower_prio_no_advert = instance.lower_prio_no_advert;
  result.higher_prio_send_advert = instance.higher_prio_send_advert;
  result.owner_ignore_adverts = instance.owner_ignore_adverts;
  result.skip_check_adv_addr = instance.skip_check_adv_addr;
  result.dont_track_primary = instance.dont_track_primary;
  result.notify_deleted = instance.notify.deleted_not_fault;
  return result;
}

vrrp::WireConfig wire_of(const config::VrrpInstance& instance, std::size_t mtu, std::span<const vrrp::HmacKey> keys) {
  vrrp::WireConfig result;
  result.version = instance.version == 2 ? vrrp::Version::v2 : vrrp::Version::v3;
  result.is_v6 = instance.is_v6;
  result.vrid = std::uint8_t(instance.virtual_router_id);
  result.advertisement_interval = std::chrono::duration_cast<vrrp::Centiseconds>(instance.advert_int);
  result.authentication = authentication_of(instance);
  if (instance.auth_hmac) result.hmac = hmac_of(*instance.auth_hmac, instance.advert_int, keys);
  const std::size_t most = vrrp::addresses_max(mtu, instance.is_v6, result.version, result.authentication.type,
                                               instance.auth_hmac.has_value());
  for (const config::InterfaceAddress& address : instance.addresses) {
    if (result.addresses.size() < most) result.addresses.push_back(address.address);
  }
  result.unicast = !instance.unicast_peers.empty();
  if (instance.unicast_ttl) result.unicast_ttl = std::uint8_t(*instance.unicast_ttl);
  for (const config::UnicastPeer& peer : instance.unicast_peers) {
    result.peers.push_back({.address = peer.address,
                            .checks_ttl = peer.min_ttl || peer.max_ttl,
                            .ttl_min = std::uint8_t(peer.min_ttl.value_or(0)),
                            .ttl_max = std::uint8_t(peer.max_ttl.value_or(255))});
  }
  result.check_unicast_src = instance.check_unicast_src;
  result.v3_checksum_as_v2 = instance.v3_checksum_as_v2;
  switch (instance.old_unicast_checksum) {
    case config::OldChecksum::automatic: result.old_unicast_checksum = vrrp::OldUnicastChecksum::automatic; break;
    case config::OldChecksum::always: result.old_unicast_checksum = vrrp::OldUnicastChecksum::always; break;
    case config::OldChecksum::never: result.old_unicast_checksum = vrrp::OldUnicastChecksum::never; break;
  }
  return result;
}

bool lacks_key(const vrrp::WireConfig& wire) {
  if (!wire.hmac) return false;
  return wire.hmac->signs() ? wire.hmac->signing_key() == nullptr : wire.hmac->keys.empty();
}

std::size_t receive_buffer_of(const config::VrrpInstance& instance, const config::GlobalDefs& global,
                              const vrrp::WireConfig& wire, std::size_t mtu) {
  if (instance.kernel_rx_buf_size) return *instance.kernel_rx_buf_size;
  using Policy = config::ReceiveBuffers::Policy;
  const config::ReceiveBuffers& buffers = global.vrrp.receive_buffers;
  switch (buffers.policy) {
    case Policy::system: return 0;
    case Policy::bytes: return buffers.bytes;
    case Policy::mtu: return mtu * buffers.multiplier;
    case Policy::advert: return vrrp::packet_bytes(wire) * buffers.multiplier;
  }
  return 0;
}

vrrp::GarpSettings garp_of(const config::VrrpInstance& instance) {
  const config::GarpSettings& garp = instance.garp;
  return {.master_delay = garp.master_delay.value,
          .master_repeat = garp.master_repeat,
          .master_refresh = garp.master_refresh.value,
          .master_refresh_repeat = garp.master_refresh_repeat,
          .lower_prio_delay = garp.lower_prio_delay.value,
          .lower_prio_repeat = garp.lower_prio_repeat,
          .extra_interval = garp.extra ? garp.extra->interval : std::chrono::seconds(0)};
}

const std::string& home_of(const config::VrrpInstance& instance) {
  return instance.interface.empty() ? instance.vrf : instance.interface;
}

net::IpAddr group_of(const config::VrrpInstance& instance, const config::GlobalDefs& global) {
  if (instance.multicast_group) return *instance.multicast_group;
  return instance.is_v6 ? global.vrrp.mcast_group6 : global.vrrp.mcast_group4;
}

std::vector<vrrp::Tracker> trackers_of(const config::VrrpInstance& instance, const config::SyncGroup* group) {
  std::vector<vrrp::Tracker> trackers = trackers_of(instance.tracking);
  if (group != nullptr) {
    trackers = vrrp::trackers_of_member(trackers, trackers_of(group->tracking), group->sync_group_tracking_weight);
  }
  if (instance.priority == vrrp::priority_owner) trackers = vrrp::trackers_of_owner(trackers);
  add_own_devices(instance, trackers);
  return trackers;
}

bool may_block(const config::VrrpInstance& instance) {
  return !instance.accept && instance.priority != vrrp::priority_owner;
}

FirewallSettings firewall_of(const config::Config& config) {
  const config::VrrpDefaults& vrrp = config.global.vrrp;
  FirewallSettings settings{
      .priority = vrrp.nftables_priority, .counters = vrrp.nftables_counters, .by_ifindex = vrrp.nftables_ifindex};
  if (vrrp.nftables_table) settings.table = *vrrp.nftables_table;
  return settings;
}

std::vector<Sysctl> sysctls_of(const config::Config& config) {
  std::vector<Sysctl> all;
  for (const config::VrrpInstance& instance : config.vrrp_instances) {
    if (!instance.promote_secondaries || instance.interface.empty()) continue;
    all.emplace_back(fmt::format("ipv4/conf/{}/promote_secondaries", instance.interface), 1);
  }
  if (config.global.vrrp.disable_local_igmp) all.emplace_back("ipv4/igmp_link_local_mcast_reports", 0);
  return all;
}

std::vector<Error> missing_interfaces(const config::Config& config, std::span<const std::string> there) {
  std::vector<Error> missing;
  if (config.global.dynamic_interfaces != config::DynamicInterfaces::no) return missing;
  std::set<std::string> known(there.begin(), there.end());
  for (const config::VrrpInstance& instance : config.vrrp_instances) {
    if (instance.vmac) known.insert(instance.vmac->name);
    if (instance.ipvlan) known.insert(instance.ipvlan->name);
  }
  const auto look = [&](const config::Position& position, const std::string& name) {
    if (name.empty() || known.contains(name)) return;
    missing.push_back({position.text(), fmt::format("interface '{}' doesn't exist here, expected one that `ip link` "
                                                    "shows, or dynamic_interfaces in global_defs",
                                                    name)});
  };
  for (const config::VrrpInstance& instance : config.vrrp_instances) {
    look(instance.position, instance.interface);
    look(instance.position, instance.vrf);
    for (const auto* list : {&instance.addresses, &instance.excluded_addresses}) {
      for (const config::InterfaceAddress& address : *list) look(address.position, address.dev);
    }
    for (const config::Tracked& tracked : instance.tracking.interfaces) look(tracked.position, tracked.name);
  }
  for (const config::SyncGroup& group : config.sync_groups) {
    for (const config::Tracked& tracked : group.tracking.interfaces) look(tracked.position, tracked.name);
  }
  for (const config::InterfaceAddress& address : config.static_network.addresses) look(address.position, address.dev);
  return missing;
}

bool is_same_router(const config::VrrpInstance& before, const config::VrrpInstance& after) {
  const bool unicast = !before.unicast_peers.empty();
  if (before.virtual_router_id != after.virtual_router_id || before.is_v6 != after.is_v6 ||
      before.interface != after.interface || before.vrf != after.vrf || unicast != !after.unicast_peers.empty() ||
      before.version != after.version) {
    return false;
  }
  if (unicast) return before.source == after.source;
  return before.vmac == after.vmac && before.ipvlan == after.ipvlan && before.vmac_xmit_base == after.vmac_xmit_base &&
         before.multicast_group == after.multicast_group;
}

}  // namespace sluice::control
