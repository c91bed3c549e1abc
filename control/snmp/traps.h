// What SNMP is told of by itself: events, and the trap that each becomes, with its values in keepalived's order. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "control/config/config.h"
#include "control/pools/pool_events.h"
#include "control/snmp/mibs.h"
#include "control/vrrp/vrrp_settings.h"

namespace sluice::control::snmp {

struct Trap {
  Oid oid;
  std::vector<std::pair<Oid, Value>> values;

  bool operator==(const Trap&) const = default;
};

/// Empty: nobody is to be told. instance: null for a group.
[[nodiscard]] std::vector<Trap> traps_of(const VrrpNotice& notice, const config::VrrpInstance* instance,
                                         const Parts& parts, const std::string& router_id);
[[nodiscard]] std::vector<Trap> traps_of(const VrrpRejection& rejection, const config::VrrpInstance& instance,
                                         const Parts& parts);
[[nodiscard]] std::vector<Trap> traps_of(const PoolEvent& event, const Parts& parts, const std::string& router_id);

}  // namespace sluice::control::snmp
