#include "control/vrrp/alarm_clock.h"

#include <chrono>
#include <utility>

namespace sluice::control {

Alarm::Alarm(AlarmClock& clock, std::function<void()> task) : clock_(clock), task_(std::move(task)) {
  if (clock_.free_slots_.empty()) {
    slot_ = std::uint32_t(clock_.slots_.size());
    clock_.slots_.push_back({this, 0});
  } else {
    slot_ = clock_.free_slots_.back();
    clock_.free_slots_.pop_back();
    clock_.slots_[slot_].alarm = this;
  }
}

Alarm::~Alarm() {
  clock_.slots_[slot_].alarm = nullptr;
  ++clock_.slots_[slot_].version;
  clock_.free_slots_.push_back(slot_);
}

void Alarm::set(vrrp::Time at, vrrp::Microseconds early) {
  at_ = at;
  early_ = early;
  if (entry_at_ && *entry_at_ <= at) return;  // its entry comes up before, and is put back then
  clock_.push(*this);
  if (!clock_.is_ringing_ && (!clock_.wakes_at_ || at < *clock_.wakes_at_)) clock_.arm();
}

Alarm* AlarmClock::alarm_of(const Entry& entry) const {
  const Slot& slot = slots_[entry.slot];
  return slot.version == entry.version ? slot.alarm : nullptr;
}

void AlarmClock::push(Alarm& alarm) {
  Slot& slot = slots_[alarm.slot_];
  if (alarm.entry_at_) ++slot.version;  // the one that is there counts no more
  alarm.entry_at_ = alarm.at_;
  entries_.push({*alarm.at_, alarm.slot_, slot.version});
}

void AlarmClock::ring(vrrp::Time now) {
  is_ringing_ = true;
  while (!entries_.empty()) {
    const Entry entry = entries_.top();
    Alarm* alarm = alarm_of(entry);
    const bool is_due = alarm != nullptr && alarm->at_ && *alarm->at_ - alarm->early_ <= now;
    if (entry.at > now && !is_due) break;
    entries_.pop();
    if (alarm == nullptr) continue;
    alarm->entry_at_.reset();
    if (is_due) {
      alarm->at_.reset();
      alarm->task_();
    } else if (alarm->at_) {
      push(*alarm);
    }
  }
  is_ringing_ = false;
  arm();
}

void AlarmClock::arm() {
  if (entries_.empty()) {
    wakes_at_.reset();
    timer_.cancel();
    return;
  }
  if (wakes_at_ == entries_.top().at) return;
  wakes_at_ = entries_.top().at;
  timer_.expires_at(std::chrono::steady_clock::time_point(wakes_at_->time_since_epoch()));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    wakes_at_.reset();
    ring(vrrp::Time(
        std::chrono::duration_cast<vrrp::Microseconds>(std::chrono::steady_clock::now().time_since_epoch())));
  });
}

}  // namespace sluice::control
