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
  const auto first = load<std::uint64_t>(bytes), second = load<std::uint64_t>(bytes + 8);
  std::uint64_t sum = first + second;
  sum += sum < first ? 1 : 0;
  const std::uint64_t rest = load<std::uint32_t>(bytes + 16);
  sum += rest;
  sum += sum < rest ? 1 : 0;
  // Both halves added to each other: the upper one has the sum, the carry of the lower one included.
  const auto folded = std::uint32_t((sum + ((sum >> 32) | (sum << 32))) >> 32);
  return std::uint16_t((folded + ((folded >> 16) | (folded << 16))) >> 16);
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
  constexpr ChecksumDelta() = default;
  /// What folded() gave.
  explicit constexpr ChecksumDelta(std::uint16_t folded) : sum_(folded) {}

  constexpr void replace(Be32 from, Be32 to) { sum_ += std::uint64_t{~from.raw()} + to.raw(); }
  constexpr void replace(Be16 from, Be16 to) { sum_ += std::uint32_t{std::uint16_t(~from.raw())} + to.raw(); }

  constexpr void add(ChecksumDelta other) { sum_ += other.sum_; }
  /// The change back. Of a folded delta only.
  [[nodiscard]] constexpr ChecksumDelta reversed() const {
    const auto back = std::uint16_t(~sum_);
    return ChecksumDelta(back == 0 ? std::uint16_t{0xffff} : back);
  }
  /// In 16 bits; applies as the delta itself does.
  [[nodiscard]] constexpr std::uint16_t folded() const {
    std::uint64_t sum = (sum_ & 0xffffffffu) + (sum_ >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return std::uint16_t((sum & 0xffff) + (sum >> 16));
  }
  /// Of folded deltas and their sums, in fewer steps.
  [[nodiscard]] constexpr Be16 apply_small(Be16 checksum) const {
    std::uint32_t sum = std::uint32_t(sum_) + std::uint16_t(~checksum.raw());
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    return Be16::from_raw(std::uint16_t(~sum));
  }

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
