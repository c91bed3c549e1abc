// What gives a packet a mark: the engine's stand-in for netfilter's marks, which packets don't carry where the engine
// takes them. Values only; classifier.h compiles them for workers, port/steer.h for the steering program.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/port/port.h"
#include "net/address.h"

namespace sluice::dataplane {

/// The addresses whose first `length` bits are those of `address`. The default: all of them.
struct Ipv4Prefix {
  net::Ipv4Addr address{};
  unsigned length = 0;  ///< 0..32

  [[nodiscard]] constexpr std::uint32_t mask() const { return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length); }
  [[nodiscard]] constexpr std::uint32_t first() const { return address.host() & mask(); }
  [[nodiscard]] constexpr std::uint32_t last() const { return first() | ~mask(); }
  [[nodiscard]] constexpr bool contains(const Ipv4Prefix& other) const {
    return length <= other.length && (other.address.host() & mask()) == first();
  }

  constexpr auto operator<=>(const Ipv4Prefix&) const = default;
};

/// Where a packet comes in: a port of the engine, and the VLAN tag that the frame has there.
struct Ingress {
  PortId port{};
  int ifindex = 0;         ///< of the same port, as the kernel knows it
  std::uint16_t vlan = 0;  ///< 0: untagged

  constexpr auto operator<=>(const Ingress&) const = default;
};

/// All conditions must hold. TCP and UDP only: the engine has no other packets with ports.
struct ClassifyRule {
  std::uint32_t mark = 0;  ///< 0: none; its packets only get to the connections that they may belong to
  Ipv4Prefix destination;
  std::optional<net::Protocol> protocol;
  std::uint16_t port_first = 0;  ///< of the destination; both ends included
  std::uint16_t port_last = 65535;
  Ipv4Prefix source;
  std::optional<Ingress> ingress;

  bool operator==(const ClassifyRule&) const = default;
};

}  // namespace sluice::dataplane
