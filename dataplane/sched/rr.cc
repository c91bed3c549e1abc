// Round robin: each usable destination in turn, whatever its weight. The cursor stays with the destination that was
// chosen last, so that a change of the list neither repeats nor skips anyone.
#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane {
namespace {

class RoundRobin final : public Scheduler {
 public:
  std::optional<DestinationId> pick(const Service& service, const ScheduleRequest&, Loads loads) override {
    const std::size_t size = service.candidates.size();
    for (std::size_t step = 0, position = next_; step < size; ++step, ++position) {
      if (position >= size) position = 0;
      const Candidate& candidate = service.candidates[position];
      if (!usable(candidate, loads)) continue;
      next_ = position + 1;
      return candidate.destination;
    }
    return std::nullopt;
  }

  /// The cursor follows its destination; if that is gone, it steps back to the entry before it, as IPVS does.
  void adopt(const Service& service, const Scheduler& old, const Service& old_service) override {
    next_ = 0;
    for (std::size_t after = static_cast<const RoundRobin&>(old).next_; after > 0; --after) {
      const auto position = position_of(service, old_service.candidates[after - 1].destination);
      if (position.has_value()) {
        next_ = *position + 1;
        return;
      }
    }
  }

 private:
  std::size_t next_ = 0;  // one after the last chosen; 0 when nobody was chosen yet, so that the list's head is first
};

}  // namespace

std::unique_ptr<Scheduler> make_rr(const Service&) { return std::make_unique<RoundRobin>(); }

}  // namespace sluice::dataplane
