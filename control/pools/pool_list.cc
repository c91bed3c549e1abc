#include "control/pools/pool_list.h"

#include "control/pools/fingerprint.h"

namespace sluice::control {

PoolList::PoolList(std::vector<PoolSpec> pools) : pools_(std::move(pools)) {
  fingerprints_.reserve(pools_.size());
  for (const PoolSpec& pool : pools_) fingerprints_.push_back(fingerprint_of(pool));
}

}  // namespace sluice::control
