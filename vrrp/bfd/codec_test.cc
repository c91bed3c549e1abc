#include "vrrp/bfd/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace sluice::vrrp::bfd {
namespace {

// As keepalived 2.2.7 sends it: Down, multiplier 3, wants 1 s out and 50 ms in.
constexpr PacketBytes keepalived_down = {0x20, 0x40, 0x03, 0x18, 0x56, 0x0d, 0x75, 0x5d, 0x00, 0x00, 0x00, 0x00,
                                         0x00, 0x0f, 0x42, 0x40, 0x00, 0x00, 0xc3, 0x50, 0x00, 0x00, 0x00, 0x00};

ControlPacket sample() {
  return {.state = State::down,
          .detect_mult = 3,
          .my_discriminator = 0x560d755d,
          .desired_min_tx = Microseconds(1'000'000),
          .required_min_rx = Microseconds(50'000)};
}

TEST(BfdCodec, ReadsWhatKeepalivedSends) { EXPECT_EQ(decode(keepalived_down).value(), sample()); }

TEST(BfdCodec, WritesWhatKeepalivedWouldSend) { EXPECT_EQ(encode(sample()), keepalived_down); }

TEST(BfdCodec, EveryFieldComesBack) {
  ControlPacket packet = sample();
  packet.diagnostic = Diagnostic::administratively_down;
  packet.state = State::up;
  packet.final = true;
  packet.control_plane_independent = true;
  packet.demand = true;
  packet.detect_mult = 255;
  packet.your_discriminator = 0xffffffff;
  packet.required_min_echo_rx = Microseconds(0xffffffff);
  EXPECT_EQ(decode(encode(packet)).value(), packet);
  packet.final = false;
  packet.poll = true;
  EXPECT_EQ(decode(encode(packet)).value(), packet);
}

TEST(BfdCodec, ADiagnosticFromTheFutureIsKept) {
  PacketBytes bytes = keepalived_down;
  bytes[0] |= 31;
  EXPECT_EQ(int(decode(bytes)->diagnostic), 31);
  EXPECT_EQ(to_string(decode(bytes)->diagnostic), "Reserved");
}

TEST(BfdCodec, WhatComesBehindThePacketIsIgnored) {
  std::vector<std::uint8_t> bytes(keepalived_down.begin(), keepalived_down.end());
  bytes.resize(60, 0xee);
  EXPECT_EQ(decode(bytes).value(), sample());
}

struct Row {
  const char* what;
  std::function<void(std::vector<std::uint8_t>&)> spoil;
  ReceiveError error;
};

TEST(BfdCodec, EachCheckHasAReasonOfItsOwn) {
  using Bytes = std::vector<std::uint8_t>;
  const std::vector<Row> rows = {
      {"nothing", [](Bytes& b) { b.clear(); }, ReceiveError::too_short},
      {"one byte less", [](Bytes& b) { b.pop_back(); }, ReceiveError::too_short},
      {"version 0", [](Bytes& b) { b[0] = 0x00; }, ReceiveError::version},
      {"version 2", [](Bytes& b) { b[0] = 0x40; }, ReceiveError::version},
      {"length 23", [](Bytes& b) { b[3] = 23; }, ReceiveError::length_small},
      {"length 25 with authentication", [](Bytes& b) { b[1] |= 4, b[3] = 25, b.resize(60); },
       ReceiveError::length_small},
      {"length 25 of 24", [](Bytes& b) { b[3] = 25; }, ReceiveError::length_large},
      {"multiplier 0", [](Bytes& b) { b[2] = 0; }, ReceiveError::detect_mult},
      {"multipoint", [](Bytes& b) { b[1] |= 1; }, ReceiveError::multipoint},
      {"no discriminator", [](Bytes& b) { std::fill_n(b.begin() + 4, 4, 0); }, ReceiveError::my_discriminator},
      {"poll and final", [](Bytes& b) { b[1] |= 0x30; }, ReceiveError::poll_and_final},
      {"authenticated", [](Bytes& b) { b[1] |= 4, b[3] = 26, b.resize(26); }, ReceiveError::authentication},
  };
  for (const Row& row : rows) {
    Bytes bytes(keepalived_down.begin(), keepalived_down.end());
    row.spoil(bytes);
    const auto read = decode(bytes);
    ASSERT_FALSE(read) << row.what;
    EXPECT_EQ(to_string(read.error()), to_string(row.error)) << row.what;
  }
}

}  // namespace
}  // namespace sluice::vrrp::bfd
