// Least connection: the usable destination with the least overhead. Weight matters only as zero or not zero.
#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane {
namespace {

class LeastConnection final : public Scheduler {
 public:
  std::optional<DestinationId> pick(const Service& service, const ScheduleRequest&, Loads loads) override {
    const Candidate* least = nullptr;
    std::uint64_t least_overhead = 0;
    for (const Candidate& candidate : service.candidates) {
      if (!usable(candidate, loads)) continue;
      const std::uint64_t its_overhead = overhead(load_of(candidate, loads));
      if (least == nullptr || its_overhead < least_overhead) {
        least = &candidate;
        least_overhead = its_overhead;
      }
    }
    if (least == nullptr) return std::nullopt;
    return least->destination;
  }

  void adopt(const Service&, const Scheduler&, const Service&) override {}  // remembers nothing
};

}  // namespace

std::unique_ptr<Scheduler> make_lc(const Service&) { return std::make_unique<LeastConnection>(); }

}  // namespace sluice::dataplane
