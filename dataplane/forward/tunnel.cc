#include "dataplane/forward/tunnel.h"

#include <cstddef>

#include "dataplane/forward/link.h"
#include "dataplane/forward/nat.h"
#include "net/checksum.h"

namespace sluice::dataplane {

namespace {

// RFC 3168 9.1.1, limited-functionality reading that IPVS uses: congestion seen inside isn't told outside.
std::uint8_t outer_tos(std::uint8_t inner) {
  constexpr std::uint8_t ecn = 0x03, congestion_experienced = 0x03, ect0 = 0x02;
  if ((inner & ecn) != congestion_experienced) return inner;
  return std::uint8_t((inner & ~ecn) | ect0);
}

}  // namespace

void encapsulate_ipip(Frame& frame, Packet& packet, net::Ipv4Addr source, net::Ipv4Addr destination, std::uint16_t id) {
  trim_padding(frame, packet);
  decrement_ttl(frame, packet);
  const auto inner = net::load<net::Ipv4Header>(frame.data + packet.l3);

  // The Ethernet header moves with the frame's start; write_link writes it anew in front of the outer header.
  extend_front(frame, ipip_overhead);
  net::Ipv4Header outer{};
  outer.version_ihl = 0x45;
  outer.tos = outer_tos(inner.tos);
  outer.total_length = net::Be16(std::uint16_t(inner.total_length.host() + ipip_overhead));
  outer.fragment = net::Be16(inner.dont_fragment() ? 0x4000 : 0);
  outer.id = net::Be16(inner.dont_fragment() ? std::uint16_t{0} : id);
  outer.ttl = inner.ttl;
  outer.protocol = net::Protocol::ipip;
  outer.source = source;
  outer.destination = destination;
  outer.checksum = net::checksum(reinterpret_cast<const std::uint8_t*>(&outer), sizeof outer);
  net::store(frame.data + packet.l3, outer);
  packet.l3_length = std::uint16_t(packet.l3_length + ipip_overhead);
}

}  // namespace sluice::dataplane
