#include "health/weight.h"

#include <algorithm>

namespace sluice::health {

std::uint32_t effective_weight(std::uint32_t configured, std::span<const WeightReport> reports) {
  constexpr std::int64_t weight_max = 2147483647;             // as a configuration may say
  constexpr std::int64_t report_max = std::int64_t{1} << 40;  // so that sums can't overflow
  std::int64_t weight = configured;
  for (const WeightReport& report : reports) {
    const std::int64_t value = std::clamp(report.value, -report_max, report_max);
    weight += report.kind == WeightReport::Kind::absolute ? value - configured : value;
  }
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(weight, 0, weight_max));
}

}  // namespace sluice::health
