// Events of one virtual router. What a transition consists of is transitions.cc.
#include "vrrp/election.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace sluice::vrrp {

namespace {

// To this an owner goes down that can't get rid of another owner.
constexpr std::uint8_t priority_conceding = 254;

std::string seconds(Microseconds time) { return fmt::format("{:.2f}", static_cast<double>(time.count()) / 1e6); }

}  // namespace

InstanceConfig corrected(InstanceConfig config) {
  const bool owner = config.priority == priority_owner;
  if (config.strict) {
    config.start_as_master = owner;
    config.preempt_delay = Microseconds(0);
    config.down_timer_adverts = 3;
    config.lower_prio_no_advert = true;
    config.higher_prio_send_advert = false;
  }
  if (owner || config.start_as_master) config.preempt_mode = true;
  if (config.start_as_master || !config.preempt_mode) config.preempt_delay = Microseconds(0);
  if (config.preempt_mode) config.timer_expired_backup.reset();
  config.down_timer_adverts = std::max(config.down_timer_adverts, 1u);
  return config;
}

Instance::Instance(const InstanceConfig& config)
    : config_(corrected(config)), master_adver_interval_(config.advertisement_interval) {
  assert(config.priority > 0 && config.advertisement_interval.count() > 0);
}

std::uint8_t Instance::effective_priority() const {
  if (config_.priority == priority_owner) return conceding_ ? priority_conceding : priority_owner;
  return std::uint8_t(std::clamp(config_.priority + priority_delta_, 1, 254));
}

Microseconds Instance::skew_time() const {
  return vrrp::skew_time(config_.version, effective_priority(), master_adver_interval_);
}

Microseconds Instance::master_down_interval() const {
  return vrrp::master_down_interval(config_.version, effective_priority(), master_adver_interval_,
                                    config_.down_timer_adverts);
}

// --- advertisements --------------------------------------------------------------------------------------------------

std::optional<ReceiveError> Instance::refusal(Time now) const {
  // keepalived 2.4: the start-up delay is deaf (2.2.7 listened).
  if ((state_ != State::backup && state_ != State::master) || now < listens_from_) return ReceiveError::not_listening;
  if (config_.owner_ignore_adverts && effective_priority() == priority_owner) return ReceiveError::owner_ignores;
  return {};
}

Actions Instance::on_advert(Time now, const Advert& advert) {
  Actions actions;
  if (refusal(now)) return actions;
  ++counters_.adverts_received;
  if (advert.priority == priority_stopping) ++counters_.priority_zero_received;
  compare(advert, actions);
  if (state_ == State::backup) {
    backup_hears(now, advert, actions);
  } else {
    master_hears(now, advert, actions);
  }
  return actions;
}

Actions Instance::on_neighbor_lost(Time now, const net::IpAddr& neighbor) {
  Actions actions;
  if (state_ != State::backup || master_address_ != neighbor || !deadline_) return actions;
  const Time at = not_before(now) + skew_time();
  if (at >= *deadline_) return actions;
  log(actions, fmt::format("Backup lost the master {}, as BFD says", neighbor.text()));
  arm(at, actions);
  return actions;
}

// What keepalived 2.4 complains about and accepts all the same; 2.2.7 dropped advertisements with other addresses.
void Instance::compare(const Advert& advert, Actions& actions) {
  if (advert.interval_differs && first_time(Said::interval)) {
    log(actions, fmt::format("advertisement interval mismatch mine={} rcved={} sec",
                             seconds(config_.advertisement_interval), seconds(advert.max_advertisement_interval)));
  }
  const bool known_master = state_ == State::backup && master_address_ == advert.source;
  if (advert.addresses == AddressList::same || (config_.skip_check_adv_addr && known_master)) return;
  ++counters_.address_list_errors;
  if (!first_time(Said::addresses)) return;
  log(actions,
      fmt::format("advert from {} has {} than ours", advert.source.text(),
                  advert.addresses == AddressList::others ? "other addresses" : "another number of addresses"));
}

