// What several schedulers share: LVS's measure of load, who may be chosen, and its hash. Pure; safe on any thread.
// The numbers are those of Linux IPVS 6.1; the order in which candidates are asked is each scheduler's own affair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/ids.h"
#include "dataplane/sched/scheduler.h"
#include "dataplane/table/service.h"
#include "net/address.h"

namespace sluice::dataplane {

inline const Load& load_of(const Candidate& candidate, Loads loads) { return loads[index(candidate.destination)]; }

/// May get new connections: not quiesced, and below its upper threshold.
inline bool usable(const Candidate& candidate, Loads loads) {
  return candidate.weight > 0 && !load_of(candidate, loads).overloaded;
}

/// LVS's measure of what a destination carries: an active connection counts as 256 inactive ones.
inline std::uint64_t overhead(const Load& load) { return std::uint64_t{load.active} * 256 + load.inactive; }

/// The usable candidate with the least overhead per weight, the first of equals: wlc's choice, and lblc's for an
/// address it doesn't know. Ratios are compared by cross-multiplication, exact as long as active * weight < 2^56.
inline std::optional<DestinationId> least_overhead_per_weight(const Service& service, Loads loads) {
  const Candidate* least = nullptr;
  std::uint64_t least_overhead = 0;
  for (const Candidate& candidate : service.candidates) {
    if (!usable(candidate, loads)) continue;
    const std::uint64_t its_overhead = overhead(load_of(candidate, loads));
    if (least == nullptr || its_overhead * least->weight < least_overhead * candidate.weight) {
      least = &candidate;
      least_overhead = its_overhead;
    }
  }
  if (least == nullptr) return std::nullopt;
  return least->destination;
}

/// Multiplicative hash to `bits` bits, 1..32: the bucket of an address in sh, dh and lblc.
constexpr std::uint32_t hash32(std::uint32_t value, unsigned bits) { return (value * 0x61C88647u) >> (32 - bits); }

/// Where a destination stands in the service's list; none if it isn't there.
inline std::optional<std::size_t> position_of(const Service& service, DestinationId destination) {
  for (std::size_t i = 0; i < service.candidates.size(); ++i) {
    if (service.candidates[i].destination == destination) return i;
  }
  return std::nullopt;
}

}  // namespace sluice::dataplane
