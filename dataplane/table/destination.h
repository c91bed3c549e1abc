// A destination as a worker sees it: where a real server is and how to reach it. Resolved by control (routes and
// neighbours are its business), copied by value into each worker's array, indexed by DestinationId.
#pragma once

#include <cstdint>

#include "dataplane/flow/record.h"
#include "dataplane/ids.h"
#include "dataplane/port/port.h"
#include "net/address.h"

namespace sluice::dataplane {

/// The frame's way to the next machine: out of `port`, in VLAN `vlan` (0: untagged), between these MACs.
struct NextHop {
  PortId port = no_port;  ///< no_port: unresolved
  std::uint16_t vlan = 0;
  net::MacAddr destination{};
  net::MacAddr source{};
};

struct alignas(64) Destination {
  bool available = false;  ///< false: removed, or never there; packets of its connections are dropped (IPVS)
  bool is_local = false;   ///< an address of the director itself: packets go to the host's own stack
  ForwardMethod method = ForwardMethod::nat;
  NextHop next_hop;               ///< unused when is_local
  net::Ipv4Addr address{};        ///< what NAT and tunnels write into packets
  net::L4Port port{};             ///< 0: keep the packet's port
  net::Ipv4Addr tunnel_source{};  ///< source of the outer header
  std::uint16_t mtu = 1500;       ///< of the route to it, bytes of IPv4 packet
  ServiceId service{};
  /// The worker's own: a packet of up to so many bytes needs no second look before it is sent there. 0: all do.
  std::uint16_t steady_length_max = 0;
  std::uint32_t upper_threshold = 0;  ///< connections, 0: none
  std::uint32_t lower_threshold = 0;
};
static_assert(sizeof(Destination) == 64);

}  // namespace sluice::dataplane
