// The block that only Sluice has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

enum class Driver : std::uint8_t { af_xdp };
enum class PollPolicy : std::uint8_t { adaptive, always };
enum class XdpMode : std::uint8_t { automatic, zero_copy, native_copy, generic };

/// What gives packets a mark, so that a `virtual_server fwmark N` can take them: the engine sees packets before
/// netfilter could mark them. All conditions that are given must hold; the first rule that matches decides.
struct Classify {
  Position position;
  std::uint32_t mark = 0;
  Prefix destination;                     ///< always given: the addresses that the engine takes
  std::optional<net::Protocol> protocol;  ///< TCP, UDP or SCTP; nothing: any of them
  std::uint16_t port_first = 0;           ///< of the destination; both ends included, 0..65535 = any
  std::uint16_t port_last = 65535;
  std::optional<Prefix> source;  ///< of the destination's family
  std::string interface;         ///< where the packet comes in; empty: any

  bool operator==(const Classify&) const = default;
  /// As the file says it: "fwmark 1 destination 192.0.2.10/32 protocol TCP port 80".
  [[nodiscard]] std::string text() const;
};

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
  std::vector<Classify> classify;  ///< in the order of the file

  bool operator==(const Dataplane&) const = default;
};

inline constexpr std::uint32_t connections_min = 1024;
/// 2^28 records of 64 bytes are 16 GiB; beyond that indices of 32 bits get tight.
inline constexpr std::uint32_t connections_max = 1u << 28;

}  // namespace sluice::control::config
