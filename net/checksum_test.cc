#include "net/checksum.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "net/headers.h"

namespace sluice::net {
namespace {

// The textbook sum, sixteen bits at a time, in host order.
std::uint16_t slow_checksum(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += std::uint32_t(bytes[i] << 8) + (i + 1 < bytes.size() ? bytes[i + 1] : 0u);
  }
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return std::uint16_t(~sum);
}

TEST(Checksum, EqualsTheTextbookForEveryLength) {
  std::mt19937 random(7);
  for (std::size_t length = 0; length < 300; ++length) {
    std::vector<std::uint8_t> bytes(length);
    for (auto& byte : bytes) byte = std::uint8_t(random());
    EXPECT_EQ(checksum(bytes.data(), length).host(), slow_checksum(bytes)) << "length " << length;
  }
}

TEST(ChecksumDelta, EqualsRecomputationForRandomEdits) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 100000; ++round) {
    std::vector<std::uint8_t> bytes(20);
    for (auto& byte : bytes) byte = std::uint8_t(random());
    if (bytes == std::vector<std::uint8_t>(20)) continue;
    const Be16 before = checksum(bytes.data(), bytes.size());
    const auto address = load<Be32>(bytes.data() + 12);
    const auto port = load<Be16>(bytes.data() + 18);
    const Be32 new_address(random() % 8 == 0 ? 0u : std::uint32_t(random()));
    const Be16 new_port(random() % 8 == 0 ? std::uint16_t(0xffff) : std::uint16_t(random()));
    ChecksumDelta delta;
    delta.replace(address, new_address);
    delta.replace(port, new_port);
    store(bytes.data() + 12, new_address);
    store(bytes.data() + 18, new_port);
    EXPECT_EQ(delta.apply(before).host(), checksum(bytes.data(), bytes.size()).host());
  }
}

TEST(L4Checksum, VerifiesToZeroOverSegmentWithPseudoHeader) {
  std::vector<std::uint8_t> segment(21, 0x5a);
  segment[16] = segment[17] = 0;
  const auto source = Ipv4Addr::of(10, 0, 1, 1);
  const auto destination = Ipv4Addr::of(10, 0, 0, 5);
  const Be16 sum = l4_checksum(source, destination, Protocol::tcp, segment.data(), segment.size());
  store(segment.data() + 16, sum);
  EXPECT_EQ(l4_checksum(source, destination, Protocol::tcp, segment.data(), segment.size()).host(), 0);
}

}  // namespace
}  // namespace sluice::net
