// libFuzzer target: any bytes as a frame, through the parser alone (in a buffer of exactly their size, so that one byte
// too far is seen), and through a whole director with NAT, DR and TUN services in both directions. The input's first
// byte chooses: bits 0-1 the port, bit 2 a good packet that opens the connection first, bit 3 checksums put right (or
// hardly an input would get past them), bits 4-7 seconds that pass.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "dataplane/testing/director.h"
#include "net/checksum.h"

namespace {

using namespace sluice;
using namespace sluice::dataplane;

const net::Endpoint client = testing::endpoint("10.0.1.1", 30010);
constexpr const char* vips[] = {"10.0.0.5", "10.0.0.6", "10.0.0.7"};
constexpr ForwardMethod methods[] = {ForwardMethod::nat, ForwardMethod::direct, ForwardMethod::tunnel};

std::unique_ptr<testing::Director> make_director() {
  auto director = std::make_unique<testing::Director>(testing::DirectorOptions{.connections = 1024});
  for (int i = 0; i < 3; ++i) {
    for (const auto protocol : {net::Protocol::tcp, net::Protocol::udp}) {
      const auto service = director->add_service(protocol, testing::endpoint(vips[i], 80));
      director->add_destination(service, testing::endpoint("10.0.2.11", 80), methods[i]);
    }
  }
  return director;
}

void parse_exactly(const std::uint8_t* data, std::size_t size) {
  const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[size]);
  std::copy(data, data + size, copy.get());
  Frame frame;
  frame.data = copy.get();
  frame.length = std::uint16_t(size);
  Packet packet;
  if (parse(frame, SourceRule::wire, packet)) return;
  if (std::size_t{packet.l3} + packet.l3_length > size || packet.l4 < packet.l3 + 20) std::abort();
}

// The outer IPv4 header's checksum and, of ICMP, the message's, where the headers make enough sense to have one.
void repair_checksums(testing::Bytes& packet) {
  const std::size_t ethernet = sizeof(net::EthernetHeader);
  if (packet.size() < ethernet) return;
  const std::size_t l3 = testing::ipv4_offset(packet);
  if (packet.size() < l3 + sizeof(net::Ipv4Header)) return;
  const auto ipv4 = net::load<net::Ipv4Header>(&packet[l3]);
  const std::size_t l4 = l3 + ipv4.header_length(), end = l3 + ipv4.total_length.host();
  if (ipv4.header_length() < sizeof ipv4 || l4 > packet.size()) return;
  const auto repair = [&](std::size_t field, std::size_t begin, std::size_t length) {
    net::store(&packet[field], net::Be16(0));
    net::store(&packet[field], net::checksum(&packet[begin], length));
  };
  repair(l3 + offsetof(net::Ipv4Header, checksum), l3, ipv4.header_length());
  if (ipv4.protocol == net::Protocol::icmp && end <= packet.size() && end >= l4 + sizeof(net::IcmpHeader)) {
    repair(l4 + offsetof(net::IcmpHeader, checksum), l4, end - l4);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 1600) return 0;
  parse_exactly(data + 1, size - 1);

  static auto director = make_director();
  for (int i = 0; i < 3 && (data[0] & 4) != 0; ++i) {
    director->send(testing::client_side, testing::PacketBuilder().from(client).to(vips[i], 80).tcp(net::tcp_syn));
  }
  const PortId port{std::uint8_t((data[0] & 3) % 3)};
  testing::Bytes packet(data + 1, data + size);
  if ((data[0] & 8) != 0) repair_checksums(packet);
  director->send(port, packet);
  director->now_s += data[0] >> 4;
  if (const std::string broken = director->broken_law(); !broken.empty()) {
    std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
