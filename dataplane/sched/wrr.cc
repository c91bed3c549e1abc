// Weighted round robin as LVS does it: the list is walked in passes, each with a water mark, and a pass takes every
// destination whose weight reaches the mark. The mark falls by the weights' greatest common divisor from pass to pass
// and starts again at the greatest weight. So a heavy destination gets its surplus in a row, not spread out.
//
// Any change of the list sends the walk back to the head and keeps the mark, or lowers it when it is now too high. A
// service that grows from nothing therefore begins with the mark at 1: the first pass gives one to every destination.
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane {
namespace {

class WeightedRoundRobin final : public Scheduler {
 public:
  explicit WeightedRoundRobin(const Service& service) {
    std::int64_t divisor = 0;
    std::int64_t greatest = 0;
    for (const Candidate& candidate : service.candidates) {
      divisor = std::gcd(divisor, std::int64_t{candidate.weight});
      greatest = std::max(greatest, std::int64_t{candidate.weight});
    }
    step_ = std::max<std::int64_t>(divisor, 1);
    mark_max_ = greatest - (step_ - 1);
    mark_ = mark_max_;
  }

  std::optional<DestinationId> pick(const Service& service, const ScheduleRequest&, Loads loads) override {
    if (mark_max_ == 0) return std::nullopt;
    const std::size_t size = service.candidates.size();
    const std::size_t began_after = next_;
    std::size_t position = next_;
    std::size_t last_to_ask = size;  // none: the walk ends otherwise
    bool in_lowest_pass = false;     // a whole pass with the mark so low that it asks everyone
    bool refilled = false;
    while (true) {
      for (; position < size; ++position) {
        const Candidate& candidate = service.candidates[position];
        if (candidate.weight >= mark_ && !load_of(candidate, loads).overloaded) {
          next_ = position + 1;
          return candidate.destination;
        }
        if (position == last_to_ask) return std::nullopt;
      }
      position = 0;
      mark_ -= step_;
      if (mark_ <= 0) {
        mark_ = mark_max_;
        if (in_lowest_pass || began_after == 0) return std::nullopt;
        refilled = true;
      }
      skip_fruitless_passes(service, loads);
      in_lowest_pass = mark_ <= step_;
      // Everyone after the start has been asked at this mark or a higher one already, before the mark was refilled.
      if (in_lowest_pass && refilled && began_after != 0) last_to_ask = began_after - 1;
    }
  }

  void adopt(const Service&, const Scheduler& old, const Service&) override {
    mark_ = static_cast<const WeightedRoundRobin&>(old).mark_;
    if (mark_ == 0) {
      // Nobody had a weight. In LVS destinations come one by one, and the first with a weight makes the mark 1,
      // whatever its weight; here several may come at once.
      mark_ = std::min<std::int64_t>(mark_max_, 1);
    } else if (mark_ > mark_max_) {
      mark_ = mark_max_;
    } else if (step_ > 1) {
      mark_ = mark_ / step_ * step_ + 1;
    }
  }

 private:
  /// Lowers the mark at once by as many steps as nobody can reach: with weights in the thousands and the heaviest
  /// destination overloaded, pass by pass would stall the worker. The lowest pass is never skipped, as it ends the
  /// walk.
  void skip_fruitless_passes(const Service& service, Loads loads) {
    std::int64_t reachable = step_;
    for (const Candidate& candidate : service.candidates) {
      if (!load_of(candidate, loads).overloaded) reachable = std::max(reachable, std::int64_t{candidate.weight});
    }
    if (mark_ > reachable) mark_ -= (mark_ - reachable + step_ - 1) / step_ * step_;
  }

  std::size_t next_ = 0;  // one after the last chosen; 0: the walk starts at the head
  std::int64_t step_;     // greatest common divisor of the weights, 1 if there are none
  std::int64_t mark_max_;
  std::int64_t mark_;  // what a weight must reach in this pass
};

}  // namespace

std::unique_ptr<Scheduler> make_wrr(const Service& service) { return std::make_unique<WeightedRoundRobin>(service); }

}  // namespace sluice::dataplane
