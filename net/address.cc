#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>

namespace sluice::net {

namespace {

// inet_pton wants a terminated string; no textual address is longer than this.
constexpr std::size_t address_text_max = INET6_ADDRSTRLEN;

template <typename T>
std::optional<T> parse_with_pton(int family, std::string_view text) {
  if (text.size() >= address_text_max) return std::nullopt;
  std::array<char, address_text_max + 1> terminated{};
  std::copy(text.begin(), text.end(), terminated.begin());
  T address{};
  if (inet_pton(family, terminated.data(), &address) != 1) return std::nullopt;
  return address;
}

template <typename T>
std::string print_with_ntop(int family, const T& address) {
  std::array<char, address_text_max + 1> text{};
  inet_ntop(family, &address, text.data(), text.size());
  return text.data();
}

}  // namespace

std::optional<Ipv4Addr> Ipv4Addr::parse(std::string_view text) { return parse_with_pton<Ipv4Addr>(AF_INET, text); }
std::string Ipv4Addr::text() const { return print_with_ntop(AF_INET, *this); }

std::optional<Ipv6Addr> Ipv6Addr::parse(std::string_view text) { return parse_with_pton<Ipv6Addr>(AF_INET6, text); }
std::string Ipv6Addr::text() const { return print_with_ntop(AF_INET6, *this); }

IpAddr::IpAddr(Ipv4Addr v4) { store(bytes_.data(), v4); }
IpAddr::IpAddr(Ipv6Addr v6) : is_v6_(true), bytes_(v6.bytes) {}

std::optional<IpAddr> IpAddr::parse(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    if (auto v6 = Ipv6Addr::parse(text)) return IpAddr(*v6);
    return std::nullopt;
  }
  if (auto v4 = Ipv4Addr::parse(text)) return IpAddr(*v4);
  return std::nullopt;
}

Ipv4Addr IpAddr::v4() const { return load<Ipv4Addr>(bytes_.data()); }
Ipv6Addr IpAddr::v6() const { return {bytes_}; }
std::size_t IpAddr::hash() const {
  // The finalizer of MurmurHash3 over both halves: neighbouring addresses must not be neighbours in a table.
  const auto mix = [](std::uint64_t x) {
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdull;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ull;
    return x ^ (x >> 33);
  };
  return mix(load<std::uint64_t>(bytes_.data()) ^ mix(load<std::uint64_t>(bytes_.data() + 8) + (is_v6_ ? 1 : 0)));
}

std::string IpAddr::text() const { return is_v6_ ? v6().text() : v4().text(); }

std::optional<MacAddr> MacAddr::parse(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  MacAddr mac{};
  for (std::size_t i = 0; i < 6; ++i) {
    unsigned byte = 0;
    for (std::size_t digit = 0; digit < 2; ++digit) {
      const char c = text[i * 3 + digit];
      byte <<= 4;
      if (c >= '0' && c <= '9')
        byte |= unsigned(c - '0');
      else if (c >= 'a' && c <= 'f')
        byte |= unsigned(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        byte |= unsigned(c - 'A' + 10);
      else
        return std::nullopt;
    }
    if (i < 5 && text[i * 3 + 2] != ':') return std::nullopt;
    mac.bytes[i] = std::uint8_t(byte);
  }
  return mac;
}

std::string MacAddr::text() const {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
                bytes[4], bytes[5]);
  return text.data();
}

std::string to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::icmp: return "ICMP";
    case Protocol::ipip: return "IPIP";
    case Protocol::tcp: return "TCP";
    case Protocol::udp: return "UDP";
    case Protocol::sctp: return "SCTP";
  }
  return std::to_string(unsigned(protocol));
}

std::string Endpoint::text() const { return address.text() + ":" + std::to_string(port.host()); }

std::string endpoint_text(const IpAddr& address, L4Port port) {
  const std::string host = address.is_v6() ? "[" + address.text() + "]" : address.text();
  return host + ":" + std::to_string(port.host());
}

}  // namespace sluice::net
