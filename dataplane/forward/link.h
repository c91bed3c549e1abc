// The frame's outermost layer: MACs and VLAN tag of the link it leaves on.
#pragma once

#include "dataplane/packet.h"
#include "dataplane/table/destination.h"

namespace sluice::dataplane {

/// Writes Ethernet header and VLAN tag for `hop`. Adds or removes the tag as the hop wants; the IPv4 header stays where
/// it is, the frame's start moves. packet.l3 and friends are void afterwards.
void write_link(Frame& frame, const Packet& packet, const NextHop& hop);

/// Moves the frame's start by `bytes` to the front (there is headroom: see headroom_min) or, negative, to the back.
inline void extend_front(Frame& frame, int bytes) {
  frame.data -= bytes;
  frame.length = std::uint16_t(frame.length + bytes);
  frame.headroom = std::uint16_t(frame.headroom - bytes);
}

/// Cuts the frame after the IPv4 packet: drops the padding of short frames.
inline void trim_padding(Frame& frame, const Packet& packet) {
  const auto length = std::uint16_t(packet.l3 + packet.l3_length);
  if (length == frame.length) return;
  frame.tailroom = std::uint16_t(frame.tailroom + frame.length - length);
  frame.length = length;
}

}  // namespace sluice::dataplane
