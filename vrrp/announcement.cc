#include "vrrp/announcement.h"

#include "net/byte_order.h"
#include "net/checksum.h"
#include "net/headers.h"
#include "vrrp/frame.h"

namespace sluice::vrrp {

namespace {

constexpr net::MacAddr broadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
constexpr net::MacAddr all_nodes_mac{{0x33, 0x33, 0, 0, 0, 1}};
constexpr net::Ipv6Addr all_nodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

struct Arp {
  net::Be16 hardware_type, protocol_type;
  std::uint8_t hardware_length, protocol_length;
  net::Be16 operation;
  net::MacAddr sender_mac;
  std::array<std::uint8_t, 4> sender;
  net::MacAddr target_mac;
  std::array<std::uint8_t, 4> target;
};
static_assert(sizeof(Arp) == 28);

struct NeighbourAdvertisement {
  std::uint8_t type, code;
  net::Be16 checksum;
  net::Be32 flags;
  net::Ipv6Addr target;
  std::uint8_t option_type, option_length;  // target link-layer address, in units of 8 bytes
  net::MacAddr mac;
};
static_assert(sizeof(NeighbourAdvertisement) == 32);

constexpr std::uint8_t icmpv6 = 58;
constexpr std::uint32_t flag_router = 0x80000000, flag_override = 0x20000000;

}  // namespace

GarpFrame gratuitous_arp(const net::MacAddr& mac, net::Ipv4Addr address) {
  GarpFrame frame;
  net::store(frame.data(), net::EthernetHeader{broadcast, mac, net::ether_type_arp});
  Arp arp{net::Be16(1), net::ether_type_ipv4, 6, 4, net::Be16(1), mac, {}, broadcast, {}};
  net::store(arp.sender.data(), address);
  net::store(arp.target.data(), address);
  net::store(frame.data() + sizeof(net::EthernetHeader), arp);
  return frame;
}

NaFrame neighbour_advertisement(const net::MacAddr& mac, const net::Ipv6Addr& address, bool router) {
  NaFrame frame;
  NeighbourAdvertisement na{136, 0, net::Be16(0), net::Be32(flag_override | (router ? flag_router : 0)), address,
                            2,   1, mac};
  struct {
    net::Ipv6Addr source, destination;
    net::Be32 length, next_header;
  } pseudo{address, all_nodes, net::Be32(sizeof na), net::Be32(icmpv6)};
  const auto sum = net::checksum_sum(reinterpret_cast<const std::uint8_t*>(&pseudo), sizeof pseudo);
  na.checksum = net::Be16::from_raw(
      std::uint16_t(~net::checksum_sum(reinterpret_cast<const std::uint8_t*>(&na), sizeof na, sum)));

  net::store(frame.data(), net::EthernetHeader{all_nodes_mac, mac, net::ether_type_ipv6});
  net::store(frame.data() + sizeof(net::EthernetHeader),
             Ipv6Header{net::Be32(0x60000000), net::Be16(sizeof na), icmpv6, 255, address, all_nodes});
  net::store(frame.data() + sizeof(net::EthernetHeader) + sizeof(Ipv6Header), na);
  return frame;
}

}  // namespace sluice::vrrp
