#include "control/snmp/mibs.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::control::snmp {

Oid below(const Oid& root, std::initializer_list<std::uint32_t> numbers) {
  Oid oid = root;
  oid.insert(oid.end(), numbers);
  return oid;
}

Oid keepalived_oid(std::initializer_list<std::uint32_t> numbers) { return below(keepalived_mib, numbers); }

std::vector<Oid> subtrees(const Parts& parts) {
  std::vector<Oid> roots;
  if (parts.vrrp || parts.checker) roots.push_back(keepalived_oid({1}));
  if (parts.vrrp) roots.push_back(keepalived_oid({2}));
  if (parts.checker) roots.push_back(keepalived_oid({3}));
  if (parts.rfc2787) roots.push_back(vrrp_mib);
  if (parts.rfc6527) roots.push_back(vrrpv3_mib);
  return roots;
}

std::shared_ptr<const View> make_view(std::shared_ptr<const Snapshot> snapshot, const Parts& parts) {
  auto view = std::make_shared<View>(snapshot);
  if (parts.vrrp || parts.checker) add_global(*view, *snapshot);
  if (parts.vrrp) {
    add_vrrp(*view, *snapshot);
    add_tracking(*view, *snapshot);
    add_routes(*view, *snapshot);
  }
  if (parts.checker) add_check(*view, *snapshot);
  if (parts.rfc2787) add_rfc2787(*view, *snapshot);
  if (parts.rfc6527) add_rfc6527(*view, *snapshot);
  return view;
}

Cell script_text(const Snapshot& snapshot, const config::Script* script) {
  if (script == nullptr || script->argv.empty()) return std::nullopt;
  const auto known = snapshot.programs->find(script->argv.front());
  std::string line = fmt::format("'{}'", known != snapshot.programs->end() ? known->second : script->argv.front());
  for (std::size_t i = 1; i < script->argv.size(); ++i) line += fmt::format(" '{}'", script->argv[i]);
  return text(std::move(line));
}

Value scope_type(unsigned scope) {
  switch (scope) {
    case 0: return integer(14);   // global
    case 200: return integer(5);  // siteLocal
    case 253: return integer(2);  // linkLocal
    case 254: return integer(1);  // interfaceLocal
    default: return integer(0);
  }
}

Value state_value(vrrp::State state) {
  switch (state) {
    case vrrp::State::init: return integer(0);
    case vrrp::State::backup: return integer(1);
    case vrrp::State::master: return integer(2);
    case vrrp::State::fault: return integer(3);
  }
  return integer(4);
}

std::vector<InstanceRow> instance_rows(const Snapshot& snapshot) {
  static const VirtualRouterStatus nothing_known;
  std::map<std::string_view, const VirtualRouterStatus*> by_name;
  for (const VirtualRouterStatus& router : snapshot.vrrp.routers) by_name.emplace(router.name, &router);
  std::map<std::string_view, const config::SyncGroup*> groups;
  for (const config::SyncGroup& group : snapshot.config->sync_groups) {
    for (const std::string& member : group.instances) groups.emplace(member, &group);
  }
  std::vector<InstanceRow> rows;
  for (const config::VrrpInstance& instance : snapshot.config->vrrp_instances) {
    const auto status = by_name.find(instance.name);
    const auto group = groups.find(instance.name);
    rows.push_back({&snapshot, &instance, status == by_name.end() ? &nothing_known : status->second,
                    group == groups.end() ? nullptr : group->second});
  }
  return rows;
}

net::MacAddr mac_of(const InstanceRow& row) {
  if (row.config->vmac) {
    if (row.config->vmac->mac) return *row.config->vmac->mac;
    const auto vrid = std::uint8_t(row.config->virtual_router_id);
    return {{0x00, 0x00, 0x5e, 0x00, std::uint8_t(row.config->is_v6 ? 2 : 1), vrid}};
  }
  const auto found = row.all->interfaces.find(row.config->interface);
  return found == row.all->interfaces.end() ? net::MacAddr{} : found->second.mac;
}

std::uint64_t count(const std::array<std::uint64_t, vrrp::receive_errors>& errors,
                    std::initializer_list<vrrp::ReceiveError> kinds) {
  std::uint64_t sum = 0;
  for (const vrrp::ReceiveError kind : kinds) sum += errors[std::size_t(kind)];
  return sum;
}

std::uint64_t count_all(const Snapshot& snapshot, std::initializer_list<vrrp::ReceiveError> kinds) {
  std::uint64_t sum = count(snapshot.vrrp.errors, kinds);
  for (const VirtualRouterStatus& router : snapshot.vrrp.routers) sum += count(router.errors, kinds);
  return sum;
}

}  // namespace sluice::control::snmp
