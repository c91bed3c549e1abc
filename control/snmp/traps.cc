#include "control/snmp/traps.h"

#include <optional>

namespace sluice::control::snmp {

namespace {

using vrrp::NotifyEvent;
using vrrp::ReceiveError;

/// VrrpState; the last two are told in traps only.
std::optional<Value> state_of(NotifyEvent event) {
  switch (event) {
    case NotifyEvent::backup: return integer(1);
    case NotifyEvent::master: return integer(2);
    case NotifyEvent::fault: return integer(3);
    case NotifyEvent::stop: return integer(5);
    case NotifyEvent::deleted: return integer(6);
    case NotifyEvent::master_rx_lower_priority:
    case NotifyEvent::master_priority:
    case NotifyEvent::backup_priority: break;
  }
  return std::nullopt;
}

std::pair<Oid, Value> router_id_value(const std::string& router_id) {
  return {keepalived_oid({1, 2, 0}), text(router_id)};
}

// The columns of KEEPALIVED-MIB stand in traps without a row's index, as keepalived sends them.
Oid group_column(std::uint32_t number) { return keepalived_oid({2, 1, 1, number}); }
Oid instance_column(std::uint32_t number) { return keepalived_oid({2, 3, 1, number}); }
Oid service_column(std::uint32_t number) { return keepalived_oid({3, 3, 1, number}); }
Oid server_column(std::uint32_t number) { return keepalived_oid({3, 4, 1, number}); }

void add_new_master(std::vector<Trap>& traps, const VrrpNotice& notice, const config::VrrpInstance& instance,
                    const Parts& parts) {
  if (!notice.source) return;
  const auto ifindex = std::uint32_t(notice.ifindex);
  const std::uint32_t vrid = instance.virtual_router_id;
  if (parts.rfc2787 && instance.version == 2 && notice.source->is_v4()) {
    traps.push_back(
        {below(vrrp_mib, {0, 1}), {{below(vrrp_mib, {1, 3, 1, 7, ifindex, vrid}), ip_address(notice.source->v4())}}});
  }
  if (!parts.rfc6527) return;
  const std::uint32_t family = instance.is_v6 ? 2 : 1;
  traps.push_back({below(vrrpv3_mib, {0, 1}),
                   {{below(vrrpv3_mib, {1, 1, 1, 1, 3, ifindex, vrid, family}), address(*notice.source)},
                    {below(vrrpv3_mib, {1, 2, 5, 1, 2, ifindex, vrid, family}), integer(int(notice.master_reason))}}});
}

/// invalidAuthType(1), authTypeMismatch(2), authFailure(3); nothing: not about authentication.
std::optional<Value> authentication_error(ReceiveError error) {
  switch (error) {
    case ReceiveError::auth_type_unknown: return integer(1);
    case ReceiveError::auth_type:
    case ReceiveError::ah_presence: return integer(2);
    case ReceiveError::password:
    case ReceiveError::ah_header:
    case ReceiveError::ah_spi:
    case ReceiveError::ah_replay:
    case ReceiveError::ah_digest: return integer(3);
    default: return std::nullopt;
  }
}

/// ipTtlError(1), versionError(2), checksumError(3); nothing: none of them.
std::optional<Value> protocol_error(ReceiveError error) {
  switch (error) {
    case ReceiveError::ttl:
    case ReceiveError::unicast_ttl: return integer(1);
    case ReceiveError::version: return integer(2);
    case ReceiveError::checksum: return integer(3);
    default: return std::nullopt;
  }
}

/// tcp(1), udp(2), sctp(3).
Value protocol_of(const PoolEvent& event) {
  switch (event.protocol) {
    case net::Protocol::tcp: return integer(1);
    case net::Protocol::sctp: return integer(3);
    default: return integer(2);
  }
}

/// Who the virtual server is: fwmark(1), ip(2) or group(3), and what that needs.
void add_service(Trap& trap, const PoolEvent& event) {
  const VirtualServiceKey& key = event.service;
  const std::uint32_t type = !event.group.empty() ? 3 : key.has_mark() ? 1 : 2;
  trap.values.emplace_back(service_column(2), integer(type));
  if (type == 3) {
    trap.values.emplace_back(service_column(3), text(event.group));
  } else if (type == 1) {
    trap.values.emplace_back(service_column(4), gauge32(key.mark));
  } else {
    trap.values.emplace_back(service_column(5), address_type(key.address));
    trap.values.emplace_back(service_column(6), address(key.address));
    trap.values.emplace_back(service_column(7), gauge32(key.port.host()));
  }
  // keepalived calls everything udp that isn't tcp; so it is for fwmarks here, which have no protocol.
  trap.values.emplace_back(service_column(8), type == 1 ? integer(2) : protocol_of(event));
}

}  // namespace

std::vector<Trap> traps_of(const VrrpNotice& notice, const config::VrrpInstance* instance, const Parts& parts,
                           const std::string& router_id) {
  std::vector<Trap> traps;
  const auto state = state_of(notice.event);
  if (!state) return traps;
  if (notice.of_group) {
    if (parts.vrrp) {
      traps.push_back({keepalived_oid({2, 10, 0, 1}),
                       {{group_column(2), text(notice.name)}, {group_column(3), *state}, router_id_value(router_id)}});
    }
    return traps;
  }
  if (instance == nullptr) return traps;
  if (parts.vrrp) {
    traps.push_back({keepalived_oid({2, 10, 0, 2}),
                     {{instance_column(2), text(notice.name)},
                      {instance_column(4), *state},
                      {instance_column(5), integer(instance->state == config::InitialState::master ? 2 : 1)},
                      router_id_value(router_id)}});
  }
  if (notice.event == NotifyEvent::master) add_new_master(traps, notice, *instance, parts);
  return traps;
}

std::vector<Trap> traps_of(const VrrpRejection& rejection, const config::VrrpInstance& instance, const Parts& parts) {
  std::vector<Trap> traps;
  const auto ifindex = std::uint32_t(rejection.ifindex);
  const std::uint32_t vrid = instance.virtual_router_id;
  if (const auto error = authentication_error(rejection.error);
      error && parts.rfc2787 && instance.version == 2 && rejection.source.is_v4()) {
    traps.push_back({below(vrrp_mib, {0, 2}),
                     {{below(vrrp_mib, {1, 5, ifindex, vrid}), ip_address(rejection.source.v4())},
                      {below(vrrp_mib, {1, 6, ifindex, vrid}), *error}}});
  }
  if (const auto error = protocol_error(rejection.error); error && parts.rfc6527) {
    const std::uint32_t family = instance.is_v6 ? 2 : 1;
    traps.push_back({below(vrrpv3_mib, {0, 2}), {{below(vrrpv3_mib, {1, 2, 5, 1, 6, ifindex, vrid, family}), *error}}});
  }
  return traps;
}

std::vector<Trap> traps_of(const PoolEvent& event, const Parts& parts, const std::string& router_id) {
  if (!parts.checker) return {};
  Trap trap;
  if (event.server) {
    trap.oid = keepalived_oid({3, 5, 0, 1});
    trap.values.emplace_back(server_column(3), address_type(event.server->address));
    trap.values.emplace_back(server_column(4), address(event.server->address));
    trap.values.emplace_back(server_column(5), gauge32(event.server->port.host()));
    trap.values.emplace_back(server_column(6), truth(event.what == PoolEvent::What::up));
    add_service(trap, event);
  } else {
    trap.oid = keepalived_oid({3, 5, 0, 2});
    add_service(trap, event);
    // met(1), notMet(2), shutdown(3)
    const int status = event.what == PoolEvent::What::up ? 1 : event.what == PoolEvent::What::down ? 2 : 3;
    trap.values.emplace_back(service_column(23), integer(status));
    trap.values.emplace_back(service_column(22), gauge32(event.quorum));
  }
  trap.values.emplace_back(service_column(21), gauge32(event.servers_up));
  trap.values.emplace_back(service_column(20), gauge32(event.servers));
  trap.values.push_back(router_id_value(router_id));
  std::vector<Trap> traps;
  traps.push_back(std::move(trap));
  return traps;
}

}  // namespace sluice::control::snmp
