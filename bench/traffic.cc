#include "bench/traffic.h"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "net/checksum.h"

namespace sluice::bench {

using dataplane::Frame;

Traffic::Traffic(std::uint32_t flows, Side side, net::Endpoint virtual_endpoint, net::Endpoint server,
                 std::uint8_t tcp_flags)
    : flows_(flows), bits_(unsigned(std::bit_width(flows - 1))), mask_((1u << bits_) - 1) {
  constexpr std::size_t l3 = sizeof(net::EthernetHeader), l4 = l3 + sizeof(net::Ipv4Header);
  net::store(template_.data(), net::EthernetHeader{{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 1, 1}}, net::ether_type_ipv4});
  net::Ipv4Header ipv4{};
  ipv4.version_ihl = 0x45;
  ipv4.total_length = net::Be16(std::uint16_t(length - l3));
  ipv4.fragment = net::Be16(0x4000);
  ipv4.ttl = 64;
  ipv4.protocol = net::Protocol::tcp;
  net::TcpHeader tcp{};
  tcp.data_offset = 5 << 4;
  tcp.flags = tcp_flags;
  if (side == Side::client) {
    ipv4.destination = virtual_endpoint.address;
    tcp.destination = virtual_endpoint.port;
    client_address_ = l3 + offsetof(net::Ipv4Header, source);
    client_port_ = l4 + offsetof(net::TcpHeader, source);
  } else {
    ipv4.source = server.address;
    tcp.source = server.port;
    client_address_ = l3 + offsetof(net::Ipv4Header, destination);
    client_port_ = l4 + offsetof(net::TcpHeader, destination);
  }
  net::store(template_.data() + l3, ipv4);
  net::store(template_.data() + l4, tcp);
  base_sum_ = net::checksum_sum(template_.data() + l3, sizeof ipv4);
}

void Traffic::write(Frame& frame, std::uint32_t flow) const {
  std::memcpy(frame.data, template_.data(), length);
  const net::Endpoint who = client(flow);
  net::store(frame.data + client_address_, who.address);
  net::store(frame.data + client_port_, who.port);
  const std::uint32_t raw = who.address.value.raw();
  std::uint32_t sum = base_sum_ + (raw & 0xffff) + (raw >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  net::store(frame.data + sizeof(net::EthernetHeader) + offsetof(net::Ipv4Header, checksum),
             net::Be16::from_raw(std::uint16_t(~sum)));
  frame.length = length;
}

TrafficPort::TrafficPort(dataplane::PortId id, std::size_t frames) : id_(id), memory_(frames * frame_size) {
  for (std::size_t i = frames; i > 0; --i) free_.push_back((i - 1) * frame_size);
}

std::size_t TrafficPort::receive(std::span<Frame> frames) {
  if (traffic_ == nullptr) return 0;
  const std::size_t count = allocate(frames);
  for (Frame& frame : frames.first(count)) {
    traffic_->next(frame);
    frame.port = id_;
  }
  return count;
}

std::size_t TrafficPort::transmit(std::span<const Frame> frames) {
  sent_ += frames.size();
  release(frames);
  return frames.size();
}

std::size_t TrafficPort::allocate(std::span<Frame> frames) {
  const std::size_t count = std::min(frames.size(), free_.size());
  for (Frame& frame : frames.first(count)) {
    const std::uint64_t offset = free_.back();
    free_.pop_back();
    frame.data = memory_.data() + offset + headroom;
    frame.length = 0;
    frame.headroom = headroom;
    frame.tailroom = frame_size - headroom;
    frame.handle = offset;
  }
  return count;
}

void TrafficPort::release(std::span<const Frame> frames) {
  for (const Frame& frame : frames) free_.push_back(frame.handle);
}

}  // namespace sluice::bench
