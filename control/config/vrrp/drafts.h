// vrrp_instance and vrrp_sync_group while they are read: the block, and what is only known once all of it was seen.
// Internal to control/config/vrrp.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/config/vrrp/block.h"

namespace sluice::control::config {

/// track_interface { ... } and its like. config: who is tracked, for weights that come from there.
struct TrackingDraft {
  Tracking tracking;
  const Config* config = nullptr;
  std::map<std::string, Place> places = {};  ///< "track_script chk" -> its line
};

[[nodiscard]] std::span<const Keyword<TrackingDraft>> tracking_keywords();

struct AuthenticationDraft {
  std::optional<Place> place;
  std::optional<AuthType> type;
  std::string password;
};

struct InstanceDraft {
  VrrpInstance vi;
  TrackingDraft tracking;
  AuthenticationDraft authentication;

  bool has_id = false;
  std::optional<unsigned> version;
  std::optional<bool> is_v6;  ///< fixed by the first address of whatever kind
  std::optional<InitialState> state;
  std::string vrf;
  bool vmac_mac_needs_id = false;  ///< the last octet of the VMAC's address is the virtual_router_id

  // Where keywords stand that may be in each other's way.
  std::optional<Place> vrf_at;
  std::optional<Place> advert_int_at;
  std::optional<Place> accept_at;
  std::optional<Place> nopreempt_at;
  std::optional<Place> preempt_delay_at;
  std::optional<Place> unicast_at;  ///< the first keyword that makes no sense without peers
  std::optional<Place> unicast_ttl_at;
  std::optional<Place> multicast_at;
  std::optional<Place> vmac_at;
  std::optional<Place> xmit_base_at;
  std::optional<Place> ipvlan_at;
  std::optional<Place> addresses_at;
};

using InstanceKeywords = std::span<const Keyword<InstanceDraft>>;

// The subjects of a vrrp_instance.
[[nodiscard]] InstanceKeywords identity_keywords();
[[nodiscard]] InstanceKeywords authentication_keywords();
[[nodiscard]] InstanceKeywords address_keywords();
[[nodiscard]] InstanceKeywords unicast_keywords();
[[nodiscard]] InstanceKeywords vmac_keywords();
[[nodiscard]] InstanceKeywords behaviour_keywords();

/// The family of an address that the instance names: the first one fixes it, others of another family are refused.
bool takes_family(Context& context, Place place, InstanceDraft& draft, bool is_v6, std::string_view what);

/// Corrections and inheritance, once the whole block was read; false: the instance is dropped.
bool settle_instance(Context& context, const Statement& statement, InstanceDraft& draft);

/// What is allowed, and hurts: said in notices that begin with "careful: ".
void warn_of_traps(Context& context, const Statement& statement, const InstanceDraft& draft);

/// notify_master, notify_backup, notify_fault, notify_stop and notify: what instances and groups share.
inline constexpr auto notify_lines = std::to_array<Keyword<VrrpNotify>>({
    Field<VrrpNotify>::script<&VrrpNotify::master>("notify_master"),
    Field<VrrpNotify>::script<&VrrpNotify::backup>("notify_backup"),
    Field<VrrpNotify>::script<&VrrpNotify::fault>("notify_fault"),
    Field<VrrpNotify>::script<&VrrpNotify::stop>("notify_stop"),
    Field<VrrpNotify>::script<&VrrpNotify::any>("notify"),
});

}  // namespace sluice::control::config
