// Two BFD sessions over a simulated wire: virtual time, packets that are lost, late, doubled and reordered, cuts of one
// or both directions, restarts with other discriminators, reloads with other intervals. All of it from one seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::vrrp::bfd::simulation {

/// Runs one history. Yields what went wrong; nothing: all rules held:
///   - a session goes down by itself only when nothing was taken for its detection time, and then at once;
///   - it is never Up with a neighbor that has been away for longer than that;
///   - over a quiet wire both are Up within the time that slow packets take, and stay Up;
///   - packets leave no faster than 75 % of the agreed interval allows, answers and news apart.
std::optional<std::string> run(std::uint64_t seed);

}  // namespace sluice::vrrp::bfd::simulation
