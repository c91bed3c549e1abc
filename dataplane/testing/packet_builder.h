// Packets for tests and benches, in few words: PacketBuilder().from("10.0.1.1", 30010).to("10.0.0.5", 80).tcp(tcp_syn).
// Every checksum is right unless the test breaks it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "net/headers.h"

namespace sluice::dataplane::testing {

using Bytes = std::vector<std::uint8_t>;

net::Endpoint endpoint(std::string_view address, std::uint16_t port);
net::MacAddr mac(std::string_view text);

class PacketBuilder {
 public:
  PacketBuilder& link(std::string_view source, std::string_view destination);
  PacketBuilder& vlan(std::uint16_t id);
  PacketBuilder& from(net::Endpoint source);
  PacketBuilder& from(std::string_view address, std::uint16_t port) { return from(endpoint(address, port)); }
  PacketBuilder& to(net::Endpoint destination);
  PacketBuilder& to(std::string_view address, std::uint16_t port) { return to(endpoint(address, port)); }
  PacketBuilder& ttl(std::uint8_t ttl);
  PacketBuilder& tos(std::uint8_t tos);
  PacketBuilder& id(std::uint16_t id);
  PacketBuilder& dont_fragment(bool value = true);
  PacketBuilder& options(Bytes bytes);  ///< a multiple of 4, at most 40
  PacketBuilder& payload(std::size_t length);
  PacketBuilder& pad_to(std::size_t frame_length);

  [[nodiscard]] Bytes tcp(std::uint8_t flags) const;
  [[nodiscard]] Bytes udp(bool with_checksum = true) const;
  /// An ICMP error from this builder's source to its destination about `original` (a frame of another builder), of
  /// which `quoted` bytes of IPv4 packet are carried.
  [[nodiscard]] Bytes icmp_error(std::uint8_t type, std::uint8_t code, const Bytes& original, std::size_t quoted,
                                 std::uint16_t mtu = 0) const;
  /// This builder's addresses, an outer header with `protocol` around the IPv4 packet in `inner`.
  [[nodiscard]] Bytes around(net::Protocol protocol, const Bytes& inner) const;

 private:
  [[nodiscard]] Bytes frame(net::Protocol protocol, const Bytes& segment) const;

  net::MacAddr source_mac_{{2, 0, 0, 0, 1, 1}}, destination_mac_{{2, 0, 0, 0, 0, 1}};
  std::uint16_t vlan_ = 0;
  net::Endpoint source_{}, destination_{};
  std::uint8_t ttl_ = 64, tos_ = 0;
  std::uint16_t id_ = 0x1234;
  bool dont_fragment_ = true;
  Bytes options_;
  std::size_t payload_ = 0, pad_to_ = 0;
};

/// Where the IPv4 header begins.
std::size_t ipv4_offset(const Bytes& frame);
/// One line for people: link, addresses, ports, flags, checksums good or bad, length.
std::string describe(const Bytes& frame);
/// Both packets described, and the first byte that differs; empty when equal. For golden tests' messages.
std::string difference(const Bytes& expected, const Bytes& actual);

}  // namespace sluice::dataplane::testing
