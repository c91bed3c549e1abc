#include "dataplane/packet.h"

#include <utility>

#include "net/checksum.h"

namespace sluice::dataplane {

namespace {

using net::Ipv4Header;
using net::Protocol;

// Steps over headers, and refuses to step past the end.
class Cursor {
 public:
  Cursor(const std::uint8_t* data, std::size_t offset, std::size_t end) : data_(data), offset_(offset), end_(end) {}

  // True if `length` bytes are left. After that, peek<T> of that many bytes is safe.
  [[nodiscard]] bool has(std::size_t length) const { return end_ - offset_ >= length; }
  template <typename T>
  [[nodiscard]] T peek() const {
    return net::load<T>(data_ + offset_);
  }
  void skip(std::size_t length) { offset_ += length; }
  [[nodiscard]] std::uint16_t offset() const { return std::uint16_t(offset_); }

 private:
  const std::uint8_t* data_;
  std::size_t offset_;
  std::size_t end_;  // offset_ <= end_ always
};

// RFC 1122 3.2.1.3 and Linux' ip_route_input: sources that are never a host's.
bool is_martian(net::Ipv4Addr source, net::Ipv4Addr destination, SourceRule rule) {
  const std::uint32_t host = source.host();
  const std::uint32_t net = host >> 24;
  return net == 0 || (net == 127 && rule == SourceRule::wire) || net >= 224 || source == destination;
}

// The ports at the start of a TCP, UDP or embedded header.
void read_ports(const std::uint8_t* l4, net::FiveTuple& tuple) {
  tuple.source.port = net::load<net::L4Port>(l4);
  tuple.destination.port = net::load<net::L4Port>(l4 + 2);
}

// The embedded packet of an ICMP error: at least its IPv4 header and 8 bytes (RFC 792). Non-first fragments carry no
// ports and are useless.
std::optional<DropReason> parse_icmp(const Frame& frame, std::size_t end, Packet& packet) {
  if (end - packet.l4 < sizeof(net::IcmpHeader)) return DropReason::truncated;
  const auto icmp = net::load<net::IcmpHeader>(frame.data + packet.l4);
  if (icmp.type != net::icmp_unreachable && icmp.type != net::icmp_source_quench &&
      icmp.type != net::icmp_time_exceeded) {
    return DropReason::unknown_protocol;
  }
  if (net::checksum_sum(frame.data + packet.l4, end - packet.l4) != 0xffff) return DropReason::bad_icmp;

  Cursor cursor(frame.data, packet.l4 + sizeof(net::IcmpHeader), end);
  if (!cursor.has(sizeof(Ipv4Header))) return DropReason::bad_icmp;
  const auto embedded = cursor.peek<Ipv4Header>();
  if ((embedded.version_ihl >> 4) != 4 || embedded.header_length() < sizeof(Ipv4Header)) return DropReason::bad_icmp;
  if ((embedded.fragment.host() & 0x1fff) != 0) return DropReason::bad_icmp;
  if (embedded.protocol != Protocol::tcp && embedded.protocol != Protocol::udp) return DropReason::icmp_without_flow;
  packet.embedded_l3 = cursor.offset();
  if (!cursor.has(embedded.header_length())) return DropReason::bad_icmp;
  cursor.skip(embedded.header_length());
  if (!cursor.has(8)) return DropReason::bad_icmp;
  packet.embedded_l4 = cursor.offset();
  packet.kind = PacketKind::icmp_error;
  packet.tuple = {{embedded.source, {}}, {embedded.destination, {}}, embedded.protocol};
  read_ports(frame.data + packet.embedded_l4, packet.tuple);
  std::swap(packet.tuple.source, packet.tuple.destination);
  return std::nullopt;
}

}  // namespace

std::optional<DropReason> parse_closely(const Frame& frame, SourceRule rule, Packet& packet) {
  Cursor cursor(frame.data, 0, frame.length);
  if (!cursor.has(sizeof(net::EthernetHeader))) return DropReason::truncated;
  net::Be16 ether_type = cursor.peek<net::EthernetHeader>().ether_type;
  cursor.skip(sizeof(net::EthernetHeader));

  packet.vlan = 0;
  if (ether_type == net::ether_type_vlan) {
    if (!cursor.has(sizeof(net::VlanTag))) return DropReason::truncated;
    const auto tag = cursor.peek<net::VlanTag>();
    packet.vlan = tag.control.host() & 0x0fff;
    ether_type = tag.ether_type;
    cursor.skip(sizeof(net::VlanTag));
  }
  if (ether_type != net::ether_type_ipv4) return DropReason::not_ipv4;

  if (!cursor.has(sizeof(Ipv4Header))) return DropReason::truncated;
  const auto ipv4 = cursor.peek<Ipv4Header>();
  const unsigned header_length = ipv4.header_length();
  const unsigned total_length = ipv4.total_length.host();
  if ((ipv4.version_ihl >> 4) != 4 || header_length < sizeof(Ipv4Header) || total_length < header_length) {
    return DropReason::bad_ipv4_header;
  }
  if (!cursor.has(total_length)) return DropReason::truncated;
  packet.l3 = cursor.offset();
  packet.l3_length = std::uint16_t(total_length);
  const std::uint16_t sum = header_length == sizeof(Ipv4Header)
                                ? net::checksum_sum_20(frame.data + packet.l3)
                                : net::checksum_sum(frame.data + packet.l3, header_length);
  if (sum != 0xffff) return DropReason::bad_ipv4_checksum;
  if (is_martian(ipv4.source, ipv4.destination, rule)) return DropReason::martian;
  if (ipv4.is_fragment()) return DropReason::fragment;

  packet.source = ipv4.source;
  packet.destination = ipv4.destination;
  packet.l4 = std::uint16_t(packet.l3 + header_length);
  packet.tcp_flags = 0;
  const std::size_t end = std::size_t{packet.l3} + total_length;
  const std::size_t l4_length = end - packet.l4;
  switch (ipv4.protocol) {
    case Protocol::tcp: {
      if (l4_length < sizeof(net::TcpHeader)) return DropReason::truncated;
      const auto tcp = net::load<net::TcpHeader>(frame.data + packet.l4);
      const std::size_t tcp_length = (tcp.data_offset >> 4) * 4u;
      if (tcp_length < sizeof(net::TcpHeader) || tcp_length > l4_length) return DropReason::bad_tcp_header;
      packet.kind = PacketKind::tcp;
      packet.tcp_flags = tcp.flags;
      break;
    }
    case Protocol::udp:
      if (l4_length < sizeof(net::UdpHeader)) return DropReason::truncated;
      packet.kind = PacketKind::udp;
      break;
    case Protocol::icmp: return parse_icmp(frame, end, packet);
    default: return DropReason::unknown_protocol;
  }
  packet.tuple = {{ipv4.source, {}}, {ipv4.destination, {}}, ipv4.protocol};
  read_ports(frame.data + packet.l4, packet.tuple);
  return std::nullopt;
}

}  // namespace sluice::dataplane
