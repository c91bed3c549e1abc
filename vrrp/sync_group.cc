#include "vrrp/sync_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace sluice::vrrp {

namespace {

void append(GroupActions& to, std::size_t member, Actions actions) {
  for (Action& action : actions) to.push_back({member, std::move(action)});
}

NotifyEvent event_of(State state) {
  switch (state) {
    case State::master: return NotifyEvent::master;
    case State::fault: return NotifyEvent::fault;
    default: return NotifyEvent::backup;
  }
}

}  // namespace

SyncGroup::SyncGroup(std::string name, std::vector<Instance*> members)
    : name_(std::move(name)), members_(std::move(members)) {
  assert(!members_.empty());
  state_ = common_state();
}

bool SyncGroup::all_start_as_master() const {
  return std::all_of(members_.begin(), members_.end(), [](const Instance* member) {
    return member->config().start_as_master && member->config().priority == priority_owner;
  });
}

State SyncGroup::common_state() const {
  const auto are = [&](State state) {
    return std::count_if(members_.begin(), members_.end(), [&](const Instance* m) { return m->state() == state; });
  };
  const auto all = std::ptrdiff_t(members_.size());
  if (are(State::fault) > 0) return State::fault;
  if (are(State::master) == all) return State::master;
  return are(State::init) == all ? State::init : State::backup;
}

// The group's state is told before its members', as keepalived does at the start and only there.
GroupActions SyncGroup::start(Time now) {
  GroupActions members;
  share_faults(now, members);
  const bool as_master = all_start_as_master();
  for (std::size_t i = 0; i < members_.size(); ++i) append(members, i, members_[i]->start(now, as_master));
  state_ = common_state();
  GroupActions actions;
  if (state_ != State::init && !as_master) {
    actions.push_back({GroupAction::group, Notify{event_of(state_), 0}});
  }
  actions.insert(actions.end(), members.begin(), members.end());
  return actions;
}

GroupActions SyncGroup::start_member(Time now, std::size_t member) {
  GroupActions before;
  share_faults(now, before);
  GroupActions actions = follow(now, member, State::init, members_[member]->start(now, false));
  actions.insert(actions.begin(), before.begin(), before.end());
  return actions;
}

GroupActions SyncGroup::on_advert(Time now, std::size_t member, const Advert& advert) {
  const State before = members_[member]->state();
  Actions actions = members_[member]->on_advert(now, advert);
  const bool garps =
      std::find(actions.begin(), actions.end(), Action{SendGarp{GarpCause::lower_priority}}) != actions.end();
  GroupActions all = follow(now, member, before, std::move(actions));
  for (std::size_t i = 0; garps && i < members_.size(); ++i) {
    if (i == member || members_[i]->state() != State::master) continue;
    all.push_back({i, SendGarp{GarpCause::lower_priority}});
  }
  return all;
}

GroupActions SyncGroup::on_timer(Time now, std::size_t member) {
  bool others_want = true;
  for (std::size_t i = 0; i < members_.size(); ++i) others_want &= i == member || members_[i]->wants_master();
  const State before = members_[member]->state();
  return follow(now, member, before, members_[member]->on_timer(now, others_want));
}

GroupActions SyncGroup::on_fault(Time now, std::size_t member, Fault fault, std::string_view why) {
  const State before = members_[member]->state();
  return follow(now, member, before, members_[member]->on_fault(now, fault, why));
}

GroupActions SyncGroup::on_fault_cleared(Time now, std::size_t member, Fault fault) {
  const State before = members_[member]->state();
  return follow(now, member, before, members_[member]->on_fault_cleared(now, fault));
}

GroupActions SyncGroup::on_priority_delta(Time now, std::size_t member, int delta) {
  const State before = members_[member]->state();
  return follow(now, member, before, members_[member]->on_priority_delta(now, delta));
}

GroupActions SyncGroup::on_neighbor_lost(Time now, std::size_t member, const net::IpAddr& neighbor) {
  const State before = members_[member]->state();
  return follow(now, member, before, members_[member]->on_neighbor_lost(now, neighbor));
}

GroupActions SyncGroup::on_addresses_lost(Time now, std::size_t member) {
  const State before = members_[member]->state();
  return follow(now, member, before, members_[member]->on_addresses_lost(now), How::addresses_lost);
}

GroupActions SyncGroup::reload(Time now, std::size_t member, const InstanceConfig& config, bool addresses_added) {
  const State before = members_[member]->state();
  return follow(now, member, before, members_[member]->reload(now, config, addresses_added));
}

GroupActions SyncGroup::stop(Time now, StopCause cause) {
  GroupActions actions;
  for (std::size_t i = 0; i < members_.size(); ++i) append(actions, i, members_[i]->stop(now, cause));
  state_ = State::init;
  if (cause == StopCause::shutdown) actions.push_back({GroupAction::group, Notify{NotifyEvent::stop, 0}});
  return actions;
}

// What one member did, then the others after it; in between keepalived's line about it, at the end the group's notify.
GroupActions SyncGroup::follow(Time now, std::size_t member, State before, Actions actions, How how) {
  const State after = members_[member]->state();
  GroupActions others;
  share_faults(now, others);
  for (std::size_t i = 0; i < members_.size() && before != after; ++i) {
    if (i == member) continue;
    if (after == State::master) append(others, i, members_[i]->join_master(now));
    if (before != State::master || after != State::backup) continue;
    append(others, i,
           how == How::addresses_lost ? members_[i]->on_addresses_lost(now) : members_[i]->leave_master(now));
  }

  GroupActions all;
  append(all, member, std::move(actions));
  const State old = std::exchange(state_, common_state());
  const bool moved = state_ != old && state_ != State::init;
  if (moved) {
    all.push_back({GroupAction::group,
                   Log{fmt::format("VRRP_Group({}) Syncing instances to {} state", name_, to_string(state_))}});
  }
  all.insert(all.end(), others.begin(), others.end());
  if (moved) all.push_back({GroupAction::group, Notify{event_of(state_), 0}});
  return all;
}

// Loud ones first: who goes on to FAULT must not pass BACKUP on its way.
void SyncGroup::share_faults(Time now, GroupActions& actions) {
  share_fault(now, FaultKind::sync_group, false, actions);
  share_fault(now, FaultKind::sync_group_pending, true, actions);
}

void SyncGroup::share_fault(Time now, FaultKind kind, bool silent, GroupActions& actions) {
  const auto faulty = std::count_if(members_.begin(), members_.end(),
                                    [&](const Instance* member) { return member->has_own_fault(silent); });
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const bool others = faulty > (members_[i]->has_own_fault(silent) ? 1 : 0);
    append(actions, i, others ? members_[i]->on_fault(now, {kind}, {}) : members_[i]->on_fault_cleared(now, {kind}));
  }
}

}  // namespace sluice::vrrp
