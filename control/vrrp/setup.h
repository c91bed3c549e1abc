// From the configuration's words to the protocol's: what a vrrp_instance means for the election, the wire and the
// gratuitous ARPs. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/vrrp/firewall_rules.h"
#include "control/vrrp/sysctl_keeper.h"
#include "net/error.h"
#include "vrrp/codec.h"
#include "vrrp/election.h"
#include "vrrp/garp.h"
#include "vrrp/tracking.h"

namespace sluice::control {

/// source: where its advertisements come from, as far as it is known; the election compares by it.
[[nodiscard]] vrrp::InstanceConfig election_of(const config::VrrpInstance& instance, const config::GlobalDefs& global,
                                               const net::IpAddr& source);
/// mtu: of the interface, bytes of layer 3; addresses that an advertisement has no room for aren't in it.
/// keys: those of auth_hmac that could be read.
[[nodiscard]] vrrp::WireConfig wire_of(const config::VrrpInstance& instance, std::size_t mtu,
                                       std::span<const vrrp::HmacKey> keys = {});
/// auth_hmac without what it takes: it could neither sign nor tell what is right.
[[nodiscard]] bool lacks_key(const vrrp::WireConfig& wire);
/// Room that it wants in the socket for what comes in, bytes; 0: it doesn't say. mtu: of the interface.
[[nodiscard]] std::size_t receive_buffer_of(const config::VrrpInstance& instance, const config::GlobalDefs& global,
                                            const vrrp::WireConfig& wire, std::size_t mtu);
[[nodiscard]] vrrp::GarpSettings garp_of(const config::VrrpInstance& instance);

/// The interface that it depends on: its own, or without one the VRF that it is in. Empty: none (unicast).
[[nodiscard]] const std::string& home_of(const config::VrrpInstance& instance);

/// Where its advertisements go with multicast.
[[nodiscard]] net::IpAddr group_of(const config::VrrpInstance& instance, const config::GlobalDefs& global);

/// What it tracks, its sync group's things included, as if nothing were known of them yet: no effect either way. Its
/// virtual addresses' and routes' own devices count, too. group: null: it is in none.
[[nodiscard]] std::vector<vrrp::Tracker> trackers_of(const config::VrrpInstance& instance,
                                                     const config::SyncGroup* group);

/// no_accept: while it is master packets for its addresses are dropped. An owner's never are.
[[nodiscard]] bool may_block(const config::VrrpInstance& instance);
[[nodiscard]] FirewallSettings firewall_of(const config::Config& config);

/// The host's settings that hold while this configuration does: promote_secondaries, disable_local_igmp.
[[nodiscard]] std::vector<Sysctl> sysctls_of(const config::Config& config);

/// What names an interface that isn't among `there` and won't be made: keepalived doesn't start so. Empty with
/// dynamic_interfaces.
[[nodiscard]] std::vector<Error> missing_interfaces(const config::Config& config, std::span<const std::string> there);

/// Does a reload keep the state of `before` for `after`? The name doesn't count (keepalived).
[[nodiscard]] bool is_same_router(const config::VrrpInstance& before, const config::VrrpInstance& after);

}  // namespace sluice::control
