// Addresses and ports: IPv4, IPv6, either of them, MAC, layer-4 port, endpoint. Values; bytes in network order inside.
// Text forms are those of inet_pton (no host names, no brackets) and "aa:bb:cc:dd:ee:ff".
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "net/byte_order.h"

namespace sluice::net {

struct Ipv4Addr {
  Be32 value;

  /// a.b.c.d
  static constexpr Ipv4Addr of(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {Be32((std::uint32_t{a} << 24) | (std::uint32_t{b} << 16) | (std::uint32_t{c} << 8) | d)};
  }
  static constexpr Ipv4Addr from_host(std::uint32_t host) { return {Be32(host)}; }
  static std::optional<Ipv4Addr> parse(std::string_view text);

  [[nodiscard]] constexpr std::uint32_t host() const { return value.host(); }
  [[nodiscard]] constexpr bool is_loopback() const { return (host() >> 24) == 127; }
  [[nodiscard]] constexpr bool is_multicast() const { return (host() >> 28) == 0xe; }
  [[nodiscard]] std::string text() const;

  constexpr auto operator<=>(const Ipv4Addr&) const = default;
};
static_assert(sizeof(Ipv4Addr) == 4 && std::is_trivial_v<Ipv4Addr>);

struct Ipv6Addr {
  std::array<std::uint8_t, 16> bytes;

  static std::optional<Ipv6Addr> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  constexpr auto operator<=>(const Ipv6Addr&) const = default;
};
static_assert(sizeof(Ipv6Addr) == 16 && std::is_trivial_v<Ipv6Addr>);

/// An address of either family; what configuration, control and health speak. Ordered IPv4 before IPv6.
class IpAddr {
 public:
  IpAddr() = default;   ///< 0.0.0.0
  IpAddr(Ipv4Addr v4);  // NOLINT(google-explicit-constructor): every IPv4 address is an address
  IpAddr(Ipv6Addr v6);  // NOLINT(google-explicit-constructor)
  /// A ':' selects IPv6, as in keepalived.
  static std::optional<IpAddr> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return !is_v6_; }
  [[nodiscard]] bool is_v6() const { return is_v6_; }
  /// Only when is_v4().
  [[nodiscard]] Ipv4Addr v4() const;
  /// Only when is_v6().
  [[nodiscard]] Ipv6Addr v6() const;
  [[nodiscard]] std::string text() const;

  [[nodiscard]] std::size_t hash() const;

  auto operator<=>(const IpAddr&) const = default;

 private:
  bool is_v6_ = false;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4: in the first four
};

struct MacAddr {
  std::array<std::uint8_t, 6> bytes;

  static std::optional<MacAddr> parse(std::string_view text);
  [[nodiscard]] constexpr bool is_group() const { return (bytes[0] & 1) != 0; }
  [[nodiscard]] constexpr bool is_zero() const { return bytes == std::array<std::uint8_t, 6>{}; }
  [[nodiscard]] std::string text() const;

  constexpr auto operator<=>(const MacAddr&) const = default;
  // Two words instead of a call of memcmp: a packet compares MACs.
  bool operator==(const MacAddr& other) const {
    return load<std::uint32_t>(bytes.data()) == load<std::uint32_t>(other.bytes.data()) &&
           load<std::uint16_t>(bytes.data() + 4) == load<std::uint16_t>(other.bytes.data() + 4);
  }
};
static_assert(sizeof(MacAddr) == 6 && alignof(MacAddr) == 1 && std::is_trivial_v<MacAddr>);

/// A TCP, UDP or SCTP port. 0 means "no port" in configuration.
struct L4Port {
  Be16 value;

  static constexpr L4Port of(std::uint16_t host) { return {Be16(host)}; }
  [[nodiscard]] constexpr std::uint16_t host() const { return value.host(); }
  [[nodiscard]] constexpr bool is_zero() const { return value.raw() == 0; }

  constexpr auto operator<=>(const L4Port&) const = default;
};
static_assert(sizeof(L4Port) == 2 && std::is_trivial_v<L4Port>);

/// IANA protocol numbers that Sluice knows by name.
enum class Protocol : std::uint8_t { icmp = 1, ipip = 4, tcp = 6, udp = 17, sctp = 132 };

/// "TCP", "UDP", "SCTP", "ICMP", "IPIP", or the number.
[[nodiscard]] std::string to_string(Protocol protocol);

/// An IPv4 address and port.
struct Endpoint {
  Ipv4Addr address;
  L4Port port;

  [[nodiscard]] std::string text() const;  ///< "a.b.c.d:port"
  constexpr auto operator<=>(const Endpoint&) const = default;
};

/// source is the sender of the packet.
struct FiveTuple {
  Endpoint source;
  Endpoint destination;
  Protocol protocol;

  constexpr auto operator<=>(const FiveTuple&) const = default;
};

/// "[address]:port" for IPv6, "address:port" for IPv4, as ipvsadm prints them.
[[nodiscard]] std::string endpoint_text(const IpAddr& address, L4Port port);

}  // namespace sluice::net

template <>
struct std::hash<sluice::net::IpAddr> {
  std::size_t operator()(const sluice::net::IpAddr& address) const noexcept { return address.hash(); }
};
