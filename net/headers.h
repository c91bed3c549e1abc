// Wire headers as they lie in a packet. Read and written with net::load and net::store, never by casting a pointer.
// Sources: IEEE 802.3/802.1Q, RFC 791 (IPv4), 792 (ICMP), 768 (UDP), 9293 (TCP).
#pragma once

#include <cstdint>
#include <type_traits>

#include "net/address.h"
#include "net/byte_order.h"

namespace sluice::net {

struct EthernetHeader {
  MacAddr destination;
  MacAddr source;
  Be16 ether_type;
};
static_assert(sizeof(EthernetHeader) == 14 && std::is_trivial_v<EthernetHeader>);

inline constexpr Be16 ether_type_ipv4{0x0800};
inline constexpr Be16 ether_type_arp{0x0806};
inline constexpr Be16 ether_type_vlan{0x8100};
inline constexpr Be16 ether_type_ipv6{0x86dd};

/// What follows the two MACs and the 0x8100 of a tagged frame.
struct VlanTag {
  Be16 control;  ///< PCP 3 bits, DEI 1 bit, VLAN id 12 bits
  Be16 ether_type;
};
static_assert(sizeof(VlanTag) == 4 && std::is_trivial_v<VlanTag>);

struct Ipv4Header {
  std::uint8_t version_ihl;
  std::uint8_t tos;
  Be16 total_length;  ///< bytes, this header included
  Be16 id;
  Be16 fragment;  ///< flags 3 bits, offset in 8-byte units 13 bits
  std::uint8_t ttl;
  Protocol protocol;
  Be16 checksum;
  Ipv4Addr source;
  Ipv4Addr destination;

  /// Bytes, options included: 20..60 once parsed.
  [[nodiscard]] constexpr unsigned header_length() const { return (version_ihl & 0xfu) * 4; }
  [[nodiscard]] constexpr bool dont_fragment() const { return (fragment.host() & 0x4000) != 0; }
  [[nodiscard]] constexpr bool is_fragment() const { return (fragment.host() & 0x3fff) != 0; }
};
static_assert(sizeof(Ipv4Header) == 20 && std::is_trivial_v<Ipv4Header>);

struct TcpHeader {
  L4Port source;
  L4Port destination;
  Be32 sequence;
  Be32 acknowledgement;
  std::uint8_t data_offset;  ///< high four bits: header length in 32-bit words
  std::uint8_t flags;
  Be16 window;
  Be16 checksum;
  Be16 urgent;
};
static_assert(sizeof(TcpHeader) == 20 && std::is_trivial_v<TcpHeader>);

inline constexpr std::uint8_t tcp_fin = 0x01;
inline constexpr std::uint8_t tcp_syn = 0x02;
inline constexpr std::uint8_t tcp_rst = 0x04;
inline constexpr std::uint8_t tcp_psh = 0x08;
inline constexpr std::uint8_t tcp_ack = 0x10;

struct UdpHeader {
  L4Port source;
  L4Port destination;
  Be16 length;
  Be16 checksum;  ///< 0 = none
};
static_assert(sizeof(UdpHeader) == 8 && std::is_trivial_v<UdpHeader>);

struct IcmpHeader {
  std::uint8_t type;
  std::uint8_t code;
  Be16 checksum;
  Be16 unused;
  Be16 next_hop_mtu;  ///< of "fragmentation needed" (RFC 1191)
};
static_assert(sizeof(IcmpHeader) == 8 && std::is_trivial_v<IcmpHeader>);

inline constexpr std::uint8_t icmp_unreachable = 3;
inline constexpr std::uint8_t icmp_source_quench = 4;
inline constexpr std::uint8_t icmp_time_exceeded = 11;
inline constexpr std::uint8_t icmp_code_host_unreachable = 1;
inline constexpr std::uint8_t icmp_code_port_unreachable = 3;
inline constexpr std::uint8_t icmp_code_fragmentation_needed = 4;

}  // namespace sluice::net
