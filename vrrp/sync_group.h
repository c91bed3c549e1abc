// Virtual routers that move together (vrrp_sync_group): all of them are master, or none; one FAULT is everybody's.
// Pure, as the instances are: a member's events go through its group, and the actions of all members come out, in
// order.
//
// - MASTER: a member whose deadline has passed waits, one Master_Down_Interval after the other, until all others want
// to be
//   master, too; then all go at once.
// - BACKUP: if one member leaves MASTER, all do. To a higher priority silently, for lost addresses with priority 0
// each.
// - FAULT: while one member has a fault of its own, all are in FAULT; then all go to BACKUP.
// - The group notifies after its members, once per change. In keepalived a group that goes down for lost addresses
//   forgets to say BACKUP; ours says it, or scripts would hear MASTER twice.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "vrrp/election.h"

namespace sluice::vrrp {

struct GroupAction {
  static constexpr std::size_t group = static_cast<std::size_t>(-1);

  std::size_t member;  ///< its index, or `group`: a Log or Notify (priority 0, as in keepalived) of the group itself
  Action action;

  bool operator==(const GroupAction&) const = default;
};
using GroupActions = std::vector<GroupAction>;

/// Not thread-safe; owned by the vrrp thread. Nothing fails. Members are named by their index.
class SyncGroup {
 public:
  /// members: not empty, each in one group only; they outlive the group. Running ones (after a reload) are taken as
  /// they are: one that is BACKUP beside masters becomes master by its own deadline.
  SyncGroup(std::string name, std::vector<Instance*> members);

  /// Starts every member. Faults that are there already go in by on_fault() before.
  GroupActions start(Time now);
  GroupActions on_advert(Time now, std::size_t member, const Advert& advert);
  GroupActions on_timer(Time now, std::size_t member);
  GroupActions on_fault(Time now, std::size_t member, Fault fault, std::string_view why);
  GroupActions on_fault_cleared(Time now, std::size_t member, Fault fault);
  GroupActions on_priority_delta(Time now, std::size_t member, int delta);
  GroupActions on_neighbor_lost(Time now, std::size_t member, const net::IpAddr& neighbor);
  GroupActions on_addresses_lost(Time now, std::size_t member);
  GroupActions reload(Time now, std::size_t member, const InstanceConfig& config, bool addresses_added);
  /// Starts a member that a reload added, while others run.
  GroupActions start_member(Time now, std::size_t member);
  GroupActions stop(Time now, StopCause cause);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// FAULT if a member is, MASTER if all are, INIT if all are, else BACKUP.
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] const Instance& member(std::size_t index) const { return *members_[index]; }

 private:
  enum class How { silently, addresses_lost };

  GroupActions follow(Time now, std::size_t member, State before, Actions actions, How how = How::silently);
  void share_faults(Time now, GroupActions& actions);
  void share_fault(Time now, FaultKind kind, bool silent, GroupActions& actions);
  [[nodiscard]] State common_state() const;
  [[nodiscard]] bool all_start_as_master() const;

  std::string name_;
  std::vector<Instance*> members_;
  State state_;
};

}  // namespace sluice::vrrp
