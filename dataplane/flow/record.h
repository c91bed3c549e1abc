// One connection, in one cache line. Records live in a slab of fixed-size slots; they hold indices and addresses,
// never pointers, so that a slab in shared memory outlives the process and everything else (hash index, timers,
// counts) can be rebuilt from one sequential scan. A slot whose protocol is 0 is free.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dataplane/flow/tcp_state.h"
#include "dataplane/ids.h"
#include "dataplane/port/port.h"
#include "net/address.h"

namespace sluice::dataplane {

/// How packets of a connection reach its real server. Numbers are IPVS's (they travel in its sync messages).
enum class ForwardMethod : std::uint8_t { nat = 0, local = 1, tunnel = 2, direct = 3 };

/// Flag bits, numbered as IPVS numbers them.
inline constexpr std::uint16_t flow_no_output = 0x0080;  ///< replies don't pass the director (until one does)
inline constexpr std::uint16_t flow_inactive = 0x0100;   ///< counted in the destination's inactive connections

struct alignas(64) FlowRecord {
  // Identity, each endpoint as net::Endpoint lies in memory (is_same() compares words), with something else in its
  // padding. In packets: client -> virtual. Out packets: destination (nat) or virtual (others) -> client.
  net::Ipv4Addr client_address;
  net::L4Port client_port;
  net::Protocol protocol;
  TcpState state;  ///< none for UDP
  net::Ipv4Addr virtual_address;
  net::L4Port virtual_port;
  std::uint16_t flags;
  net::Ipv4Addr destination_address;  ///< as written into packets
  net::L4Port destination_port;

  // The forwarding decision.
  ForwardMethod method;
  PortId client_port_id;  ///< auto last hop: where the client's packets come in, and from which neighbour
  net::MacAddr client_mac;
  std::uint16_t client_vlan;
  DestinationId destination;

  // Life. Seconds of the coarse monotonic clock.
  std::uint32_t last_seen_s;
  std::uint32_t timeout_s;

  // NAT, client to server: what becomes of the sums under checksums (net::ChecksumDelta::folded).
  std::uint16_t address_delta;  ///< of the IPv4 header
  std::uint16_t segment_delta;  ///< of the segment, pseudo header included

  std::uint8_t reserved[16];  ///< zero; for the persistence template that controls this, sync, fwmark

  [[nodiscard]] net::Endpoint client() const { return {client_address, client_port}; }
  [[nodiscard]] net::Endpoint virtual_endpoint() const { return {virtual_address, virtual_port}; }
  [[nodiscard]] net::Endpoint destination_endpoint() const { return {destination_address, destination_port}; }
};
static_assert(sizeof(FlowRecord) == 64);

/// Whether an endpoint of a record is this one: `of` is the address of its first field. Words, not fields.
[[nodiscard]] inline std::uint64_t difference(const net::Ipv4Addr* of, const net::Endpoint& endpoint) {
  std::uint64_t recorded, given;
  std::memcpy(&recorded, of, sizeof recorded);
  std::memcpy(&given, &endpoint, sizeof given);
  return (recorded ^ given) << 16;  // without the padding
}
static_assert(sizeof(net::Endpoint) == 8 && offsetof(net::Endpoint, port) == 4);
static_assert(std::endian::native == std::endian::little);
static_assert(std::is_trivially_copyable_v<FlowRecord>);

/// The connection of an in packet: source = client, destination = virtual endpoint.
[[nodiscard]] inline bool is_in(const FlowRecord& record, const net::FiveTuple& tuple) {
  return (difference(&record.client_address, tuple.source) | difference(&record.virtual_address, tuple.destination)) ==
             0 &&
         record.protocol == tuple.protocol;
}

/// The connection of an out packet: source = destination's endpoint (NAT) or virtual endpoint (others), destination =
/// client.
[[nodiscard]] inline bool is_out(const FlowRecord& record, const net::FiveTuple& tuple) {
  const net::Ipv4Addr* server =
      record.method == ForwardMethod::nat ? &record.destination_address : &record.virtual_address;
  return (difference(&record.client_address, tuple.destination) | difference(server, tuple.source)) == 0 &&
         record.protocol == tuple.protocol;
}

}  // namespace sluice::dataplane
