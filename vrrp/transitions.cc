// What the transitions of one virtual router consist of, in keepalived's order. When they happen is election.cc.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "vrrp/election.h"

namespace sluice::vrrp {

std::string_view to_string(State state) {
  static constexpr std::array names = {"INIT", "BACKUP", "MASTER", "FAULT"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(Reason reason) {
  static constexpr std::array texts = {
#define SLUICE_TEXT(name, text) std::string_view(text),
      SLUICE_VRRP_REASONS(SLUICE_TEXT)
#undef SLUICE_TEXT
  };
  return texts[static_cast<std::size_t>(reason)];
}

Actions Instance::start(Time now, bool may_start_as_master) {
  assert(!running_);
  Actions actions;
  running_ = true;
  may_start_as_master_ = may_start_as_master;
  started_at_ = now;
  listens_from_ = now + config_.startup_delay;
  if (has_loud_fault()) {
    enter_fault(now, actions);
  } else if (faults_.empty()) {
    enter_first_state(now, may_start_as_master, actions);
  }
  return actions;
}

// `state MASTER` alone means nothing, as in keepalived: only an owner skips the wait, and its BACKUP isn't reported.
void Instance::enter_first_state(Time now, bool may_start_as_master, Actions& actions) {
  entered_before_ = true;
  move(now, State::backup, Reason::started);
  if (config_.start_as_master && config_.priority == priority_owner && may_start_as_master) {
    return arm(not_before(now) + Microseconds(1), actions);
  }
  log(actions, "Entering BACKUP STATE (init)");
  arm(not_before(now) + master_down_interval(), actions);
  actions.push_back(Notify{NotifyEvent::backup, effective_priority()});
}

// The advertisement goes first, so that an old master lets go of the addresses before hosts hear of the new one.
void Instance::become_master(Time now, Reason reason, Actions& actions) {
  // keepalived forgets the learnt interval here only with detailed logging; a slip, not copied.
  master_adver_interval_ = config_.advertisement_interval;
  conceding_ = false;
  other_owner_heard_.reset();
  move(now, State::master, reason);
  ++counters_.become_master;
  send_advert(now + config_.advertisement_interval, actions);
  log(actions, "Entering MASTER STATE");
  log(actions, "setting VIPs.", true);
  actions.push_back(OwnAddresses{accepts()});
  actions.push_back(SendGarp{GarpCause::became_master});
  actions.push_back(Notify{NotifyEvent::master, effective_priority()});
}

// From MASTER (after what had to be said on the wire), and from FAULT.
void Instance::become_backup(Time now, Microseconds wait, Reason reason, Actions& actions) {
  const bool was_master = state_ == State::master;
  move(now, State::backup, reason);
  log(actions, "Entering BACKUP STATE");
  if (was_master) give_up_addresses(actions);
  arm(not_before(now) + wait, actions);
  actions.push_back(Notify{NotifyEvent::backup, effective_priority()});
}

// keepalived says priority 0 twice on its way from MASTER to FAULT; once does.
void Instance::enter_fault(Time now, Actions& actions) {
  const bool was_master = state_ == State::master;
  const bool first = !entered_before_;
  entered_before_ = true;
  move(now, State::fault, Reason::fault);
  if (was_master) send_zero(actions);
  log(actions, first ? "Entering FAULT STATE (init)" : "Entering FAULT STATE");
  if (was_master) give_up_addresses(actions);
  cancel(actions);
  actions.push_back(Notify{NotifyEvent::fault, effective_priority()});
}

Actions Instance::on_fault(Time now, Fault fault, std::string_view why) {
  Actions actions;
  if (fault.kind == FaultKind::interface_down && config_.dont_track_primary) return actions;
  if (std::find(faults_.begin(), faults_.end(), fault) != faults_.end()) return actions;
  faults_.push_back(fault);
  if (!running_) return actions;
  if (!fault.is_silent() && !why.empty()) {
    actions.push_back(Log{fmt::format("({}): entering FAULT state {}", config_.name, why)});
  }
  if (state_ == State::fault) return actions;
  // A script that is waited for holds back only who hasn't begun.
  if (!fault.is_silent()) enter_fault(now, actions);
  return actions;
}

Actions Instance::on_fault_cleared(Time now, Fault fault) {
  Actions actions;
  if (std::erase(faults_, fault) == 0 || !running_ || !faults_.empty()) return actions;
  if (state_ == State::init) {
    enter_first_state(now, may_start_as_master_, actions);
  } else if (state_ == State::fault) {
    // An owner, too, waits in full after a fault.
    master_adver_interval_ = config_.advertisement_interval;
    become_backup(now, master_down_interval(), Reason::fault_cleared, actions);
    if (config_.unicast) actions.push_back(SendGarp{GarpCause::source_address});
  }
  return actions;
}

Actions Instance::stop(Time now, StopCause cause) {
  Actions actions;
  if (!running_) return actions;
  const State before = state_;
  move(now, State::init, Reason::stopped);
  running_ = false;
  if (before == State::master) {
    send_zero(actions);
    give_up_addresses(actions);
  }
  cancel(actions);
  if (cause == StopCause::shutdown) {
    actions.push_back(Notify{NotifyEvent::stop, effective_priority()});
  } else if (config_.notify_deleted) {
    actions.push_back(Notify{NotifyEvent::deleted, effective_priority()});
  } else if (before != State::fault) {
    actions.push_back(Notify{NotifyEvent::fault, effective_priority()});
  }
  return actions;
}

Actions Instance::join_master(Time now) {
  Actions actions;
  if (state_ == State::backup) become_master(now, Reason::sync_group, actions);
  return actions;
}

Actions Instance::leave_master(Time now) {
  Actions actions;
  if (state_ == State::master) become_backup(now, master_down_interval(), Reason::sync_group, actions);
  return actions;
}

bool Instance::has_own_fault(bool silent) const {
  return std::any_of(faults_.begin(), faults_.end(),
                     [&](const Fault& fault) { return !fault.is_of_group() && fault.is_silent() == silent; });
}

bool Instance::has_loud_fault() const {
  return std::any_of(faults_.begin(), faults_.end(), [](const Fault& fault) { return !fault.is_silent(); });
}

void Instance::move(Time now, State to, Reason reason) {
  if (state_ == State::master && to != State::master) ++counters_.release_master;
  last_transition_ = {now, state_, to, reason};
  state_ = to;
  wants_master_ = false;
  preempts_from_.reset();
  said_ = 0;
}

void Instance::give_up_addresses(Actions& actions) {
  log(actions, "removing VIPs.", true);
  actions.push_back(StopGarps{});
  actions.push_back(ReleaseAddresses{});
}

void Instance::send_advert(Time next, Actions& actions) {
  ++counters_.adverts_sent;
  actions.push_back(SendAdvert{effective_priority()});
  arm(next, actions);
}

void Instance::send_zero(Actions& actions) {
  ++counters_.adverts_sent;
  ++counters_.priority_zero_sent;
  actions.push_back(SendAdvert{priority_stopping});
  log(actions, "sent 0 priority");
}

bool Instance::first_time(Said what) {
  const auto bit = std::uint8_t(1u << static_cast<unsigned>(what));
  const bool first = (said_ & bit) == 0;
  said_ = std::uint8_t(said_ | bit);
  return first;
}

void Instance::log(Actions& actions, std::string text, bool detail) const {
  actions.push_back(Log{fmt::format("({}) {}", config_.name, text), detail});
}

void Instance::arm(Time at, Actions& actions) {
  deadline_ = at;
  actions.push_back(ArmTimer{at});
}

void Instance::cancel(Actions& actions) {
  if (!deadline_) return;
  deadline_.reset();
  actions.push_back(CancelTimer{});
}

}  // namespace sluice::vrrp
