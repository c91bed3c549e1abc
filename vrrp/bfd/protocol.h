// The vocabulary of BFD: states, diagnostics, ports. RFC 5880 names them, RFC 5881 (single hop) and RFC 5883 (multihop)
// say how they travel. What sends and reads them is codec.h, what decides is session.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vrrp/protocol.h"

namespace sluice::vrrp::bfd {

/// The wire's numbers (RFC 5880 4.1).
enum class State : std::uint8_t { admin_down = 0, down = 1, init = 2, up = 3 };

/// keepalived's words, which are the RFC's.
[[nodiscard]] constexpr std::string_view to_string(State state) {
  switch (state) {
    case State::admin_down: return "AdminDown";
    case State::down: return "Down";
    case State::init: return "Init";
    case State::up: return "Up";
  }
  return "";
}

/// Why a session left Up, five bits on the wire (RFC 5880 4.1). Those above 8 are reserved, and can come in.
enum class Diagnostic : std::uint8_t {
  none = 0,
  detection_time_expired = 1,
  echo_failed = 2,
  neighbor_signaled_down = 3,
  forwarding_plane_reset = 4,
  path_down = 5,
  concatenated_path_down = 6,
  administratively_down = 7,
  reverse_concatenated_path_down = 8
};

[[nodiscard]] constexpr std::string_view to_string(Diagnostic diagnostic) {
  constexpr std::array<std::string_view, 9> names = {"No Diagnostic",
                                                     "Control Detection Time Expired",
                                                     "Echo Function Failed",
                                                     "Neighbor Signaled Session Down",
                                                     "Forwarding Plane Reset",
                                                     "Path Down",
                                                     "Concatenated Path Down",
                                                     "Administratively Down",
                                                     "Reverse Concatenated Path Down"};
  const auto number = static_cast<std::size_t>(diagnostic);
  return number < names.size() ? names[number] : "Reserved";
}

inline constexpr std::uint16_t port_single_hop = 3784;  ///< RFC 5881 4
inline constexpr std::uint16_t port_multihop = 4784;    ///< RFC 5883 5
inline constexpr std::uint16_t source_port_min = 49152;
inline constexpr std::uint16_t source_port_max = 65535;

/// What a session that isn't Up may send at most (RFC 5880 6.8.3).
inline constexpr Microseconds slow_interval_min{1'000'000};

}  // namespace sluice::vrrp::bfd
