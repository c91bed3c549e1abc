// One virtual router of this host as the vrrp thread runs it: the pure parts of vrrp/, and what of the world belongs to
// it. A record: what is done with it is virtual_routers.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/vrrp/address_keeper.h"
#include "control/vrrp/alarm_clock.h"
#include "control/vrrp/route_keeper.h"
#include "control/vrrp/vrrp_settings.h"
#include "vrrp/codec.h"
#include "vrrp/election.h"
#include "vrrp/garp.h"
#include "vrrp/sync_group.h"
#include "vrrp/tracking.h"

namespace sluice::control {

struct AdvertListener;

/// Indices of FaultKind::configuration; 0: it can't listen.
inline constexpr std::uint32_t fault_no_peer = 1;
inline constexpr std::uint32_t fault_no_key = 2;

struct RunningGroup {
  config::SyncGroup config;
  std::unique_ptr<vrrp::SyncGroup> group;
  std::vector<struct VirtualRouter*> members;
};

/// What its alarms do.
struct AlarmTasks {
  std::function<void(struct VirtualRouter&)> deadline, garp, delay;
};

struct VirtualRouter {
  VirtualRouter(AlarmClock& clock, AlarmTasks tasks, std::uint32_t number, const config::VrrpInstance& instance,
                const vrrp::InstanceConfig& election_config, AddressKeeper keeper, RouteKeeper ways)
      : id(number),
        config(instance),
        election(election_config),
        garp(vrrp::GarpSettings{}),
        addresses(std::move(keeper)),
        routes(std::move(ways)),
        deadline(clock, [this, task = std::move(tasks.deadline)] { task(*this); }),
        garp_alarm(clock, [this, task = std::move(tasks.garp)] { task(*this); }),
        delay(clock, [this, task = std::move(tasks.delay)] { task(*this); }) {}

  std::uint32_t id;  ///< of this run; never given twice
  config::VrrpInstance config;
  net::IpAddr group_address;

  vrrp::Instance election;
  vrrp::WireConfig wire;
  std::vector<vrrp::HmacKey> hmac_keys;
  vrrp::WireState wire_state;
  vrrp::GarpSchedule garp;
  std::vector<vrrp::Tracker> trackers;
  AddressKeeper addresses;
  RouteKeeper routes;           ///< and rules
  bool owns_addresses = false;  ///< it is to have them

  RunningGroup* group = nullptr;  ///< null: it stands alone
  std::size_t member = 0;         ///< of the group

  int ifindex = 0;               ///< 0: the interface isn't there
  std::string vmac;              ///< the interface of its own that its addresses are on; empty: it has none
  std::string advert_interface;  ///< the VMAC, or the interface itself
  int advert_ifindex = 0;
  std::optional<net::IpAddr> source;
  std::shared_ptr<AdvertListener> listener;  ///< null: can't listen now
  std::vector<std::uint8_t> packet;

  Alarm deadline;  ///< the election's
  Alarm garp_alarm;
  Alarm delay;                  ///< of interface_up_down_delays
  std::optional<bool> link_up;  ///< as it counts; nothing: not looked at yet

  std::array<std::uint64_t, vrrp::receive_errors> errors{};
  std::set<vrrp::ReceiveError> said;  ///< kinds that were logged since the last transition
  int send_error = 0;                 ///< errno that was logged last
  std::chrono::system_clock::time_point last_transition_at;
  std::optional<std::chrono::steady_clock::time_point> up_since;  ///< nothing: in INIT or FAULT
  NewMasterReason master_reason = NewMasterReason::not_master;
  std::optional<vrrp::ReceiveError> last_error;
  std::optional<vrrp::Time> heard_at;  ///< the last advertisement that was taken, and its priority
  std::uint8_t heard_priority = 0;
  std::chrono::steady_clock::time_point rejection_told_at{};
  bool is_running = false;
};

}  // namespace sluice::control
