// Bytes that a reply must begin with, some of their digits left open: UDP_CHECK's payload and require_reply. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::health {

/// mask has as many bytes as bytes: 0xf0 where the low digit is open, 0xff where none is.
struct BytePattern {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> mask;

  bool operator==(const BytePattern&) const = default;
};

/// keepalived's HEX: digits in pairs, blanks wherever a byte ends, a single digit before a blank is a byte of its own:
/// "Ab12f 3 456" is AB 12 0F 03 45 06. An X leaves its digit open. Nothing if anything else stands there, or nothing.
[[nodiscard]] std::optional<BytePattern> parse_byte_pattern(std::string_view text);

/// As far as both go, as keepalived compares: a reply that is shorter than the pattern may match.
[[nodiscard]] bool matches(const BytePattern& pattern, std::span<const std::uint8_t> reply);

}  // namespace sluice::health
