#include "dataplane/forward/tunnel.h"

#include <cstddef>

#include "dataplane/forward/link.h"
#include "dataplane/forward/nat.h"

namespace sluice::dataplane {

namespace {

// RFC 3168 9.1.1, limited-functionality reading that IPVS uses: congestion seen inside isn't told outside.
std::uint8_t outer_tos(std::uint8_t inner) {
  constexpr std::uint8_t ecn = 0x03, congestion_experienced = 0x03, ect0 = 0x02;
  if ((inner & ecn) != congestion_experienced) return inner;
  return std::uint8_t((inner & ~ecn) | ect0);
}

// Of the outer header, from its fields in host order (RFC 1071).
net::Be16 outer_checksum(std::uint32_t fields, net::Ipv4Addr source, net::Ipv4Addr destination) {
  std::uint32_t sum = fields + (source.host() >> 16) + (source.host() & 0xffff) + (destination.host() >> 16) +
                      (destination.host() & 0xffff);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return net::Be16(std::uint16_t(~sum));
}

}  // namespace

void encapsulate_ipip(Frame& frame, Packet& packet, net::Ipv4Addr source, net::Ipv4Addr destination, std::uint16_t id) {
  // Read before anything is written: a wide load right behind narrow stores waits for them.
  const auto inner = net::load<net::Ipv4Header>(frame.data + packet.l3);
  decrement_ttl(frame, packet);
  trim_padding(frame, packet);

  // The Ethernet header moves with the frame's start; write_link writes it anew in front of the outer header.
  extend_front(frame, ipip_overhead);
  packet.l3_length = std::uint16_t(packet.l3_length + ipip_overhead);
  const bool dont_fragment = inner.dont_fragment();
  const std::uint16_t version_tos = std::uint16_t(0x4500 | outer_tos(inner.tos));
  const std::uint16_t outer_id = dont_fragment ? std::uint16_t{0} : id;
  const std::uint16_t fragment = dont_fragment ? 0x4000 : 0;
  const auto ttl_protocol = std::uint16_t(((inner.ttl - 1) << 8) | unsigned(net::Protocol::ipip));
  const std::uint32_t fields = std::uint32_t{version_tos} + packet.l3_length + outer_id + fragment + ttl_protocol;

  std::uint8_t* outer = frame.data + packet.l3;
  net::store(outer, net::Be16(version_tos));
  net::store(outer + offsetof(net::Ipv4Header, total_length), net::Be16(packet.l3_length));
  net::store(outer + offsetof(net::Ipv4Header, id), net::Be16(outer_id));
  net::store(outer + offsetof(net::Ipv4Header, fragment), net::Be16(fragment));
  net::store(outer + offsetof(net::Ipv4Header, ttl), net::Be16(ttl_protocol));
  net::store(outer + offsetof(net::Ipv4Header, checksum), outer_checksum(fields, source, destination));
  net::store(outer + offsetof(net::Ipv4Header, source), source);
  net::store(outer + offsetof(net::Ipv4Header, destination), destination);
}

}  // namespace sluice::dataplane
