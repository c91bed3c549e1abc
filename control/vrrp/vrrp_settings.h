// What the control thread tells the vrrp thread, and what it hears from it: values that are handed over whole.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "vrrp/election.h"
#include "vrrp/receive_error.h"
#include "vrrp/tracking.h"

namespace sluice::control {

/// A thing that is tracked, and what is known of it. Interfaces aren't among them: the vrrp thread sees those itself.
struct TrackedStatus {
  vrrp::TrackKind kind = vrrp::TrackKind::script;
  std::string name;
  /// Nothing: not known yet; what a weight-0 script has to say is waited for.
  std::optional<bool> up;
  std::int64_t value = 0;  ///< of a file; of processes, in all(): how many run
  /// Of a BFD session that has just ended because nothing came any more: whose absence that is.
  std::optional<net::IpAddr> lost_neighbor = {};
};

struct VrrpSettings {
  config::Config config;  ///< what doesn't concern VRRP is left out
  std::vector<TrackedStatus> tracked;
};

/// Why an instance became master last, with RFC 6527's numbers. keepalived remembers the reason of the time before in
/// some cases.
enum class NewMasterReason : std::uint8_t {
  not_master = 0,
  priority = 1,   ///< the master said goodbye
  preempted = 2,  ///< there was one, of a lower priority
  no_response = 3
};

/// For scripts, FIFOs, mail and SNMP, in the order in which things happened.
struct VrrpNotice {
  bool of_group = false;
  std::string name;
  vrrp::NotifyEvent event = vrrp::NotifyEvent::backup;
  std::uint8_t priority = 0;  ///< effective; 0 for a group
  // Of an instance, for SNMP.
  int ifindex = 0;                         ///< 0: the interface isn't there
  std::optional<net::IpAddr> source = {};  ///< of its advertisements
  NewMasterReason master_reason = NewMasterReason::not_master;

  bool operator==(const VrrpNotice&) const = default;
};

/// An advertisement that was thrown away because of what is in it, for SNMP. There may be any number of them: one per
/// instance and second is told.
struct VrrpRejection {
  std::string name;  ///< of the instance
  vrrp::ReceiveError error = vrrp::ReceiveError::checksum;
  net::IpAddr source;
  int ifindex = 0;
};

/// A line for the log. detail: keepalived says it with -D only.
struct VrrpLine {
  std::string text;
  bool is_warning = false;
  bool is_detail = false;
};

struct TrackerStatus {
  std::string kind;
  std::string name;
  int weight = 0;
  bool is_fault = false;
  int delta = 0;
};

/// What of an instance, or of the static network, is in the kernel because we put it there: in the configuration's
/// order, addresses before excluded addresses.
struct HeldStatus {
  std::vector<bool> addresses;
  std::vector<std::string> interfaces;  ///< of the addresses, held or not
  std::vector<bool> routes;
  std::vector<bool> rules;
};

/// One virtual router as things stand, to be shown.
struct VirtualRouterStatus {
  std::string name;
  std::string interface;
  int ifindex = 0;               ///< of interface; 0: it isn't there
  std::string advert_interface;  ///< the VMAC, or the interface itself
  std::string sync_group;        ///< empty: none
  unsigned virtual_router_id = 0;
  unsigned version = 2;
  bool is_v6 = false;
  vrrp::State state = vrrp::State::init;
  std::uint8_t priority = 0;
  std::uint8_t effective_priority = 0;
  std::optional<net::IpAddr> source;
  std::optional<net::IpAddr> master_address;  ///< whom we heard last
  std::uint8_t master_priority = 0;
  std::chrono::microseconds advertisement_interval{0};
  std::chrono::microseconds master_adver_interval{0};
  std::chrono::microseconds skew_time{0};
  std::chrono::microseconds master_down_interval{0};
  std::optional<std::chrono::microseconds> deadline_in;
  vrrp::Transition last_transition;
  std::chrono::system_clock::time_point last_transition_at;
  /// Since when it is neither in INIT nor in FAULT; nothing: it is.
  std::optional<std::chrono::steady_clock::time_point> up_since;
  NewMasterReason master_reason = NewMasterReason::not_master;
  std::optional<vrrp::ReceiveError> last_error;  ///< of the last advertisement that was thrown away
  std::vector<std::string> faults;
  std::vector<std::string> addresses;
  HeldStatus held;
  std::vector<TrackerStatus> trackers;
  vrrp::Counters counters;
  std::array<std::uint64_t, vrrp::receive_errors> errors{};
};

struct SyncGroupStatus {
  std::string name;
  vrrp::State state = vrrp::State::init;
  std::vector<std::string> members;
};

struct VrrpStatus {
  std::vector<VirtualRouterStatus> routers;
  std::vector<SyncGroupStatus> groups;
  HeldStatus held_static;
  std::uint64_t announcements_sent = 0;
  /// Packets that are nobody's: malformed, or of a virtual router that isn't ours.
  std::array<std::uint64_t, vrrp::receive_errors> errors{};
};

}  // namespace sluice::control
