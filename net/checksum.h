// The Internet checksum (RFC 1071): computed in full, and updated in place when a field changes (RFC 1624).
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/address.h"
#include "net/byte_order.h"

namespace sluice::net {

/// One's complement sum of `length` bytes, folded to 16 bits, as it lies in memory (raw order); add sums with
/// checksum_add. `initial` is an earlier result. An odd last byte is padded with zero.
[[nodiscard]] std::uint16_t checksum_sum(const std::uint8_t* bytes, std::size_t length, std::uint32_t initial = 0);

/// checksum_sum of an IPv4 header without options, the length that nearly every packet has.
[[nodiscard]] inline std::uint16_t checksum_sum_20(const std::uint8_t* bytes) {
  std::uint64_t sum = std::uint64_t{load<std::uint32_t>(bytes)} + load<std::uint32_t>(bytes + 4) +
                      load<std::uint32_t>(bytes + 8) + load<std::uint32_t>(bytes + 12) +
                      load<std::uint32_t>(bytes + 16);
  sum = (sum & 0xffffffffu) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return std::uint16_t(sum);
}

/// The checksum field for these bytes: complement of their sum. The field itself must be zero among them.
[[nodiscard]] inline Be16 checksum(const std::uint8_t* bytes, std::size_t length) {
  return Be16::from_raw(std::uint16_t(~checksum_sum(bytes, length)));
}

/// The checksum of a TCP, UDP or (without pseudo header: protocol icmp) ICMP segment of `length` bytes, field zero.
[[nodiscard]] Be16 l4_checksum(Ipv4Addr source, Ipv4Addr destination, Protocol protocol, const std::uint8_t* segment,
                               std::size_t length);

/// What changed in the words under a checksum: collects old and new values, applies to any number of checksums.
/// RFC 1624 eqn. 3: HC' = ~(~HC + ~m + m'). Raw order throughout, so no swapping.
class ChecksumDelta {
 public:
  constexpr void replace(Be32 from, Be32 to) { sum_ += std::uint64_t{~from.raw()} + to.raw(); }
  constexpr void replace(Be16 from, Be16 to) { sum_ += std::uint32_t{std::uint16_t(~from.raw())} + to.raw(); }

  [[nodiscard]] constexpr Be16 apply(Be16 checksum) const {
    std::uint64_t sum = sum_ + std::uint16_t(~checksum.raw());
    sum = (sum & 0xffffffffu) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return Be16::from_raw(std::uint16_t(~sum));
  }

 private:
  std::uint64_t sum_ = 0;
};

}  // namespace sluice::net
