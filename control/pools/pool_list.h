// All virtual servers of a configuration, sealed: nobody changes them any more, so their fingerprints can be taken
// once, and comparing two lists costs a look at those.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "control/pools/pool_spec.h"

namespace sluice::control {

class PoolList {
 public:
  PoolList() = default;
  PoolList(std::vector<PoolSpec> pools);  // NOLINT(google-explicit-constructor): sealing is all that there is to it
  PoolList(std::initializer_list<PoolSpec> pools) : PoolList(std::vector<PoolSpec>(pools)) {}

  [[nodiscard]] std::size_t size() const { return pools_.size(); }
  [[nodiscard]] bool empty() const { return pools_.empty(); }
  const PoolSpec& operator[](std::size_t i) const { return pools_[i]; }
  [[nodiscard]] auto begin() const { return pools_.begin(); }
  [[nodiscard]] auto end() const { return pools_.end(); }
  [[nodiscard]] std::span<const PoolSpec> pools() const { return pools_; }

  /// Is the i-th equal to the other list's j-th, in everything?
  [[nodiscard]] bool is_equal(std::size_t i, const PoolList& other, std::size_t j) const {
    return fingerprints_[i] == other.fingerprints_[j];
  }

 private:
  std::vector<PoolSpec> pools_;
  std::vector<std::uint64_t> fingerprints_;
};

}  // namespace sluice::control
