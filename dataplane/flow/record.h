// One connection, in one cache line. Records live in a slab of fixed-size slots; they hold indices and addresses,
// never pointers, so that a slab in shared memory outlives the process and everything else (hash index, timers,
// counts) can be rebuilt from one sequential scan. A slot whose protocol is 0 is free.
#pragma once

#include <cstdint>
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
  // Identity. In packets: client -> virtual. Out packets: destination (nat) or virtual (others) -> client.
  net::Ipv4Addr client_address;
  net::Ipv4Addr virtual_address;
  net::L4Port client_port;
  net::L4Port virtual_port;
  net::Ipv4Addr destination_address;  ///< as written into packets
  net::L4Port destination_port;
  net::Protocol protocol;
  TcpState state;  ///< none for UDP

  // The forwarding decision.
  std::uint16_t flags;
  ForwardMethod method;
  PortId client_port_id;  ///< auto last hop: where the client's packets come in, and from which neighbour
  DestinationId destination;
  net::MacAddr client_mac;
  std::uint16_t client_vlan;

  // Life. Seconds of the coarse monotonic clock.
  std::uint32_t last_seen_s;
  std::uint32_t timeout_s;

  std::uint8_t reserved[16];  ///< zero; for the persistence template that controls this, sync, fwmark

  [[nodiscard]] net::Endpoint client() const { return {client_address, client_port}; }
  [[nodiscard]] net::Endpoint virtual_endpoint() const { return {virtual_address, virtual_port}; }
  [[nodiscard]] net::Endpoint destination_endpoint() const { return {destination_address, destination_port}; }
};
static_assert(sizeof(FlowRecord) == 64);
static_assert(std::is_trivially_copyable_v<FlowRecord>);

}  // namespace sluice::dataplane
