// What a packet is, found once: after parse() nobody checks lengths again and nobody casts again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/drop.h"
#include "dataplane/port/port.h"
#include "net/address.h"
#include "net/checksum.h"
#include "net/headers.h"

namespace sluice::dataplane {

enum class PacketKind : std::uint8_t {
  tcp,
  udp,
  icmp_error,  ///< destination unreachable, source quench or time exceeded, with an embedded TCP or UDP packet
};

/// Offsets count bytes from frame.data. Everything up to l4 plus the smallest TCP, UDP or ICMP header lies within the
/// frame; so does, for an ICMP error, the embedded packet up to its ports.
struct Packet {
  std::uint16_t l3;         ///< outer IPv4 header
  std::uint16_t l4;         ///< TCP, UDP or ICMP header
  std::uint16_t l3_length;  ///< bytes of the IPv4 packet, header included; padding of the frame is behind it
  std::uint16_t vlan;       ///< VLAN id 1..4094; 0: no tag
  PacketKind kind;
  std::uint8_t tcp_flags;     ///< 0 unless kind is tcp
  std::uint16_t embedded_l3;  ///< icmp_error only: the embedded IPv4 header
  std::uint16_t embedded_l4;  ///< icmp_error only: the embedded ports
  net::Ipv4Addr source;       ///< of the outer header
  net::Ipv4Addr destination;  ///< of the outer header
  /// Of the packet; for icmp_error: of the embedded packet, turned round, as a packet of its connection has it that
  /// goes the error's way.
  net::FiveTuple tuple;
};

/// Who may send from 127/8: nobody on a wire, but the host's own stack does.
enum class SourceRule : std::uint8_t { wire, host };

/// What nearly every packet is: untagged, without IP options, not a fragment, TCP or UDP, whole and sane. Fills
/// `packet` then. False: parse() looks closer, and knows the reason if it is to be dropped.
[[nodiscard]] inline bool parse_ordinary(const Frame& frame, SourceRule rule, Packet& packet) {
  constexpr std::uint16_t l3 = sizeof(net::EthernetHeader), l4 = l3 + sizeof(net::Ipv4Header);
  constexpr unsigned least = sizeof(net::Ipv4Header) + sizeof(net::TcpHeader);
  if (frame.length < l3 + least) return false;
  const std::uint8_t* ipv4 = frame.data + l3;
  const unsigned total_length = net::load<net::Be16>(ipv4 + offsetof(net::Ipv4Header, total_length)).host();
  const auto protocol = net::load<net::Protocol>(ipv4 + offsetof(net::Ipv4Header, protocol));
  const auto fragment = net::load<net::Be16>(ipv4 + offsetof(net::Ipv4Header, fragment));
  const auto source = net::load<net::Ipv4Addr>(ipv4 + offsetof(net::Ipv4Header, source));
  const auto destination = net::load<net::Ipv4Addr>(ipv4 + offsetof(net::Ipv4Header, destination));
  const std::uint8_t network = ipv4[offsetof(net::Ipv4Header, source)];
  if (net::load<net::Be16>(frame.data + offsetof(net::EthernetHeader, ether_type)) != net::ether_type_ipv4 ||
      ipv4[0] != 0x45 || total_length > unsigned{frame.length} - l3 || total_length < least ||
      (fragment.raw() & net::Be16(0x3fff).raw()) != 0 || net::checksum_sum_20(ipv4) != 0xffff ||
      std::uint8_t(network - 1) >= 223 || (network == 127 && rule == SourceRule::wire) || source == destination) {
    return false;
  }
  const std::uint8_t* segment = frame.data + l4;
  std::uint8_t flags = 0;
  if (protocol == net::Protocol::tcp) {
    const unsigned tcp_length = (segment[offsetof(net::TcpHeader, data_offset)] >> 4) * 4u;
    if (tcp_length < sizeof(net::TcpHeader) || tcp_length > total_length - sizeof(net::Ipv4Header)) return false;
    flags = segment[offsetof(net::TcpHeader, flags)];
  } else if (protocol != net::Protocol::udp) {
    return false;
  }
  packet.l3 = l3;
  packet.l4 = l4;
  packet.l3_length = std::uint16_t(total_length);
  packet.vlan = 0;
  packet.kind = protocol == net::Protocol::tcp ? PacketKind::tcp : PacketKind::udp;
  packet.tcp_flags = flags;
  packet.source = source;
  packet.destination = destination;
  packet.tuple = {
      {source, net::load<net::L4Port>(segment)}, {destination, net::load<net::L4Port>(segment + 2)}, protocol};
  return true;
}

/// parse() of any packet.
[[nodiscard]] std::optional<DropReason> parse_closely(const Frame& frame, SourceRule rule, Packet& packet);

/// Parses Ethernet (one 802.1Q tag at most), IPv4 with options, TCP, UDP and ICMP errors. Checks the IPv4 header
/// checksum (as the kernel does before IPVS sees a packet); TCP and UDP checksums aren't looked at (IPVS neither).
/// Returns nothing when the packet may go on, or why it is dropped. Never reads past frame.length.
[[nodiscard]] inline std::optional<DropReason> parse(const Frame& frame, SourceRule rule, Packet& packet) {
  if (parse_ordinary(frame, rule, packet)) [[likely]]
    return std::nullopt;
  return parse_closely(frame, rule, packet);
}

}  // namespace sluice::dataplane
