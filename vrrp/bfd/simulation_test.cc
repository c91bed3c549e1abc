// Runs histories (simulation.h) from consecutive seeds; a failure names its seed.
//
//   SLUICE_BFD_HISTORIES=N   how many
//   SLUICE_SEED=N            the first seed; default: any, printed
#include "vrrp/bfd/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace sluice::vrrp::bfd::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t histories_default = 300;
#else
constexpr std::uint64_t histories_default = 5'000;
#endif

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(BfdSimulation, SessionsAgreeAndTellTheTruth) {
  const std::uint64_t first = number("SLUICE_SEED", std::random_device{}());
  const std::uint64_t count = number("SLUICE_BFD_HISTORIES", histories_default);
  std::printf("%llu histories from seed %llu\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(first));
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const auto complaint = run(seed);
    ASSERT_FALSE(complaint) << *complaint << "\nSLUICE_SEED=" << seed << " SLUICE_BFD_HISTORIES=1";
  }
}

}  // namespace
}  // namespace sluice::vrrp::bfd::simulation
