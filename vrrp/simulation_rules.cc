// The course of a history, and what must hold in it:
//
//   always                a router owns addresses exactly while it is MASTER, has a deadline exactly while it is BACKUP
//   or
//                         MASTER, advertises only as master, and its sync group is of one mind
//   always                whatever network and routers do: while one router could be master, no address is without an
//   owner
//                         for longer than a Master_Down_Interval
//   in a calm network     after the settling time each address has exactly one owner, which stays; nobody who preempts
//                         has a higher priority
//   when that one ends    the next one is there after the shortest Master_Down_Interval of the others, or after the
//                         shortest Skew_Time if it could say goodbye: not earlier, and late by no more than the network
//                         and the timers are
#include <fmt/format.h>

#include <algorithm>

#include "vrrp/simulation.h"

namespace sluice::vrrp::simulation {

std::optional<std::string> History::run() {
  for (std::size_t r = 0; r < routers_.size(); ++r) {
    if (random_.percent(80)) boot(r);
  }
  for (auto left = 2 + random_.below(10); left > 0 && !complaint_; --left) {
    run_until(now_ + random_.up_to(2 * down_max_));
    if (!complaint_) chaos();
  }
  heal();
  settle();
  run_until(now_ + down_max_ + random_.up_to(down_max_));
  if (!complaint_) end_a_master();
  settle();
  return complaint_;
}

void History::complain(const std::string& what) {
  complaint_ = fmt::format("at {} us: {}", now_.time_since_epoch().count(), what);
}

void History::check_router(std::size_t index) {
  const Router& router = routers_[index];
  std::size_t masters = 0, faults = 0;
  for (const Member& member : router.members) {
    const State state = member.instance->state();
    masters += state == State::master;
    faults += state == State::fault;
    require(member.owns == (state == State::master),
            [&] { return fmt::format("{} owns: {}, but is {}", member.config.name, member.owns, to_string(state)); });
    const bool waits = state == State::master || state == State::backup;
    require(member.instance->deadline().has_value() == waits,
            [&] { return fmt::format("{} is {} and has no deadline, or one", member.config.name, to_string(state)); });
  }
  if (!router.group) return;
  const std::size_t all = router.members.size();
  require((masters == 0 || masters == all) && (faults == 0 || faults == all), [&] {
    return fmt::format("the sync group of R{} is divided: {} of {} are MASTER, {} in FAULT", index, masters, all,
                       faults);
  });
}

// The bound: nothing more is heard once what was under way has arrived; from then on every backup counts down. A router
// that begins later (boot, end of a fault, reload) counts from there.
void History::check_owners() {
  for (std::size_t v = 0; v < virtual_routers_; ++v) {
    if (settled_) {
      require(owner(v) == settled_owner_[v] && owners_[v] <= 1,
              [&] { return fmt::format("the settled owner of V{} changes", v); });
    }
    if (owners_[v] > 0) continue;
    for (const Router& router : routers_) {
      if (!eligible(router)) continue;
      const Time since = std::max(ownerless_since_[v], router.eligible_from);
      require(now_ <= since + down_max_ + delay_max_ + 2 * late_max_, [&] {
        return fmt::format("V{} has no owner since {} us", v, ownerless_since_[v].time_since_epoch().count());
      });
    }
  }
}

void History::settle() {
  settled_ = false;
  run_until(now_ + startup_delay_max_ + preempt_delay_max_ + 5 * down_max_);
  if (complaint_) return;
  check_one_master();
  settled_ = true;
  for (std::size_t v = 0; v < virtual_routers_; ++v) settled_owner_[v] = owner(v);
}

std::optional<std::size_t> History::owner(std::size_t virtual_router) const {
  for (std::size_t r = 0; r < routers_.size(); ++r) {
    if (routers_[r].members[virtual_router].owns) return r;
  }
  return {};
}

void History::check_one_master() {
  const bool possible = std::any_of(routers_.begin(), routers_.end(), [&](const Router& r) { return eligible(r); });
  for (std::size_t v = 0; v < virtual_routers_; ++v) {
    require(owners_[v] == (possible ? 1 : 0),
            [&] { return fmt::format("V{} has {} owners in a calm network", v, owners_[v]); });
    const auto master = owner(v);
    if (!master) continue;
    require(!grouped_ || master == owner(0), [] { return "a sync group is divided between routers"; });
    const auto priority = routers_[*master].members[v].instance->effective_priority();
    for (const Router& router : routers_) {
      if (!eligible(router)) continue;
      const Instance& instance = *router.members[v].instance;
      require(!instance.config().preempt_mode || instance.effective_priority() <= priority,
              [&] { return fmt::format("{} should have preempted R{}", instance.config().name, *master); });
    }
  }
}

void History::end_a_master() {
  const auto master = owner(0);
  if (!master) return;
  const bool says_goodbye = random_.percent(50);
  std::optional<Microseconds> shortest;
  for (const Router& router : routers_) {
    if (!eligible(router) || &router == &routers_[*master]) continue;
    const Instance& instance = *router.members[0].instance;
    const Microseconds wait = says_goodbye ? instance.skew_time() : instance.master_down_interval();
    shortest = std::min(shortest.value_or(wait), wait);
  }
  // A regular advertisement under way could arrive after the goodbye, and be believed.
  if (says_goodbye) run_until(std::max(now_, routers_[*master].members[0].last_sent + delay_max_));
  if (complaint_) return;
  settled_ = false;
  const Time from = says_goodbye ? now_ : routers_[*master].members[0].last_sent;
  if (says_goodbye) {
    stop(*master);
  } else {
    crash(*master);
  }
  if (!shortest || grouped_) return;
  run_until(from + *shortest + delay_max_ + late_max_);
  require(owners_[0] > 0,
          [&] { return fmt::format("V0 has no owner {} us after its master ended", shortest->count()); });
  require(owned_since_[0] >= from + *shortest, [] { return "V0 was taken over too early"; });
}

}  // namespace sluice::vrrp::simulation
