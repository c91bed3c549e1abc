#include "health/watched.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace sluice::health {

ProbeResult file_result(const FileCheckSpec& spec, std::int64_t value) {
  constexpr std::int64_t max = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t min = std::numeric_limits<std::int32_t>::min();
  if (spec.weight == 0) {
    std::string reason = fmt::format("{} says {}", spec.file, value);
    return (value == 0) != spec.reverse ? success(std::move(reason)) : failure(std::move(reason));
  }
  const std::int64_t weight = spec.reverse ? -std::int64_t{spec.weight} : spec.weight;
  const std::int64_t product = std::clamp(std::clamp(value, min, max) * weight, min, max);
  std::string reason = fmt::format("{} says {}, times {}", spec.file, value, weight);
  if (product == min) return failure(std::move(reason));
  ProbeResult result = success(std::move(reason));
  result.weight = WeightReport{WeightReport::Kind::relative, product};
  return result;
}

ProbeResult bfd_result(bool session_is_up) {
  return session_is_up ? success("the session is up") : failure("the session is down");
}

bool is_watched(const CheckerSpec& spec) {
  return std::holds_alternative<FileCheckSpec>(spec.what) || std::holds_alternative<BfdCheckSpec>(spec.what);
}

}  // namespace sluice::health
