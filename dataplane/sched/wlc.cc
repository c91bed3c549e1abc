// Weighted least connection, LVS's default: the usable destination with the least overhead for its weight.
#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane {
namespace {

class WeightedLeastConnection final : public Scheduler {
 public:
  std::optional<DestinationId> pick(const Service& service, const ScheduleRequest&, Loads loads) override {
    return least_overhead_per_weight(service, loads);
  }

  void adopt(const Service&, const Scheduler&, const Service&) override {}  // remembers nothing
};

}  // namespace

std::unique_ptr<Scheduler> make_wlc(const Service&) { return std::make_unique<WeightedLeastConnection>(); }

}  // namespace sluice::dataplane
