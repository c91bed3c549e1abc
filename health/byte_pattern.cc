#include "health/byte_pattern.h"

#include <algorithm>

namespace sluice::health {

namespace {

struct Digit {
  std::uint8_t value;
  std::uint8_t mask;
};

std::optional<Digit> digit(char c) {
  if (c >= '0' && c <= '9') return Digit{static_cast<std::uint8_t>(c - '0'), 0xf};
  if (c >= 'a' && c <= 'f') return Digit{static_cast<std::uint8_t>(c - 'a' + 10), 0xf};
  if (c >= 'A' && c <= 'F') return Digit{static_cast<std::uint8_t>(c - 'A' + 10), 0xf};
  if (c == 'x' || c == 'X') return Digit{0, 0};
  return std::nullopt;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

std::optional<BytePattern> parse_byte_pattern(std::string_view text) {
  BytePattern pattern;
  while (!text.empty()) {
    if (is_blank(text[0])) {
      text.remove_prefix(1);
      continue;
    }
    const bool pair = text.size() > 1 && !is_blank(text[1]);
    const auto high = pair ? digit(text[0]) : Digit{0, 0xf};
    const auto low = digit(text[pair ? 1 : 0]);
    if (!high || !low) return std::nullopt;
    pattern.bytes.push_back(static_cast<std::uint8_t>(high->value << 4 | low->value));
    pattern.mask.push_back(static_cast<std::uint8_t>(high->mask << 4 | low->mask));
    text.remove_prefix(pair ? 2 : 1);
  }
  if (pattern.bytes.empty()) return std::nullopt;
  return pattern;
}

bool matches(const BytePattern& pattern, std::span<const std::uint8_t> reply) {
  const std::size_t size = std::min(reply.size(), pattern.bytes.size());
  for (std::size_t i = 0; i < size; ++i) {
    if (((reply[i] ^ pattern.bytes[i]) & pattern.mask[i]) != 0) return false;
  }
  return true;
}

}  // namespace sluice::health
