#include "vrrp/tracking.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::vrrp {

namespace {

// A number that fits nowhere must not overflow its product with a weight.
std::int64_t file_effect(const Tracker& tracker) {
  const std::int64_t value = std::clamp<std::int64_t>(tracker.value, -1'000'000'000, 1'000'000'000);
  return value * (tracker.reverse ? -tracker.weight : tracker.weight);
}

}  // namespace

bool is_fault(const Tracker& tracker) {
  if (tracker.kind == TrackKind::file) {
    if (tracker.weight != 0) return file_effect(tracker) <= -(track_weight_max + 1);
    return (tracker.value != 0) != tracker.reverse;
  }
  return tracker.weight == 0 && tracker.up == tracker.reverse;
}

int delta(const Tracker& tracker) {
  if (is_fault(tracker)) return 0;
  if (tracker.kind == TrackKind::file) return int(std::min<std::int64_t>(file_effect(tracker), track_weight_max));
  const bool counts = tracker.up ? tracker.weight > 0 : tracker.weight < 0;
  if (!counts) return 0;
  const int effect = std::clamp(tracker.weight, -track_weight_max, track_weight_max);
  return tracker.reverse ? -effect : effect;
}

int sum_of_deltas(std::span<const Tracker> trackers) {
  int sum = 0;
  for (const Tracker& tracker : trackers) sum += delta(tracker);
  return sum;
}

std::string fault_text(const Tracker& tracker) {
  const char* state = tracker.up ? "up" : "down";
  switch (tracker.kind) {
    case TrackKind::interface: return fmt::format("(interface {} {})", tracker.name, state);
    case TrackKind::script: return fmt::format("due to script {}{}", tracker.name, tracker.up ? " (reversed)" : "");
    case TrackKind::process: return fmt::format("(tracked process {})", tracker.name);
    case TrackKind::bfd: return fmt::format("(BFD instance {} {})", tracker.name, state);
    case TrackKind::file: return fmt::format("(tracked file {})", tracker.name);
  }
  return {};
}

std::vector<Tracker> trackers_of_member(std::span<const Tracker> own, std::span<const Tracker> group,
                                        bool sync_group_tracking_weight) {
  std::vector<Tracker> all;
  for (Tracker tracker : own) {
    const bool of_group = std::any_of(group.begin(), group.end(), [&](const Tracker& other) {
      return other.kind == tracker.kind && other.name == tracker.name;
    });
    if (of_group) continue;
    if (tracker.weight != 0 && !sync_group_tracking_weight) {
      if (tracker.kind != TrackKind::interface) continue;
      tracker.weight = 0;
      tracker.reverse = false;
    }
    all.push_back(std::move(tracker));
  }
  all.insert(all.end(), group.begin(), group.end());
  return all;
}

std::vector<Tracker> trackers_of_owner(std::span<const Tracker> trackers) {
  std::vector<Tracker> all;
  std::copy_if(trackers.begin(), trackers.end(), std::back_inserter(all),
               [](const Tracker& tracker) { return tracker.weight == 0; });
  return all;
}

ScriptCounter::ScriptCounter(unsigned rise, unsigned fall, bool init_fail)
    : rise_(std::max(rise, 1u)),
      fall_(std::max(fall, 1u)),
      count_(init_fail ? 0 : rise_ - 1),
      status_(init_fail ? Status::down : Status::unknown) {}

std::optional<ScriptCounter::Status> ScriptCounter::on_result(bool success) {
  if (success) {
    // A success among failures that weren't enough makes them count for nothing.
    count_ = count_ + 1 < rise_ ? count_ + 1 : rise_ + fall_ - 1;
  } else {
    count_ = count_ > rise_ ? count_ - 1 : 0;
  }
  const Status before = status_;
  status_ = count_ >= rise_ ? Status::up : Status::down;
  if (status_ == before) return {};
  return status_;
}

void ScriptCounter::set_limits(unsigned rise, unsigned fall) {
  rise_ = std::max(rise, 1u);
  fall_ = std::max(fall, 1u);
  switch (status_) {
    case Status::unknown: count_ = rise_ - 1; break;
    case Status::up: count_ = rise_ + fall_ - 1; break;
    case Status::down: count_ = 0; break;
  }
}

}  // namespace sluice::vrrp
