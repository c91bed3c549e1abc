// Source hashing: the client's address (with sh-port: and port) decides, by a table of 256 buckets that the list fills
// in turn, each destination as many in a row as it weighs. A quiesced destination keeps one bucket: its clients find no
// destination, or with sh-fallback another bucket.
#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane {
namespace {

constexpr unsigned bucket_bits = 8;
constexpr std::uint32_t buckets = 1u << bucket_bits;

class SourceHash final : public Scheduler {
 public:
  explicit SourceHash(const Service& service) {
    const std::size_t size = service.candidates.size();
    if (size == 0) return;
    std::size_t position = 0;
    for (std::size_t filled = 0; filled < buckets; position = (position + 1) % size) {
      const std::size_t share = std::max<std::size_t>(service.candidates[position].weight, 1);
      const std::size_t end = std::min<std::size_t>(filled + share, buckets);
      for (; filled < end; ++filled) positions_[filled] = static_cast<std::uint8_t>(position);
    }
  }

  std::optional<DestinationId> pick(const Service& service, const ScheduleRequest& request, Loads loads) override {
    if (service.candidates.empty()) return std::nullopt;
    const std::uint32_t port = service.sh_port ? request.client.port.host() : 0;
    const std::uint32_t home = hash32(port + request.client.address.host(), bucket_bits);
    if (const Candidate& candidate = service.candidates[positions_[home]]; usable(candidate, loads)) {
      return candidate.destination;
    }
    if (!service.sh_fallback) return std::nullopt;
    // The search starts at twice the bucket, so that the clients of one lost destination spread over the others.
    for (std::uint32_t i = 0; i < buckets; ++i) {
      const Candidate& candidate = service.candidates[positions_[(2 * home + i) % buckets]];
      if (usable(candidate, loads)) return candidate.destination;
    }
    return std::nullopt;
  }

  void adopt(const Service&, const Scheduler&, const Service&) override {}  // the table follows from the list alone

 private:
  std::array<std::uint8_t, buckets>
      positions_{};  // in the list; past 256 or a sum of weights of 256 none gets a bucket
};

}  // namespace

std::unique_ptr<Scheduler> make_sh(const Service& service) { return std::make_unique<SourceHash>(service); }

}  // namespace sluice::dataplane
