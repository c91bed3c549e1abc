// BFD control packets to bytes and back (RFC 5880 4.1), without authentication: keepalived has none. Pure. The UDP
// payload only; whose session a packet is for is demultiplex.h's, what it does there session.h's.
//
//   0                   1                   2                   3
//   |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
//   |                       My Discriminator                        |
//   |                      Your Discriminator                       |
//   |                 Desired Min TX Interval, microseconds         |
//   |                Required Min RX Interval, microseconds         |
//   |              Required Min Echo RX Interval, microseconds      |
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "vrrp/bfd/protocol.h"
#include "vrrp/bfd/receive_error.h"

namespace sluice::vrrp::bfd {

inline constexpr std::size_t packet_size = 24;
using PacketBytes = std::array<std::uint8_t, packet_size>;

struct ControlPacket {
  Diagnostic diagnostic = Diagnostic::none;
  State state = State::down;
  bool poll = false;
  bool final = false;
  bool control_plane_independent = false;
  bool demand = false;
  std::uint8_t detect_mult = 1;
  std::uint32_t my_discriminator = 0;
  std::uint32_t your_discriminator = 0;
  Microseconds desired_min_tx{0};        ///< 0..2^32-1
  Microseconds required_min_rx{0};       ///< 0: wants no periodic packets
  Microseconds required_min_echo_rx{0};  ///< 0: takes no echo packets; ours are always 0

  bool operator==(const ControlPacket&) const = default;
};

[[nodiscard]] PacketBytes encode(const ControlPacket& packet);

/// Every check of RFC 5880 6.8.6 that takes no session. What comes behind the packet's own length is ignored.
[[nodiscard]] std::expected<ControlPacket, ReceiveError> decode(std::span<const std::uint8_t> payload);

}  // namespace sluice::vrrp::bfd
