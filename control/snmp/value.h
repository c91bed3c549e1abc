// What an SNMP object is made of, as plain data: its number (OID) and its typed value. Knows nothing of net-snmp; which
// objects there are is table.h and the *_tables.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/address.h"

namespace sluice::control::snmp {

/// Compared as SNMP orders objects: number by number, a prefix before what it is a prefix of.
using Oid = std::vector<std::uint32_t>;

/// The types of SMIv2 that the MIBs use. Unsigned32 and Gauge32 are the same on the wire.
enum class Type : std::uint8_t { integer, gauge32, counter32, counter64, time_ticks, octets, ip_address };

struct Value {
  Type type = Type::integer;
  std::int64_t number = 0;  ///< all types but the last two; of a Counter64 the bits
  std::string octets;       ///< of octets and ip_address (four)

  bool operator==(const Value&) const = default;
};

/// Nothing: this row doesn't have the column.
using Cell = std::optional<Value>;

inline Value integer(std::int64_t number) { return {Type::integer, number, {}}; }
/// More than fits counts as the most that does.
inline Value gauge32(std::uint64_t number) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  return {Type::gauge32, std::int64_t(number < most ? number : most), {}};
}
/// Starts again from 0, as counters do.
inline Value counter32(std::uint64_t number) { return {Type::counter32, std::int64_t(std::uint32_t(number)), {}}; }
inline Value counter64(std::uint64_t number) { return {Type::counter64, std::int64_t(number), {}}; }
/// Hundredths of a second.
inline Value time_ticks(std::chrono::steady_clock::duration time) {
  const auto ticks = std::chrono::duration_cast<std::chrono::duration<std::int64_t, std::centi>>(time).count();
  return {Type::time_ticks, std::int64_t(std::uint32_t(ticks < 0 ? 0 : ticks)), {}};
}
inline Value text(std::string octets) { return {Type::octets, 0, std::move(octets)}; }
inline Cell text_if_any(const std::string& octets) { return octets.empty() ? Cell() : Cell(text(octets)); }

/// true(1), false(2): TruthValue; and in these MIBs enabled(1), disabled(2) and other pairs.
inline Value truth(bool is_so) { return integer(is_so ? 1 : 2); }
/// The same where it may be unset(3).
inline Value truth(std::optional<bool> is_so) { return is_so ? truth(*is_so) : integer(3); }

/// InetAddress: the bytes.
[[nodiscard]] Value address(const net::IpAddr& address);
/// InetAddressType: ipv4(1), ipv6(2).
inline Value address_type(bool is_v6) { return integer(is_v6 ? 2 : 1); }
inline Value address_type(const net::IpAddr& address) { return address_type(address.is_v6()); }
/// IpAddress, the type of older MIBs; IPv4 only.
[[nodiscard]] Value ip_address(const net::Ipv4Addr& address);
[[nodiscard]] Value mac_address(const net::MacAddr& address);

/// The bytes of an address as an index has them: a number each, without the length before them.
void append(Oid& oid, const net::IpAddr& address);

}  // namespace sluice::control::snmp
