// The objects of KEEPALIVED-MIB, VRRP-MIB (RFC 2787) and VRRPV3-MIB (RFC 6527): where they are, and the functions that
// make tables of a snapshot. Numbers, types and meanings are the MIBs'; where those leave room, keepalived's.
#pragma once

#include <memory>
#include <string>

#include "control/config/config.h"
#include "control/snmp/snapshot.h"
#include "control/snmp/table.h"

namespace sluice::control::snmp {

/// The parts that a configuration can turn on.
struct Parts {
  bool vrrp = false;     ///< KEEPALIVED-MIB::vrrp
  bool checker = false;  ///< KEEPALIVED-MIB::check
  bool rfc2787 = false;
  bool rfc6527 = false;

  [[nodiscard]] bool any() const { return vrrp || checker || rfc2787 || rfc6527; }
  bool operator==(const Parts&) const = default;
};

inline const Oid keepalived_mib = {1, 3, 6, 1, 4, 1, 9586, 100, 5};
inline const Oid vrrp_mib = {1, 3, 6, 1, 2, 1, 68};
inline const Oid vrrpv3_mib = {1, 3, 6, 1, 2, 1, 207};

/// `root` and what follows it.
[[nodiscard]] Oid below(const Oid& root, std::initializer_list<std::uint32_t> numbers);
/// Under keepalived_mib.
[[nodiscard]] Oid keepalived_oid(std::initializer_list<std::uint32_t> numbers);

/// The subtrees that belong to the parts: what is registered with the master.
[[nodiscard]] std::vector<Oid> subtrees(const Parts& parts);

/// All tables of the parts.
[[nodiscard]] std::shared_ptr<const View> make_view(std::shared_ptr<const Snapshot> snapshot, const Parts& parts);

// One for each file.
void add_global(View& view, const Snapshot& snapshot);
void add_vrrp(View& view, const Snapshot& snapshot);
void add_tracking(View& view, const Snapshot& snapshot);
void add_routes(View& view, const Snapshot& snapshot);
void add_check(View& view, const Snapshot& snapshot);
void add_rfc2787(View& view, const Snapshot& snapshot);
void add_rfc6527(View& view, const Snapshot& snapshot);

/// A script as keepalived shows it: "'/usr/bin/true' 'a'". Nothing: there is none.
[[nodiscard]] Cell script_text(const Snapshot& snapshot, const config::Script* script);
[[nodiscard]] inline Cell script_text(const Snapshot& snapshot, const std::optional<config::Script>& script) {
  return script_text(snapshot, script ? &*script : nullptr);
}

/// InetScopeType of a scope of rtnetlink.
[[nodiscard]] Value scope_type(unsigned scope);
/// VrrpState of KEEPALIVED-MIB.
[[nodiscard]] Value state_value(vrrp::State state);

/// An instance, with what is known of it.
struct InstanceRow {
  const Snapshot* all = nullptr;
  const config::VrrpInstance* config = nullptr;
  const VirtualRouterStatus* status = nullptr;  ///< never null: one in INIT where nothing is known
  const config::SyncGroup* group = nullptr;     ///< null: it stands alone
};
/// In the configuration's order.
[[nodiscard]] std::vector<InstanceRow> instance_rows(const Snapshot& snapshot);
/// Of the interface that its virtual addresses are reached by: the virtual router's, or the interface's.
[[nodiscard]] net::MacAddr mac_of(const InstanceRow& row);
/// The errors of an advertisement that count as one of those that the RFCs' MIBs count.
[[nodiscard]] std::uint64_t count(const std::array<std::uint64_t, vrrp::receive_errors>& errors,
                                  std::initializer_list<vrrp::ReceiveError> kinds);
/// All instances of that version, and what belongs to nobody.
[[nodiscard]] std::uint64_t count_all(const Snapshot& snapshot, std::initializer_list<vrrp::ReceiveError> kinds);

}  // namespace sluice::control::snmp
