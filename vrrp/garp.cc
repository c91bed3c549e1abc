#include "vrrp/garp.h"

#include <algorithm>
#include <array>

namespace sluice::vrrp {

namespace {

// The time has come: forget it.
bool due(std::optional<Time>& at, Time now) {
  if (!at || now < *at) return false;
  at.reset();
  return true;
}

// From the beginning of a burst to its nth repeat, n from 1 on.
Microseconds after(std::uint32_t n) {
  return Microseconds(n <= 4 ? std::int64_t{1000} << 2 * (n - 1) : std::int64_t{64'000} * (n - 3));
}

}  // namespace

void GarpSchedule::begin(Time now, GarpCause cause, std::uint32_t repeat, GarpBursts& bursts) {
  bursts.push_back({cause, 1});
  std::erase_if(running_, [&](const Running& each) { return each.cause == cause; });  // the new one says all of it
  if (repeat > 1) running_.push_back({cause, now, repeat, 1});
}

GarpBursts GarpSchedule::on_garp(Time now, GarpCause cause) {
  GarpBursts bursts;
  if (cause == GarpCause::lower_priority) {
    if (settings_.lower_prio_repeat == 0) return {};
    if (settings_.lower_prio_delay.count() > 0) second_lower_ = now + settings_.lower_prio_delay;
    begin(now, cause, settings_.lower_prio_repeat, bursts);
    return bursts;
  }
  if (cause != GarpCause::source_address && settings_.master_delay.count() > 0) {
    second_ = now + settings_.master_delay;
  }
  if (cause == GarpCause::became_master && settings_.master_refresh.count() > 0) {
    refresh_ = now + settings_.master_delay + settings_.master_refresh;
  }
  if (cause == GarpCause::became_master && settings_.extra_interval.count() > 0) {
    extra_ = now + settings_.extra_interval;
  }
  begin(now, cause, std::max(settings_.master_repeat, 1u), bursts);
  return bursts;
}

void GarpSchedule::stop() {
  running_.clear();
  second_.reset();
  second_lower_.reset();
  refresh_.reset();
  extra_.reset();
}

GarpBursts GarpSchedule::on_timer(Time now) {
  GarpBursts bursts;
  std::erase_if(running_, [&](Running& each) {
    std::uint32_t count = 0;
    for (; each.done < each.repeat && each.began + after(each.done) <= now; ++each.done) ++count;
    if (count > 0) bursts.push_back({each.cause, count});
    return each.done == each.repeat;
  });
  if (due(second_, now)) begin(now, GarpCause::became_master, std::max(settings_.master_repeat, 1u), bursts);
  if (due(second_lower_, now)) begin(now, GarpCause::lower_priority, settings_.lower_prio_repeat, bursts);
  if (due(refresh_, now)) {
    begin(now, GarpCause::became_master, std::max(settings_.master_refresh_repeat, 1u), bursts);
    refresh_ = now + settings_.master_refresh;
  }
  if (due(extra_, now)) {
    bursts.push_back({GarpCause::extra_interfaces, 1});
    extra_ = now + settings_.extra_interval;
  }
  return bursts;
}

std::optional<Time> GarpSchedule::next() const {
  std::optional<Time> first;
  for (const auto& at : {second_, second_lower_, refresh_, extra_}) {
    if (at && (!first || *at < *first)) first = at;
  }
  for (const Running& each : running_) {
    const Time at = each.began + after(each.done);
    if (!first || at < *first) first = at;
  }
  return first;
}

void GarpSchedule::reload(Time now, const GarpSettings& settings, bool master) {
  const auto again = [&](std::optional<Time>& at, Microseconds before, Microseconds interval) {
    if (interval == before) return;
    at.reset();
    if (master && interval.count() > 0) at = now + interval;
  };
  again(refresh_, settings_.master_refresh, settings.master_refresh);
  again(extra_, settings_.extra_interval, settings.extra_interval);
  settings_ = settings;
}

void GarpPacer::enqueue(std::span<const GarpTarget> targets, std::uint32_t repeat) {
  if (repeat == 0) return;
  for (const GarpTarget& target : targets) {
    auto& queue = (target.address.is_v6() ? na_ : arp_).queue;
    const auto known = std::find_if(queue.begin(), queue.end(), [&](const Waiting& w) { return w.target == target; });
    if (known == queue.end()) {
      queue.push_back({target, repeat});
    } else {
      known->pending = std::max(known->pending, repeat);
    }
  }
}

std::vector<GarpTarget> GarpPacer::take(Time now) {
  std::vector<GarpTarget> frames;
  take(now, arp_, frames);
  take(now, na_, frames);
  return frames;
}

// From now on, not from when it was due: the interval is a promise to the switches, not to us.
void GarpPacer::take(Time now, Budget& budget, std::vector<GarpTarget>& frames) {
  while (!budget.queue.empty() && now >= budget.free_at) {
    Waiting first = budget.queue.front();
    budget.queue.pop_front();
    frames.push_back(first.target);
    if (--first.pending > 0) budget.queue.push_back(first);
    budget.free_at = now + budget.interval;
  }
}

std::optional<Time> GarpPacer::next() const {
  std::optional<Time> first;
  for (const Budget* budget : {&arp_, &na_}) {
    if (!budget->queue.empty() && (!first || budget->free_at < *first)) first = budget->free_at;
  }
  return first;
}

void GarpPacer::forget(std::uint32_t instance) {
  for (Budget* budget : {&arp_, &na_}) {
    std::erase_if(budget->queue, [&](const Waiting& waiting) { return waiting.target.instance == instance; });
  }
}

void GarpPacer::set_intervals(Microseconds garp_interval, Microseconds gna_interval) {
  arp_.interval = garp_interval;
  na_.interval = gna_interval;
}

}  // namespace sluice::vrrp
