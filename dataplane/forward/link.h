// The frame's outermost layer: MACs and VLAN tag of the link it leaves on.
#pragma once

#include <cstddef>

#include "dataplane/packet.h"
#include "dataplane/table/destination.h"

namespace sluice::dataplane {

/// Moves the frame's start by `bytes` to the front (there is headroom: see headroom_min) or, negative, to the back.
inline void extend_front(Frame& frame, int bytes) {
  frame.data -= bytes;
  frame.length = std::uint16_t(frame.length + bytes);
  frame.headroom = std::uint16_t(frame.headroom - bytes);
}

/// Writes Ethernet header and VLAN tag (vlan 0: none). Adds or removes the tag; the IPv4 header stays where it is, the
/// frame's start moves. packet.l3 and friends are void afterwards.
// Field by field from where they lie: a header put together on the stack would be read back before its parts are there.
[[gnu::always_inline]] inline void write_link(Frame& frame, const Packet& packet, std::uint16_t vlan,
                                              const net::MacAddr& destination, const net::MacAddr& source) {
  constexpr int ethernet = sizeof(net::EthernetHeader);
  constexpr int tag = sizeof(net::VlanTag);
  const int wanted = vlan != 0 ? ethernet + tag : ethernet;
  if (const int grow = wanted - int{packet.l3}; grow != 0) extend_front(frame, grow);
  net::store(frame.data + offsetof(net::EthernetHeader, destination), destination);
  net::store(frame.data + offsetof(net::EthernetHeader, source), source);
  net::store(frame.data + offsetof(net::EthernetHeader, ether_type),
             vlan != 0 ? net::ether_type_vlan : net::ether_type_ipv4);
  if (vlan != 0) net::store(frame.data + ethernet, net::VlanTag{net::Be16(vlan), net::ether_type_ipv4});
}
[[gnu::always_inline]] inline void write_link(Frame& frame, const Packet& packet, const NextHop& hop) {
  write_link(frame, packet, hop.vlan, hop.destination, hop.source);
}

/// Cuts the frame after the IPv4 packet: drops the padding of short frames.
inline void trim_padding(Frame& frame, const Packet& packet) {
  const auto length = std::uint16_t(packet.l3 + packet.l3_length);
  if (length == frame.length) return;
  frame.tailroom = std::uint16_t(frame.tailroom + frame.length - length);
  frame.length = length;
}

}  // namespace sluice::dataplane
