// What tracked things (interfaces, scripts, processes, BFD sessions, files) do to an instance: a sum that changes its
// priority, or a fault. And when a script counts as up. Pure; who watches the things is control's, and what a change of
// priority means is election.h's.
//
//   effective priority = clamp(base + sum of delta(), 1, 254); a base of 255 never changes
//
//   kind                              | up       | down      | weight 0
//   interface, script, process, bfd   | +w, w>0  | -|w|, w<0 | down is a fault
//   file with number n                | n * w, at most 253; -254 or less is a fault; w 0: n != 0 is a fault
//
// `reverse` turns the sign around, and with weight 0 the fault: it is one while the thing is up.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::vrrp {

inline constexpr int track_weight_max = 253;  ///< of a single effect, too; -254 is a fault

enum class TrackKind : std::uint8_t { interface, script, process, bfd, file };

/// One tracked thing as one instance sees it; the same script may have another weight elsewhere.
struct Tracker {
  TrackKind kind = TrackKind::interface;
  std::string name;
  int weight = 0;  ///< -253..253; process and file 254
  bool reverse = false;
  bool up = true;          ///< not of a file
  std::int64_t value = 0;  ///< of a file

  bool operator==(const Tracker&) const = default;
};

/// It puts the instance into FAULT.
[[nodiscard]] bool is_fault(const Tracker& tracker);
/// What it adds to the priority; 0 while it is a fault.
[[nodiscard]] int delta(const Tracker& tracker);

/// For Instance::on_priority_delta.
[[nodiscard]] int sum_of_deltas(std::span<const Tracker> trackers);

/// keepalived's reason for a fault by this tracker, as Instance::on_fault wants it: "(interface eth0 down)",
/// "due to script chk" ...
[[nodiscard]] std::string fault_text(const Tracker& tracker);

/// What a member of a sync group really tracks: its own trackers and the group's. Its own non-zero weights don't count
/// unless sync_group_tracking_weight: an interface then has weight 0, anything else isn't tracked at all (keepalived).
/// What both track has the group's weight.
[[nodiscard]] std::vector<Tracker> trackers_of_member(std::span<const Tracker> own, std::span<const Tracker> group,
                                                      bool sync_group_tracking_weight);
/// What an instance with priority 255 really tracks: only what has weight 0. Its priority is fixed.
[[nodiscard]] std::vector<Tracker> trackers_of_owner(std::span<const Tracker> trackers);

/// Whether a track_script is up, from one result after the other. keepalived's counter r in 0..rise+fall-1, up from
/// rise on: `rise` successes in a row make it up, `fall` failures in a row make it down. The first result ever decides
/// alone, unless init_fail: then it begins as failed.
class ScriptCounter {
 public:
  enum class Status : std::uint8_t { unknown, up, down };

  /// rise and fall: 1 or more; 0 is taken as 1.
  ScriptCounter(unsigned rise, unsigned fall, bool init_fail);

  /// success: exit status 0; anything else, a signal and a timeout are failures. Yields the status if it changed.
  std::optional<Status> on_result(bool success);

  /// unknown: not run yet; an instance that tracks it with weight 0 waits for it.
  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] unsigned count() const { return count_; }

  /// For a reload that changes the limits: what is known stays known.
  void set_limits(unsigned rise, unsigned fall);

 private:
  unsigned rise_;
  unsigned fall_;
  unsigned count_;
  Status status_;
};

}  // namespace sluice::vrrp
