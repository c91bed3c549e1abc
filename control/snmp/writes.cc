#include "control/snmp/writes.h"

#include <algorithm>

namespace sluice::control::snmp {

namespace {

constexpr std::int64_t priority_max = 255;

/// The index of a column below an entry; null: not that column.
const std::uint32_t* index_in(const Oid& oid, const Oid& entry, std::uint32_t column, std::size_t numbers) {
  if (oid.size() != entry.size() + 1 + numbers || !std::equal(entry.begin(), entry.end(), oid.begin())) return nullptr;
  return oid[entry.size()] == column ? oid.data() + entry.size() + 1 : nullptr;
}

Write instance_write(const Snapshot& snapshot, std::uint32_t number, bool is_priority, const Value& value) {
  const auto& instances = snapshot.config->vrrp_instances;
  if (number == 0 || number > instances.size()) return WriteError::not_writable;
  if (value.type != Type::integer) return WriteError::wrong_type;
  const std::string& name = instances[number - 1].name;
  if (is_priority) {
    if (value.number < 1 || value.number > priority_max) return WriteError::wrong_value;
    return SetPriority{name, unsigned(value.number)};
  }
  if (value.number != 1 && value.number != 2) return WriteError::wrong_value;
  return SetPreempt{name, value.number == 1};
}

/// keepalived takes any number and makes it one that it can use; the sorry server has no weight to write.
Write weight_write(const Snapshot& snapshot, std::uint32_t service, std::uint32_t server, const Value& value) {
  if (service == 0 || service > snapshot.servers.size()) return WriteError::not_writable;
  const ShownServer& shown = snapshot.servers[service - 1];
  const std::uint32_t sorry = shown.config->sorry_server ? 1 : 0;
  if (shown.pool == nullptr || server <= sorry || server - sorry > shown.servers.size()) {
    return WriteError::not_writable;
  }
  const RealServerStatus* real = shown.servers[server - sorry - 1];
  if (real == nullptr) return WriteError::not_writable;
  if (value.type != Type::integer) return WriteError::wrong_type;
  return SetWeight{shown.pool->name, real->destination.key.text(),
                   std::uint32_t(std::max<std::int64_t>(value.number, 0))};
}

}  // namespace

Write write_of(const Snapshot& snapshot, const Parts& parts, const Oid& oid, const Value& value) {
  const Oid instance = keepalived_oid({2, 3, 1});
  if (parts.vrrp) {
    if (const auto* index = index_in(oid, instance, 7, 1)) return instance_write(snapshot, index[0], true, value);
    if (const auto* index = index_in(oid, instance, 13, 1)) return instance_write(snapshot, index[0], false, value);
  }
  if (const auto* index = index_in(oid, keepalived_oid({3, 4, 1}), 7, 2); index != nullptr && parts.checker) {
    return weight_write(snapshot, index[0], index[1], value);
  }
  return WriteError::not_writable;
}

}  // namespace sluice::control::snmp
