#include "vrrp/frame.h"

#include <bit>

#include "net/headers.h"
#include "vrrp/protocol.h"

namespace sluice::vrrp {

FrameHead multicast_head(const net::MacAddr& mac, const net::IpAddr& source, const net::IpAddr& group,
                         std::size_t length) {
  FrameHead head;
  if (group.is_v4()) {
    const auto to = std::bit_cast<std::array<std::uint8_t, 4>>(group.v4());
    const net::MacAddr group_mac{{0x01, 0x00, 0x5e, std::uint8_t(to[1] & 0x7f), to[2], to[3]}};
    net::store(head.bytes.data(), net::EthernetHeader{group_mac, mac, net::ether_type_ipv4});
    head.size = sizeof(net::EthernetHeader);
    return head;
  }
  const net::Ipv6Addr to = group.v6();
  const net::MacAddr group_mac{{0x33, 0x33, to.bytes[12], to.bytes[13], to.bytes[14], to.bytes[15]}};
  net::store(head.bytes.data(), net::EthernetHeader{group_mac, mac, net::ether_type_ipv6});
  net::store(head.bytes.data() + sizeof(net::EthernetHeader),
             Ipv6Header{net::Be32(6u << 28 | std::uint32_t{type_of_service} << 20), net::Be16(std::uint16_t(length)),
                        ip_protocol_vrrp, ttl_multicast, source.v6(), to});
  head.size = sizeof(net::EthernetHeader) + sizeof(Ipv6Header);
  return head;
}

}  // namespace sluice::vrrp
