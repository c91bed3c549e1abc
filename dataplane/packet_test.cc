// The short way of looking at a packet says what the close look says, or nothing.
#include "dataplane/packet.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/testing/packet_builder.h"
#include "net/checksum.h"

namespace sluice::dataplane {
namespace {

using testing::Bytes;
using testing::PacketBuilder;

Frame frame_of(Bytes& bytes) {
  Frame frame;
  frame.data = bytes.data();
  frame.length = std::uint16_t(bytes.size());
  return frame;
}

Bytes some_packet(std::mt19937& random) {
  const auto octet = [&] { return std::uint8_t(random() % 4 == 0 ? random() : 10); };
  PacketBuilder builder;
  builder.from({net::Ipv4Addr::of(octet(), octet(), octet(), octet()), net::L4Port::of(std::uint16_t(random()))})
      .to({net::Ipv4Addr::of(octet(), octet(), octet(), octet()), net::L4Port::of(80)})
      .payload(random() % 40)
      .dont_fragment(random() % 2 == 0);
  if (random() % 8 == 0) builder.vlan(7);
  if (random() % 8 == 0) builder.options(Bytes(4, 1));
  if (random() % 3 == 0) builder.pad_to(60);
  return random() % 2 == 0 ? builder.tcp(std::uint8_t(random())) : builder.udp(random() % 2 == 0);
}

TEST(Packet, WhatIsOrdinaryIsAlsoSoOnACloserLook) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  unsigned ordinary = 0;
  for (int i = 0; i < 200'000; ++i) {
    Bytes bytes = some_packet(random);
    const std::size_t l3 = sizeof(net::EthernetHeader);
    for (auto broken = random() % 3; broken > 0; --broken)
      bytes[random() % std::min<std::size_t>(bytes.size(), 60)] ^= 1 << random() % 8;
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    // A broken header whose checksum is right gets further.
    if (random() % 2 == 0 && bytes.size() >= l3 + sizeof(net::Ipv4Header)) {
      net::store(&bytes[l3 + 10], net::Be16(0));
      net::store(&bytes[l3 + 10], net::checksum(&bytes[l3], sizeof(net::Ipv4Header)));
    }
    const SourceRule rule = random() % 2 == 0 ? SourceRule::wire : SourceRule::host;
    const Frame frame = frame_of(bytes);
    Packet quick{}, close{};
    if (!parse_ordinary(frame, rule, quick)) continue;
    ++ordinary;
    ASSERT_EQ(parse_closely(frame, rule, close), std::nullopt) << testing::describe(bytes);
    ASSERT_EQ(quick.l3, close.l3);
    ASSERT_EQ(quick.l4, close.l4);
    ASSERT_EQ(quick.l3_length, close.l3_length);
    ASSERT_EQ(quick.vlan, close.vlan);
    ASSERT_EQ(quick.kind, close.kind);
    ASSERT_EQ(quick.tcp_flags, close.tcp_flags);
    ASSERT_EQ(quick.source, close.source);
    ASSERT_EQ(quick.destination, close.destination);
    ASSERT_EQ(quick.tuple, close.tuple);
  }
  EXPECT_GT(ordinary, 10'000u);
}

TEST(Packet, NearlyEveryPacketIsOrdinary) {
  Packet packet{};
  Bytes tcp = PacketBuilder().from("10.0.0.1", 1).to("10.0.0.2", 80).tcp(net::tcp_ack);
  EXPECT_TRUE(parse_ordinary(frame_of(tcp), SourceRule::wire, packet));
  Bytes udp = PacketBuilder().from("10.0.0.1", 1).to("10.0.0.2", 53).payload(20).udp();
  EXPECT_TRUE(parse_ordinary(frame_of(udp), SourceRule::wire, packet));
}

}  // namespace
}  // namespace sluice::dataplane
