#include "dataplane/flow/timer_wheel.h"

#include <algorithm>

namespace sluice::dataplane {

TimerWheel::TimerWheel(std::span<TimerLink> links, std::uint32_t now_s) : links_(links), current_s_(now_s) {
  std::fill(std::begin(heads_), std::end(heads_), none);
}

void TimerWheel::arm(FlowIndex flow, std::uint32_t deadline_s) { insert(flow, deadline_s, current_s_ + 1); }

void TimerWheel::insert(FlowIndex flow, std::uint32_t deadline_s, std::uint32_t earliest_s) {
  const std::uint32_t latest_s = current_s_ + slots - 1;
  const std::uint32_t slot = std::clamp(deadline_s, earliest_s, latest_s) % slots;
  const auto i = std::uint32_t(index(flow));
  std::uint32_t& head = heads_[slot];
  links_[i] = {slot_bit | slot, head};
  if (head != none) links_[head].previous = i;
  head = i;
}

void TimerWheel::disarm(FlowIndex flow) {
  const TimerLink link = links_[index(flow)];
  if (link.next != none) links_[link.next].previous = link.previous;
  if ((link.previous & slot_bit) != 0)
    heads_[link.previous & ~slot_bit] = link.next;
  else
    links_[link.previous].next = link.next;
}

}  // namespace sluice::dataplane
