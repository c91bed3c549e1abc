// What a packet is, found once: after parse() nobody checks lengths again and nobody casts again.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/drop.h"
#include "dataplane/port/port.h"
#include "net/address.h"
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
  net::FiveTuple tuple;       ///< of the packet; for icmp_error: of the embedded packet, as it lies there
};

/// Who may send from 127/8: nobody on a wire, but the host's own stack does.
enum class SourceRule : std::uint8_t { wire, host };

/// Parses Ethernet (one 802.1Q tag at most), IPv4 with options, TCP, UDP and ICMP errors. Checks the IPv4 header
/// checksum (as the kernel does before IPVS sees a packet); TCP and UDP checksums aren't looked at (IPVS neither).
/// Returns nothing when the packet may go on, or why it is dropped. Never reads past frame.length.
[[nodiscard]] std::optional<DropReason> parse(const Frame& frame, SourceRule rule, Packet& packet);

}  // namespace sluice::dataplane
