// Integers in network byte order as types of their own, so that an unswapped value can't slip into a header.
// Conversion is explicit both ways. Trivial, aligned as the plain integer.
#pragma once

#include <bit>
#include <compare>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace sluice::net {

namespace detail {
template <std::unsigned_integral T>
constexpr T swap_if_little(T value) {
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}
}  // namespace detail

template <std::unsigned_integral T>
class BigEndian {
 public:
  BigEndian() = default;
  /// host: a value in host order.
  explicit constexpr BigEndian(T host) : raw_(detail::swap_if_little(host)) {}
  /// raw: the bytes as they lie in memory or on the wire.
  static constexpr BigEndian from_raw(T raw) {
    BigEndian value{};
    value.raw_ = raw;
    return value;
  }

  [[nodiscard]] constexpr T host() const { return detail::swap_if_little(raw_); }
  [[nodiscard]] constexpr T raw() const { return raw_; }

  constexpr bool operator==(const BigEndian&) const = default;
  constexpr std::strong_ordering operator<=>(const BigEndian& other) const { return host() <=> other.host(); }

 private:
  T raw_;
};

using Be16 = BigEndian<std::uint16_t>;
using Be32 = BigEndian<std::uint32_t>;

static_assert(sizeof(Be16) == 2 && std::is_trivial_v<Be16>);
static_assert(sizeof(Be32) == 4 && std::is_trivial_v<Be32>);

/// Reads a trivial wire struct from unaligned bytes. The caller has checked that sizeof(T) bytes are there.
template <typename T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] inline T load(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// Writes a trivial wire struct to unaligned bytes. The caller has checked that there is room.
template <typename T>
requires std::is_trivially_copyable_v<T>
inline void store(std::uint8_t* bytes, const T& value) { std::memcpy(bytes, &value, sizeof value); }

}  // namespace sluice::net
