// The block that only Sluice has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

enum class Driver : std::uint8_t { af_xdp };
enum class PollPolicy : std::uint8_t { adaptive, always };
enum class XdpMode : std::uint8_t { automatic, zero_copy, native_copy, generic };

/// Sluice's own block. The defaults are meant to be right for nearly everyone.
struct Dataplane {
  Position position;
  Driver driver = Driver::af_xdp;
  std::vector<std::string> interfaces;    ///< empty: those of the virtual addresses and of the routes to real servers
  unsigned queues = 0;                    ///< per interface; 0 = all
  std::vector<unsigned> cores;            ///< empty: automatic
  std::uint32_t connections = 1'048'576;  ///< connection table's size, records
  PollPolicy poll = PollPolicy::adaptive;
  XdpMode xdp_mode = XdpMode::automatic;

  bool operator==(const Dataplane&) const = default;
};

inline constexpr std::uint32_t connections_min = 1024;
/// 2^28 records of 64 bytes are 16 GiB; beyond that indices of 32 bits get tight.
inline constexpr std::uint32_t connections_max = 1u << 28;

}  // namespace sluice::control::config
