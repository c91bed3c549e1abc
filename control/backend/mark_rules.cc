#include "control/backend/mark_rules.h"

#include <algorithm>
#include <utility>

#include "dataplane/classify/classifier.h"

namespace sluice::control {

using dataplane::ClassifyRule;

bool MarkRules::set(std::vector<ClassifyRule> rules, const IsTaken& is_taken, std::uint32_t now_s) {
  if (rules == rules_) return false;
  const std::vector<ClassifyRule> before = std::exchange(rules_, std::move(rules));
  // Which mark doesn't matter here, if it is taken: the same packets come in.
  const auto is_in_force = [&](const ClassifyRule& rule) {
    return std::any_of(rules_.begin(), rules_.end(), [&](ClassifyRule other) {
      const bool is_steered = is_taken(std::exchange(other.mark, rule.mark));
      return is_steered && other == rule;
    });
  };
  std::erase_if(kept_, [&](const Kept& kept) { return is_in_force(kept.rule); });
  for (const ClassifyRule& rule : before) {
    if (is_taken(rule.mark) && !is_in_force(rule)) kept_.push_back({rule, now_s});
  }
  // Rules in force come first, then the latest of what is kept.
  const std::size_t room = dataplane::Classifier::rules_max - std::min(dataplane::Classifier::rules_max, rules_.size());
  if (kept_.size() > room) kept_.erase(kept_.begin(), kept_.end() - std::ptrdiff_t(room));
  return true;
}

bool MarkRules::forget(std::uint32_t now_s) {
  return std::erase_if(kept_, [&](const Kept& kept) { return now_s - kept.since_s >= kept_s; }) > 0;
}

std::vector<ClassifyRule> MarkRules::for_workers() const {
  std::vector<ClassifyRule> list = rules_;
  for (const Kept& kept : kept_) {
    list.push_back(kept.rule);
    list.back().mark = 0;
  }
  return list;
}

std::vector<ClassifyRule> MarkRules::for_steering(const IsTaken& is_taken) const {
  std::vector<ClassifyRule> list;
  const auto add = [&](const ClassifyRule& rule) {
    if (is_taken(rule.mark)) list.push_back(rule);
  };
  for (const ClassifyRule& rule : rules_) add(rule);
  for (const Kept& kept : kept_) add(kept.rule);
  return list;
}

}  // namespace sluice::control
