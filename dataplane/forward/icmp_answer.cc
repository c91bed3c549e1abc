#include "dataplane/forward/icmp_answer.h"

#include <algorithm>

#include "dataplane/forward/link.h"
#include "net/checksum.h"

namespace sluice::dataplane {

void make_icmp_error(Frame& frame, Packet& packet, net::Ipv4Addr source, IcmpError error) {
  constexpr unsigned icmp_error_max = 576;
  constexpr unsigned headers = sizeof(net::Ipv4Header) + sizeof(net::IcmpHeader);
  const unsigned quoted = std::min<unsigned>(packet.l3_length, icmp_error_max - headers);
  packet.l3_length = std::uint16_t(quoted);
  trim_padding(frame, packet);
  extend_front(frame, headers);

  std::uint8_t* ipv4 = frame.data + packet.l3;
  std::uint8_t* icmp = ipv4 + sizeof(net::Ipv4Header);
  net::store(icmp, net::IcmpHeader{error.type, error.code, net::Be16(0), net::Be16(0), net::Be16(error.next_hop_mtu)});
  net::store(icmp + offsetof(net::IcmpHeader, checksum), net::checksum(icmp, sizeof(net::IcmpHeader) + quoted));

  net::Ipv4Header outer{};
  outer.version_ihl = 0x45;
  outer.tos = 0xc0;  // internetwork control (RFC 1812 4.3.2.5), as Linux sends its errors
  outer.total_length = net::Be16(std::uint16_t(headers + quoted));
  outer.ttl = 64;
  outer.protocol = net::Protocol::icmp;
  outer.source = source;
  outer.destination = packet.source;
  outer.checksum = net::checksum(reinterpret_cast<const std::uint8_t*>(&outer), sizeof outer);
  net::store(ipv4, outer);
  packet.l3_length = std::uint16_t(headers + quoted);
}

}  // namespace sluice::dataplane
