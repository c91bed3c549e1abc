// ICMP errors that the director itself sends to a client (RFC 792, 1191, 1812): made in place of the packet they
// answer, in the same frame.
#pragma once

#include "dataplane/packet.h"

namespace sluice::dataplane {

struct IcmpError {
  std::uint8_t type;
  std::uint8_t code;
  std::uint16_t next_hop_mtu = 0;  ///< of "fragmentation needed"; otherwise 0
};

/// Turns the frame into the error, from `source` (the virtual address) to the packet's sender, with as much of the
/// packet as an error may carry (576 bytes in all, RFC 1812 4.3.2.3). Sets packet.l3 to the new IPv4 header. The link
/// header is still to be written.
void make_icmp_error(Frame& frame, Packet& packet, net::Ipv4Addr source, IcmpError error);

}  // namespace sluice::dataplane
