// A number that stands for all of a plain value: two values with the same fingerprint are the same, but for one case in
// 2^64. It goes through every field by itself, so that none can be forgotten. For comparing a hundred thousand real
// servers with those of a moment ago; not against somebody who makes values collide on purpose.
#pragma once

#include <bit>
#include <boost/pfr/core.hpp>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "net/address.h"
#include "net/shared_value.h"

namespace sluice::control {

class Fingerprint {
 public:
  /// Numbers, enumerations, texts, durations, addresses, optional, variant, vector and shared values of such, and
  /// structures without private parts of all these.
  template <typename T>
  void add(const T& value) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      word(static_cast<std::uint64_t>(value));
    } else if constexpr (requires { value.raw(); }) {
      word(value.raw());
    } else {
      boost::pfr::for_each_field(value, [this](const auto& field) { add(field); });
    }
  }
  void add(const std::string& text) { bytes(text.data(), text.size()); }
  void add(const net::IpAddr& address) {
    if (address.is_v4()) return word(address.v4().value.raw());
    bytes(address.v6().bytes.data(), address.v6().bytes.size());
  }
  template <typename T, std::size_t size>
  void add(const std::array<T, size>& list) {
    for (const T& one : list) add(one);
  }
  template <typename T>
  void add(const std::vector<T>& list) {
    if constexpr (std::is_same_v<T, std::uint8_t>) return bytes(list.data(), list.size());
    word(list.size());
    for (const T& one : list) add(one);
  }
  template <typename Rep, typename Period>
  void add(const std::chrono::duration<Rep, Period>& duration) {
    word(static_cast<std::uint64_t>(duration.count()));
  }
  template <typename T>
  void add(const std::optional<T>& value) {
    word(value.has_value() ? 1 : 0);
    if (value) add(*value);
  }
  template <typename T>
  void add(const net::SharedValue<T>& value) {
    word(value.has_value() ? 1 : 0);
    if (value) add(*value);
  }
  template <typename... T>
  void add(const std::variant<T...>& value) {
    word(value.index());
    std::visit([this](const auto& one) { add(one); }, value);
  }

  [[nodiscard]] std::uint64_t value() const { return state_; }

 private:
  // The product of 64 by 64 bits, folded: each bit of both sides reaches all of the result (as wyhash does it).
  void word(std::uint64_t word) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{state_ ^ 0xa0761d6478bd642full} * (word ^ 0xe7037ed1a0b428dbull ^ std::rotl(state_, 32));
    state_ = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  void bytes(const void* from, std::size_t size) {
    word(size);
    const auto* at = static_cast<const char*>(from);
    for (; size > 0; at += std::min<std::size_t>(size, 8), size -= std::min<std::size_t>(size, 8)) {
      std::uint64_t part = 0;
      std::memcpy(&part, at, std::min<std::size_t>(size, 8));
      word(part);
    }
  }

  std::uint64_t state_ = 0x8ebc6af09c88c6e3ull;
};

template <typename T>
[[nodiscard]] std::uint64_t fingerprint_of(const T& value) {
  Fingerprint fingerprint;
  fingerprint.add(value);
  return fingerprint.value();
}

}  // namespace sluice::control
