#include "dataplane/testing/packet_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstddef>

#include "net/checksum.h"

namespace sluice::dataplane::testing {

net::Endpoint endpoint(std::string_view address, std::uint16_t port) {
  return {*net::Ipv4Addr::parse(address), net::L4Port::of(port)};
}

net::MacAddr mac(std::string_view text) { return *net::MacAddr::parse(text); }

PacketBuilder& PacketBuilder::link(std::string_view source, std::string_view destination) {
  source_mac_ = mac(source);
  destination_mac_ = mac(destination);
  return *this;
}
PacketBuilder& PacketBuilder::vlan(std::uint16_t id) { return vlan_ = id, *this; }
PacketBuilder& PacketBuilder::from(net::Endpoint source) { return source_ = source, *this; }
PacketBuilder& PacketBuilder::to(net::Endpoint destination) { return destination_ = destination, *this; }
PacketBuilder& PacketBuilder::ttl(std::uint8_t ttl) { return ttl_ = ttl, *this; }
PacketBuilder& PacketBuilder::tos(std::uint8_t tos) { return tos_ = tos, *this; }
PacketBuilder& PacketBuilder::id(std::uint16_t id) { return id_ = id, *this; }
PacketBuilder& PacketBuilder::dont_fragment(bool value) { return dont_fragment_ = value, *this; }
PacketBuilder& PacketBuilder::options(Bytes bytes) { return options_ = std::move(bytes), *this; }
PacketBuilder& PacketBuilder::payload(std::size_t length) { return payload_ = length, *this; }
PacketBuilder& PacketBuilder::pad_to(std::size_t frame_length) { return pad_to_ = frame_length, *this; }

Bytes PacketBuilder::frame(net::Protocol protocol, const Bytes& segment) const {
  Bytes bytes;
  const auto append = [&](const auto& header) {
    const auto* raw = reinterpret_cast<const std::uint8_t*>(&header);
    bytes.insert(bytes.end(), raw, raw + sizeof header);
  };
  append(net::EthernetHeader{destination_mac_, source_mac_, vlan_ ? net::ether_type_vlan : net::ether_type_ipv4});
  if (vlan_ != 0) append(net::VlanTag{net::Be16(vlan_), net::ether_type_ipv4});
  const std::size_t l3 = bytes.size();
  net::Ipv4Header ipv4{};
  const std::size_t header_length = sizeof ipv4 + options_.size();
  ipv4.version_ihl = std::uint8_t(0x40 | (header_length / 4));
  ipv4.tos = tos_;
  ipv4.total_length = net::Be16(std::uint16_t(header_length + segment.size()));
  ipv4.id = net::Be16(id_);
  ipv4.fragment = net::Be16(dont_fragment_ ? 0x4000 : 0);
  ipv4.ttl = ttl_;
  ipv4.protocol = protocol;
  ipv4.source = source_.address;
  ipv4.destination = destination_.address;
  append(ipv4);
  bytes.insert(bytes.end(), options_.begin(), options_.end());
  net::store(bytes.data() + l3 + offsetof(net::Ipv4Header, checksum), net::checksum(bytes.data() + l3, header_length));
  bytes.insert(bytes.end(), segment.begin(), segment.end());
  if (bytes.size() < pad_to_) bytes.resize(pad_to_, 0xee);
  return bytes;
}

Bytes PacketBuilder::tcp(std::uint8_t flags) const {
  net::TcpHeader header{};
  header.source = source_.port;
  header.destination = destination_.port;
  header.sequence = net::Be32(0x01020304);
  header.data_offset = 5 << 4;
  header.flags = flags;
  header.window = net::Be16(0xfaf0);
  Bytes segment(sizeof header + payload_);
  net::store(segment.data(), header);
  for (std::size_t i = 0; i < payload_; ++i) segment[sizeof header + i] = std::uint8_t(i * 7);
  net::store(
      segment.data() + offsetof(net::TcpHeader, checksum),
      net::l4_checksum(source_.address, destination_.address, net::Protocol::tcp, segment.data(), segment.size()));
  return frame(net::Protocol::tcp, segment);
}

Bytes PacketBuilder::udp(bool with_checksum) const {
  Bytes segment(sizeof(net::UdpHeader) + payload_);
  net::store(segment.data(),
             net::UdpHeader{source_.port, destination_.port, net::Be16(std::uint16_t(segment.size())), net::Be16(0)});
  for (std::size_t i = 0; i < payload_; ++i) segment[sizeof(net::UdpHeader) + i] = std::uint8_t(i * 7);
  if (with_checksum) {
    const auto sum =
        net::l4_checksum(source_.address, destination_.address, net::Protocol::udp, segment.data(), segment.size());
    net::store(segment.data() + offsetof(net::UdpHeader, checksum), sum == net::Be16(0) ? net::Be16(0xffff) : sum);
  }
  return frame(net::Protocol::udp, segment);
}

Bytes PacketBuilder::icmp_error(std::uint8_t type, std::uint8_t code, const Bytes& original, std::size_t quoted,
                                std::uint16_t mtu) const {
  const std::size_t l3 = ipv4_offset(original);
  quoted = std::min(quoted, original.size() - l3);
  Bytes segment(sizeof(net::IcmpHeader) + quoted);
  net::store(segment.data(), net::IcmpHeader{type, code, net::Be16(0), net::Be16(0), net::Be16(mtu)});
  std::copy_n(original.begin() + std::ptrdiff_t(l3), quoted, segment.begin() + sizeof(net::IcmpHeader));
  net::store(segment.data() + offsetof(net::IcmpHeader, checksum), net::checksum(segment.data(), segment.size()));
  return frame(net::Protocol::icmp, segment);
}

Bytes PacketBuilder::around(net::Protocol protocol, const Bytes& inner) const {
  return frame(protocol, Bytes(inner.begin() + std::ptrdiff_t(ipv4_offset(inner)), inner.end()));
}

std::size_t ipv4_offset(const Bytes& frame) {
  const auto link = net::load<net::EthernetHeader>(frame.data());
  return sizeof link + (link.ether_type == net::ether_type_vlan ? sizeof(net::VlanTag) : 0);
}

std::string describe(const Bytes& frame) {
  if (frame.size() < sizeof(net::EthernetHeader)) return fmt::format("{} bytes, too short", frame.size());
  const auto link = net::load<net::EthernetHeader>(frame.data());
  std::string text = fmt::format("{} > {}", link.source.text(), link.destination.text());
  const std::size_t l3 = ipv4_offset(frame);
  if (l3 != sizeof link && frame.size() >= l3) {
    text += fmt::format(" vlan {}", net::load<net::VlanTag>(frame.data() + sizeof link).control.host());
  }
  if (frame.size() < l3 + sizeof(net::Ipv4Header)) return text + fmt::format(", {} bytes", frame.size());
  const auto ipv4 = net::load<net::Ipv4Header>(frame.data() + l3);
  const std::size_t header_length = ipv4.header_length();
  const bool header_good =
      frame.size() >= l3 + header_length && net::checksum_sum(frame.data() + l3, header_length) == 0xffff;
  text += fmt::format(", {} {} > {} ttl {} tos {:#x} id {:#x} frag {:#x} length {} header checksum {}",
                      to_string(ipv4.protocol), ipv4.source.text(), ipv4.destination.text(), ipv4.ttl, ipv4.tos,
                      ipv4.id.host(), ipv4.fragment.host(), ipv4.total_length.host(), header_good ? "good" : "BAD");
  const std::size_t l4 = l3 + header_length;
  const std::size_t end = l3 + ipv4.total_length.host();
  if (end > frame.size() || l4 + 8 > end) return text + fmt::format(", frame of {} bytes", frame.size());
  if (ipv4.protocol == net::Protocol::tcp || ipv4.protocol == net::Protocol::udp) {
    const bool good =
        net::l4_checksum(ipv4.source, ipv4.destination, ipv4.protocol, frame.data() + l4, end - l4) == net::Be16(0);
    text += fmt::format(", ports {} > {} checksum {}", net::load<net::L4Port>(frame.data() + l4).host(),
                        net::load<net::L4Port>(frame.data() + l4 + 2).host(), good ? "good" : "BAD (or none)");
  } else if (ipv4.protocol == net::Protocol::icmp) {
    const bool good = net::checksum_sum(frame.data() + l4, end - l4) == 0xffff;
    text += fmt::format(", type {} code {} mtu {} checksum {}", frame[l4], frame[l4 + 1],
                        net::load<net::Be16>(frame.data() + l4 + 6).host(), good ? "good" : "BAD");
  }
  return text + fmt::format(", frame of {} bytes", frame.size());
}

std::string difference(const Bytes& expected, const Bytes& actual) {
  if (expected == actual) return {};
  std::size_t i = 0;
  while (i < expected.size() && i < actual.size() && expected[i] == actual[i]) ++i;
  const auto at = [i](const Bytes& bytes) { return i < bytes.size() ? fmt::format("{:#04x}", bytes[i]) : "the end"; };
  return fmt::format("expected: {}\nactual:   {}\nfirst difference at byte {}: expected {}, found {}",
                     describe(expected), describe(actual), i, at(expected), at(actual));
}

}  // namespace sluice::dataplane::testing
