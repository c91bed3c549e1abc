// When to look at a connection again. A wheel of one-second slots, each a doubly linked list threaded through an array
// of links that lies beside the records (so that arming one timer doesn't dirty its neighbours' records).
//
// Timers are lazy: a packet never moves one, it stamps the record (last_seen_s). When a slot comes up, each record in
// it is looked at: if it is due it goes, if packets came meanwhile it is armed again for the rest of its time. Only a
// change of state that brings the end nearer moves a timer at once. Timeouts beyond the wheel's horizon are looked at
// once per turn.
//
// Costs: 8 bytes per record; arm and disarm O(1), touching two neighbours' links; a slot is worked off in bounded
// pieces, so that many connections that end in the same second delay no batch.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "dataplane/ids.h"

namespace sluice::dataplane {

/// Neighbours of a record in its slot's list, or, while the record is free, the next free record.
/// previous: a record, or slot_bit | slot when the record is the head of that slot's list.
struct TimerLink {
  std::uint32_t previous;
  std::uint32_t next;
};

class TimerWheel {
 public:
  static constexpr std::uint32_t slots = 1024;  ///< seconds; a power of two above IPVS's longest default timeout, 900
  static constexpr std::uint32_t slot_bit = 0x80000000u;
  static constexpr std::uint32_t none = 0xffffffffu;

  /// links: one per record, owned by the table.
  TimerWheel(std::span<TimerLink> links, std::uint32_t now_s);

  /// Puts a record that isn't in the wheel where it is looked at no later than deadline_s (or the horizon).
  void arm(FlowIndex flow, std::uint32_t deadline_s);
  /// Takes a record out.
  void disarm(FlowIndex flow);

  /// Records that are looked at together, so that their cache misses overlap.
  static constexpr std::size_t batch_max = 16;

  /// Looks at up to `budget` records whose slot has come. due(flows, deadlines_s) gets up to batch_max of them and sets
  /// each one's new deadline, or 0 when the record is to end: the wheel has forgotten it. Returns how many were looked
  /// at.
  template <typename Due>
  std::size_t advance(std::uint32_t now_s, std::size_t budget, Due&& due) {
    std::size_t seen = 0;
    std::array<FlowIndex, batch_max> flows;
    std::array<std::uint32_t, batch_max> deadlines_s;
    while (current_s_ < now_s) {
      std::uint32_t& head = heads_[(current_s_ + 1) % slots];
      while (head != none) {
        if (seen == budget) return seen;
        std::size_t count = 0;
        while (head != none && count < std::min(batch_max, budget - seen)) {
          flows[count] = FlowIndex{head};
          disarm(flows[count++]);
        }
        due(std::span<const FlowIndex>(flows).first(count), std::span(deadlines_s).first(count));
        seen += count;
        // The slot being emptied is that of current_s_ + 1: the nearest that may be armed is the one after.
        for (std::size_t i = 0; i < count; ++i) {
          if (deadlines_s[i] != 0) insert(flows[i], deadlines_s[i], current_s_ + 2);
        }
      }
      ++current_s_;
    }
    return seen;
  }

 private:
  void insert(FlowIndex flow, std::uint32_t deadline_s, std::uint32_t earliest_s);

  std::span<TimerLink> links_;
  std::uint32_t current_s_;  // the last second whose slot is done
  std::uint32_t heads_[slots];
};

}  // namespace sluice::dataplane
