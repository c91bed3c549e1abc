#include "bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace sluice::bench {

namespace {

double now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return double(time.tv_sec) * 1e9 + double(time.tv_nsec);
}

double quantile(std::vector<double>& values, double q) {
  std::sort(values.begin(), values.end());
  const double place = q * double(values.size() - 1);
  const auto below = std::size_t(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - double(below));
}

}  // namespace

double thread_ns() { return now(CLOCK_THREAD_CPUTIME_ID); }
double wall_ns() { return now(CLOCK_MONOTONIC); }

double ns_per_packet(const std::function<std::uint64_t()>& run, double seconds) {
  std::uint64_t packets = 0;
  const double start = thread_ns();
  double ns = 0;
  while (ns < seconds * 1e9) {
    for (int i = 0; i < 256; ++i) packets += run();
    ns = thread_ns() - start;
  }
  return ns / double(packets);
}

double median(std::vector<double> values) { return values.empty() ? 0 : quantile(values, 0.5); }
double spread(std::vector<double> values) {
  return values.empty() ? 0 : (quantile(values, 0.75) - quantile(values, 0.25)) / 2;
}

void print(const Result& result) {
  // Of the rounds that the figure is of: the ratio's where there is one.
  const auto& rounds = result.ratios.empty() ? result.values : result.ratios;
  const double share = median(rounds) == 0 ? 0 : spread(rounds) / median(rounds);
  std::string line = fmt::format(R"({{"name": "{}", "{}": {:.6g}, "spread": {:.3g})", result.name, result.unit,
                                 median(result.values), share);
  if (!result.ratios.empty()) {
    line += fmt::format(R"(, "ratio": {:.4g}, "to": "{}")", median(result.ratios), result.to);
  }
  if (result.goal) {
    const double reached = median(result.ratios.empty() ? result.values : result.ratios);
    const bool met = result.goal->at_least ? reached >= result.goal->value : reached <= result.goal->value;
    line += fmt::format(R"(, "goal": {:g}, "compare": "{}", "met": {})", result.goal->value,
                        result.goal->at_least ? ">=" : "<=", met);
  }
  if (!result.note.empty()) line += fmt::format(R"(, "note": "{}")", result.note);
  std::puts((line + "}").c_str());
  std::fflush(stdout);
}

}  // namespace sluice::bench
