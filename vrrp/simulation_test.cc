// Runs histories (simulation.h) from consecutive seeds. A failure names its seed and prints its history.
//
//   SLUICE_HISTORIES=N   how many; default 100,000, fewer under sanitizers
//   SLUICE_SEED=N        the first seed; default: any, printed
#include "vrrp/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace sluice::vrrp::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t histories_default = 2'000;
#else
constexpr std::uint64_t histories_default = 100'000;
#endif
constexpr std::size_t trace_shown_max = 20'000;  // bytes; the end matters

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Simulation, AddressesHaveOneOwnerAndGroupsMoveTogether) {
  const std::uint64_t first = number("SLUICE_SEED", std::random_device{}());
  const std::uint64_t count = number("SLUICE_HISTORIES", histories_default);
  std::printf("%llu histories from seed %llu\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(first));
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    if (!History(seed, nullptr).run()) continue;
    std::string trace;
    const auto complaint = History(seed, &trace).run();
    if (trace.size() > trace_shown_max) trace.erase(0, trace.size() - trace_shown_max);
    FAIL() << trace << complaint.value_or("but not with its trace") << "\nSLUICE_SEED=" << seed
           << " SLUICE_HISTORIES=1";
  }
}

}  // namespace
}  // namespace sluice::vrrp::simulation
