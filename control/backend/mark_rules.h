// The classify rules in force, and those that were until lately: a connection outlives the rule that opened it, as it
// outlives a netfilter rule under IPVS, so its packets must still reach the engine. Plain bookkeeping for the engine
// backend, which hands the lists to the workers and to the steering program.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "dataplane/classify/rule.h"

namespace sluice::control {

class MarkRules {
 public:
  /// As long as IPVS waits for the next packet of an established connection.
  static constexpr std::uint32_t kept_s = 900;
  /// Some service takes packets with this mark.
  using IsTaken = std::function<bool(std::uint32_t)>;

  /// What isn't among `rules` any more is kept for a while, if its mark is taken. now_s: coarse monotonic seconds.
  /// Returns whether anything is different.
  bool set(std::vector<dataplane::ClassifyRule> rules, const IsTaken& is_taken, std::uint32_t now_s);
  /// Lets go of what was kept long enough. Returns whether there was any.
  bool forget(std::uint32_t now_s);

  /// In the order in which they decide; rules without a mark at the end for what is kept.
  [[nodiscard]] std::vector<dataplane::ClassifyRule> for_workers() const;
  /// Of marks that are taken: other packets are better off with the host from the start.
  [[nodiscard]] std::vector<dataplane::ClassifyRule> for_steering(const IsTaken& is_taken) const;

 private:
  struct Kept {
    dataplane::ClassifyRule rule;
    std::uint32_t since_s;
  };

  std::vector<dataplane::ClassifyRule> rules_;
  std::vector<Kept> kept_;  // the oldest first
};

}  // namespace sluice::control
