// NAT: the real server's endpoint in place of the virtual one, and back. All checksums by incremental update
// (RFC 1624); a UDP checksum of 0 stays 0, a computed 0 becomes 0xffff (RFC 768).
#pragma once

#include "dataplane/packet.h"
#include "net/checksum.h"

namespace sluice::dataplane {

/// What becomes of the TTL: decremented on the way through the director, untouched on the way into its own stack.
enum class Ttl : std::uint8_t { decrement, keep };

/// An endpoint that takes another's place, and what that does to checksums: the same for every packet of a connection.
struct NatChange {
  net::Endpoint to;
  net::ChecksumDelta address;  ///< folded: of the IPv4 header
  net::ChecksumDelta segment;  ///< folded: of TCP or UDP, whose pseudo header holds the address
};
[[nodiscard]] NatChange nat_change(net::Endpoint from, net::Endpoint to);

/// Client to server: the destination changes. TCP or UDP packets.
void nat_destination(Frame& frame, const Packet& packet, const NatChange& change, Ttl ttl);
/// Server to client: the source changes. TCP or UDP packets.
void nat_source(Frame& frame, const Packet& packet, const NatChange& change, Ttl ttl);

/// ICMP error from the client's side about a packet that VIP sent: outer destination and embedded source become `to`.
void nat_icmp_in(Frame& frame, const Packet& packet, net::Endpoint to, Ttl ttl);
/// ICMP error from the server's side about a packet to it: outer source becomes the virtual address even if a router in
/// between sent it (IPVS), embedded destination the virtual endpoint.
void nat_icmp_out(Frame& frame, const Packet& packet, net::Endpoint to, Ttl ttl);

/// TTL - 1 and the header checksum, nothing else. The TTL is above 1.
void decrement_ttl(Frame& frame, const Packet& packet);

}  // namespace sluice::dataplane