void Instance::backup_hears(Time now, const Advert& advert, Actions& actions) {
  if (advert.priority == priority_stopping) {
    log(actions, "Backup received priority 0 advertisement");
    return arm(now + skew_time(), actions);
  }
  // RFC 9568 6.4.2 has no word for preempt_delay, and would take any priority if Preempt_Mode is false; equal
  // priorities are taken without looking at addresses.
  if (advert.priority >= effective_priority()) {
    preempts_from_.reset();
  } else if (config_.preempt_mode && !preempt_delay_runs(now, actions)) {
    if (first_time(Said::discarding)) {
      log(actions, fmt::format("received lower priority ({}) advert from {} - discarding", advert.priority,
                               advert.source.text()));
    }
    return;
  }
  learn(advert);
  wants_master_ = false;
  if (master_address_ != advert.source) {
    said_ = 0;
    log(actions, master_address_
                     ? fmt::format("master changed from {} to {}", master_address_->text(), advert.source.text())
                     : fmt::format("master set to {}", advert.source.text()));
    master_address_ = advert.source;
  }
  master_priority_ = advert.priority;
  arm(now + master_down_interval(), actions);
}

// The first advertisement of a lower priority starts the delay. It ends nothing by itself: from then on such
// advertisements no longer put the deadline off.
bool Instance::preempt_delay_runs(Time now, Actions& actions) {
  if (config_.preempt_delay.count() == 0) return false;
  if (!preempts_from_) {
    preempts_from_ = now + config_.preempt_delay;
    log(actions, fmt::format("start preempt delay ({} s)", seconds(config_.preempt_delay)));
  }
  return now < *preempts_from_;
}

void Instance::learn(const Advert& advert) {
  if (config_.version == Version::v3) master_adver_interval_ = advert.max_advertisement_interval;
}

// keepalived arms a master's timer anew after any packet, a rejected one, too, so that junk silences it. Not copied:
// only an advertisement of our own does.
void Instance::master_hears(Time now, const Advert& advert, Actions& actions) {
  const std::uint8_t ours = effective_priority();
  if (advert.priority == priority_stopping) return send_advert(now + config_.advertisement_interval, actions);
  if (advert.priority != ours) {
    if (advert.priority < ours) return master_hears_lower(now, advert, actions);
    return master_hears_higher(now, advert, Reason::higher_priority, actions);
  }
  const auto order = advert.source <=> config_.source;
  if (order > 0) return master_hears_higher(now, advert, Reason::higher_address, actions);
  if (order < 0) {
    if (!is_persistent_owner(now, advert)) return master_hears_lower(now, advert, actions);
    conceding_ = true;
    log(actions, fmt::format("{} claims to own our addresses, too, and doesn't stop: going down to priority {}",
                             advert.source.text(), effective_priority()));
    return master_hears_higher(now, advert, Reason::higher_priority, actions);
  }
  if (first_time(Said::same_address)) {
    log(actions, fmt::format("WARNING - equal priority advert received from remote host with our IP address ({}).",
                             advert.source.text()));
  }
}

// RFC 5798 discards it; RFC 9568 6.4.3 answers, as keepalived has always done (but in strict mode).
void Instance::master_hears_lower(Time now, const Advert& advert, Actions& actions) {
  if (first_time(Said::lower)) {
    log(actions,
        fmt::format("Received advert from {} with {} priority {}, ours {}, forcing new election", advert.source.text(),
                    advert.priority == effective_priority() ? "same" : "lower", advert.priority, effective_priority()));
  }
  if (!config_.lower_prio_no_advert) send_advert(now + config_.advertisement_interval, actions);
  actions.push_back(SendGarp{GarpCause::lower_priority});
  actions.push_back(Notify{NotifyEvent::master_rx_lower_priority, effective_priority()});
}

void Instance::master_hears_higher(Time now, const Advert& advert, Reason reason, Actions& actions) {
  if (reason == Reason::higher_address) {
    log(actions, fmt::format("Master received advert from {} with same priority {} but higher IP address than ours",
                             advert.source.text(), advert.priority));
  } else {
    log(actions, fmt::format("Master received advert from {} with higher priority {}, ours {}", advert.source.text(),
                             advert.priority, effective_priority()));
  }
  // Makes the winner send its gratuitous ARPs again, after ours.
  if (config_.higher_prio_send_advert) send_advert(now + config_.advertisement_interval, actions);
  learn(advert);
  become_backup(now, master_down_interval(), reason, actions);
  master_address_ = advert.source;
  master_priority_ = advert.priority;
}

