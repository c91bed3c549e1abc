// Destination hashing: the packet's destination address decides, by a table of 256 buckets that the list fills in turn
// whatever the weights. No fallback: if the bucket's destination is quiesced or overloaded, there is none.
#include <array>
#include <cstdint>

#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane {
namespace {

constexpr unsigned bucket_bits = 8;

class DestinationHash final : public Scheduler {
 public:
  explicit DestinationHash(const Service& service) {
    const std::size_t size = service.candidates.size();
    if (size == 0) return;
    for (std::size_t i = 0; i < positions_.size(); ++i) positions_[i] = static_cast<std::uint8_t>(i % size);
  }

  std::optional<DestinationId> pick(const Service& service, const ScheduleRequest& request, Loads loads) override {
    if (service.candidates.empty()) return std::nullopt;
    const std::uint32_t bucket = hash32(request.virtual_endpoint.address.host(), bucket_bits);
    const Candidate& candidate = service.candidates[positions_[bucket]];
    if (!usable(candidate, loads)) return std::nullopt;
    return candidate.destination;
  }

  void adopt(const Service&, const Scheduler&, const Service&) override {}  // the table follows from the list alone

 private:
  std::array<std::uint8_t, 1u << bucket_bits> positions_{};  // in the list; those past 255 get no bucket, as in IPVS
};

}  // namespace

std::unique_ptr<Scheduler> make_dh(const Service& service) { return std::make_unique<DestinationHash>(service); }

}  // namespace sluice::dataplane
