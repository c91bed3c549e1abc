#include "dataplane/forward/nat.h"

#include <cstddef>

#include "net/checksum.h"

namespace sluice::dataplane {

namespace {

using net::Be16;
using net::Be32;
using net::ChecksumDelta;

constexpr std::size_t ipv4_ttl = offsetof(net::Ipv4Header, ttl);
constexpr std::size_t ipv4_checksum = offsetof(net::Ipv4Header, checksum);
constexpr std::size_t ipv4_source = offsetof(net::Ipv4Header, source);
constexpr std::size_t ipv4_destination = offsetof(net::Ipv4Header, destination);
constexpr std::size_t port_source = 0;
constexpr std::size_t port_destination = 2;

// The word of TTL and protocol, one TTL less. Written whole: a byte written and read back as part of a word would wait
// for the store to retire.
void decrement(std::uint8_t* ipv4, ChecksumDelta& header) {
  const auto before = net::load<Be16>(ipv4 + ipv4_ttl);
  net::store(ipv4 + ipv4_ttl, Be16(std::uint16_t(before.host() - 0x0100)));
  // ~before + after, whatever the TTL: 0xffff less the word's one.
  header.add(ChecksumDelta(Be16(0xfeff).raw()));
}

void apply(std::uint8_t* field, const ChecksumDelta& delta) { net::store(field, delta.apply(net::load<Be16>(field))); }
void apply_small(std::uint8_t* field, const ChecksumDelta& delta) {
  net::store(field, delta.apply_small(net::load<Be16>(field)));
}

// One address and one port of a TCP or UDP packet.
[[gnu::always_inline]] inline void translate(Frame& frame, const Packet& packet, std::size_t address_offset, std::size_t port_offset,
               const NatChange& change, Ttl ttl) {
  std::uint8_t* ipv4 = frame.data + packet.l3;
  std::uint8_t* l4 = frame.data + packet.l4;

  ChecksumDelta header = change.address;
  if (ttl == Ttl::decrement) decrement(ipv4, header);
  net::store(ipv4 + address_offset, change.to.address);
  net::store(l4 + port_offset, change.to.port);
  apply_small(ipv4 + ipv4_checksum, header);
  if (packet.kind == PacketKind::tcp) {
    apply_small(l4 + offsetof(net::TcpHeader, checksum), change.segment);
    return;
  }
  std::uint8_t* field = l4 + offsetof(net::UdpHeader, checksum);
  const auto checksum = net::load<Be16>(field);
  if (checksum == Be16(0)) return;
  const Be16 updated = change.segment.apply_small(checksum);
  net::store(field, updated == Be16(0) ? Be16(0xffff) : updated);
}

// The outer address at `outer_offset`, and in the embedded packet the address and port at the given offsets. The
// embedded IPv4 header's checksum is redone, the embedded TCP or UDP checksum isn't (IPVS), ICMP's own follows it all.
void translate_icmp(Frame& frame, const Packet& packet, std::size_t outer_offset, std::size_t embedded_offset,
                    std::size_t port_offset, net::Ipv4Addr outer_to, net::Endpoint to, Ttl ttl) {
  std::uint8_t* ipv4 = frame.data + packet.l3;
  std::uint8_t* embedded = frame.data + packet.embedded_l3;
  std::uint8_t* embedded_port = frame.data + packet.embedded_l4 + port_offset;

  ChecksumDelta header;
  header.replace(net::load<Be32>(ipv4 + outer_offset), outer_to.value);
  if (ttl == Ttl::decrement) decrement(ipv4, header);
  net::store(ipv4 + outer_offset, outer_to);
  apply(ipv4 + ipv4_checksum, header);

  ChecksumDelta embedded_header;
  embedded_header.replace(net::load<Be32>(embedded + embedded_offset), to.address.value);
  ChecksumDelta icmp = embedded_header;
  const auto checksum_before = net::load<Be16>(embedded + ipv4_checksum);
  apply(embedded + ipv4_checksum, embedded_header);
  icmp.replace(checksum_before, net::load<Be16>(embedded + ipv4_checksum));
  icmp.replace(net::load<Be16>(embedded_port), to.port.value);
  net::store(embedded + embedded_offset, to.address);
  net::store(embedded_port, to.port);

  // The embedded header may begin at an odd offset only if IHL weren't a multiple of 4: it is, so words line up.
  apply(frame.data + packet.l4 + offsetof(net::IcmpHeader, checksum), icmp);
}

}  // namespace

NatChange nat_change(net::Endpoint from, net::Endpoint to) {
  ChecksumDelta address;
  address.replace(from.address.value, to.address.value);
  ChecksumDelta segment = address;
  segment.replace(from.port.value, to.port.value);
  return {to, ChecksumDelta(address.folded()), ChecksumDelta(segment.folded())};
}

void nat_destination(Frame& frame, const Packet& packet, const NatChange& change, Ttl ttl) {
  translate(frame, packet, ipv4_destination, port_destination, change, ttl);
}

void nat_source(Frame& frame, const Packet& packet, const NatChange& change, Ttl ttl) {
  translate(frame, packet, ipv4_source, port_source, change, ttl);
}

void nat_icmp_in(Frame& frame, const Packet& packet, net::Endpoint to, Ttl ttl) {
  translate_icmp(frame, packet, ipv4_destination, ipv4_source, port_source, to.address, to, ttl);
}

void nat_icmp_out(Frame& frame, const Packet& packet, net::Endpoint to, Ttl ttl) {
  translate_icmp(frame, packet, ipv4_source, ipv4_destination, port_destination, to.address, to, ttl);
}

void decrement_ttl(Frame& frame, const Packet& packet) {
  std::uint8_t* ipv4 = frame.data + packet.l3;
  ChecksumDelta header;
  decrement(ipv4, header);
  apply_small(ipv4 + ipv4_checksum, header);
}

}  // namespace sluice::dataplane
