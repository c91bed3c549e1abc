// How the engine's benches measure and what they print: rounds of the thread's own time, medians, one line of JSON for
// each result. The lines are what bench/run collects.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sluice::bench {

/// Nanoseconds that this thread has run: what else runs on the machine takes no part.
[[nodiscard]] double thread_ns();
/// Nanoseconds of the wall's clock.
[[nodiscard]] double wall_ns();

/// Calls run(), which handles some packets and returns how many, for this long. Nanoseconds per packet.
[[nodiscard]] double ns_per_packet(const std::function<std::uint64_t()>& run, double seconds);

[[nodiscard]] double median(std::vector<double> values);
/// Half the distance from the lower to the upper quartile.
[[nodiscard]] double spread(std::vector<double> values);

struct Goal {
  double value;
  bool at_least = false;  ///< or at most
};

struct Result {
  std::string name;
  std::string unit;            ///< "ns_per_packet", "per_second", "bytes", "latency_us": a field of results.py's Result
  std::vector<double> values;  ///< of the rounds
  std::vector<double> ratios;  ///< of the rounds; empty: there is no yardstick
  std::string to;              ///< the yardstick
  std::optional<Goal> goal;    ///< of the ratio where there is one, of the value otherwise
  std::string note;
};

/// One line.
void print(const Result& result);

}  // namespace sluice::bench