// Two owners, and the other has the lower address, so it should have gone: it gets the time for two of our
// advertisements, and one of its own with a fifth to spare (keepalived 2.4; 2.2.7 goes down at once and for good).
bool Instance::is_persistent_owner(Time now, const Advert& advert) {
  if (effective_priority() != priority_owner) return false;
  const Microseconds longest =
      std::max<Microseconds>(config_.advertisement_interval, advert.max_advertisement_interval);
  const bool again = other_owner_heard_ && now - *other_owner_heard_ <= 3 * longest;
  if (!again) other_owner_since_ = now;
  other_owner_heard_ = now;
  return now - other_owner_since_ > 2 * config_.advertisement_interval + longest * 6 / 5;
}

// --- other events ----------------------------------------------------------------------------------------------------

Actions Instance::on_timer(Time now, bool group_wants_master) {
  Actions actions;
  if (!deadline_) return actions;
  if (now < *deadline_) {
    arm(*deadline_, actions);
    return actions;
  }
  if (state_ == State::backup) {
    log(actions, "Receive advertisement timeout");
    wants_master_ = true;
    if (group_wants_master) {
      become_master(now, Reason::master_down, actions);
    } else {
      arm(now + master_down_interval(), actions);
    }
    return actions;
  }
  assert(state_ == State::master);
  if (config_.timer_expired_backup) {
    const Time last = *deadline_ - config_.advertisement_interval;
    const Microseconds peer = vrrp::master_down_interval(config_.version, *config_.timer_expired_backup,
                                                         config_.advertisement_interval, config_.down_timer_adverts);
    if (now - last > peer) {
      log(actions, fmt::format("timer expired {} s late, a peer must have taken over", seconds(now - *deadline_)));
      become_backup(now, master_down_interval(), Reason::timer_late, actions);
      return actions;
    }
  }
  // From deadline to deadline, so that a late loop doesn't stretch the interval that backups count on.
  const Time due = *deadline_ + config_.advertisement_interval;
  send_advert(due > now ? due : now + config_.advertisement_interval, actions);
  return actions;
}

Actions Instance::on_priority_delta(Time now, int delta) {
  Actions actions;
  const std::uint8_t before = effective_priority();
  const Microseconds waited = master_down_interval();
  priority_delta_ = delta;
  const std::uint8_t after = effective_priority();
  if (before == after) return actions;
  log(actions, fmt::format("Changing effective priority from {} to {}", before, after));
  if (!running_) return actions;
  if (state_ == State::backup && deadline_) arm(std::max(now, *deadline_ + (master_down_interval() - waited)), actions);
  const bool master = state_ == State::master;
  actions.push_back(Notify{master ? NotifyEvent::master_priority : NotifyEvent::backup_priority, after});
  return actions;
}

Actions Instance::on_addresses_lost(Time now) {
  Actions actions;
  if (state_ != State::master) return actions;
  send_zero(actions);
  // Only the skew: nobody else may want it, and then the addresses are back at once.
  become_backup(now, skew_time(), Reason::addresses_lost, actions);
  return actions;
}

Actions Instance::reload(Time now, const InstanceConfig& config, bool addresses_added) {
  Actions actions;
  const bool other_version = config.version != config_.version;
  config_ = corrected(config);
  said_ = 0;
  conceding_ = false;
  if (now < listens_from_) listens_from_ = started_at_ + config_.startup_delay;
  if (state_ == State::master || config_.version == Version::v2 || other_version) {
    master_adver_interval_ = config_.advertisement_interval;
  }
  if (state_ == State::master) {
    actions.push_back(UpdateAddresses{accepts()});
    if (addresses_added) actions.push_back(SendGarp{GarpCause::addresses_added});
    arm(now, actions);
  } else if (state_ == State::backup) {
    preempts_from_.reset();
    arm(not_before(now) + master_down_interval(), actions);
  }
  return actions;
}

}  // namespace sluice::vrrp
