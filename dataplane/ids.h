// Indices are types, so that they don't mix. All are dense, small, and the same on every worker.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::dataplane {

enum class WorkerId : std::uint8_t {};
/// A virtual service, for as long as control keeps it.
enum class ServiceId : std::uint32_t {};
/// A destination of one service: its identity, to which counters and connections belong, over edits and reloads.
enum class DestinationId : std::uint32_t {};
/// A record in the connection table's slab.
enum class FlowIndex : std::uint32_t {};

inline constexpr FlowIndex no_flow{0xffffffff};

inline constexpr std::size_t services_max = 65535;
inline constexpr std::size_t destinations_max = 1u << 20;

template <typename Id>
[[nodiscard]] constexpr std::size_t index(Id id) {
  return static_cast<std::size_t>(id);
}

}  // namespace sluice::dataplane
