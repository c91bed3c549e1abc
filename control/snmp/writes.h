// What a manager may write: an instance's base priority and preemption, a real server's weight; nothing else, as in
// keepalived. Finds out what a write means, from a snapshot; who does it is snmp_service.h's.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "control/snmp/mibs.h"

namespace sluice::control::snmp {

/// Of SNMP's errors.
enum class WriteError : std::uint8_t { none, not_writable, wrong_type, wrong_value, failed };

struct SetPriority {
  std::string instance;
  unsigned priority = 0;  ///< 1..255
};
struct SetPreempt {
  std::string instance;
  bool preempt = true;
};
struct SetWeight {
  std::string service;  ///< as set_weight() of pool_manager.h takes them
  std::string server;
  std::uint32_t weight = 0;
};
using Write = std::variant<WriteError, SetPriority, SetPreempt, SetWeight>;

/// Pure.
[[nodiscard]] Write write_of(const Snapshot& snapshot, const Parts& parts, const Oid& oid, const Value& value);

}  // namespace sluice::control::snmp
