// VRRP instances and their groups: what a VRRP router runs from. Every value is final: corrections made, defaults and
// global_defs applied.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model/global_defs.h"
#include "control/config/model/statics.h"
#include "control/config/model/trackers.h"

namespace sluice::control::config {

enum class InitialState : std::uint8_t { backup, master };

enum class AuthType : std::uint8_t { pass, ah };

/// RFC 2338's; VRRP 2 only.
struct Authentication {
  AuthType type = AuthType::pass;
  std::string password;  ///< 1..8 bytes

  bool operator==(const Authentication&) const = default;
};

inline constexpr std::size_t auth_password_max = 8;

/// A key of auth_hmac: "hex:...", "file:..." or the bytes themselves, as written.
struct HmacKey {
  unsigned id = 1;  ///< 1..255
  std::string secret;

  bool operator==(const HmacKey&) const = default;
};

struct AuthHmac {
  enum class AntiReplay : std::uint8_t { time, monotonic };
  enum class Mode : std::uint8_t { enforce, permissive, receive_only };
  std::vector<HmacKey> keys;
  std::optional<unsigned> active_key;  ///< id of the one that signs; nothing: the first
  AntiReplay anti_replay = AntiReplay::time;
  std::optional<std::chrono::seconds> time_window;  ///< nothing: three advert_int, and 5 s at least
  Mode mode = Mode::enforce;

  bool operator==(const AuthHmac&) const = default;
};

struct UnicastPeer {
  Position position;
  net::IpAddr address;
  std::optional<unsigned> min_ttl;  ///< either of them: the source of what comes in is checked
  std::optional<unsigned> max_ttl;

  bool operator==(const UnicastPeer&) const = default;
};

enum class OldChecksum : std::uint8_t { automatic, always, never };

/// A macvlan with the virtual router's MAC address.
struct Vmac {
  std::string name;  ///< empty: made of vmac_prefix and the virtual_router_id
  std::optional<net::MacAddr> mac;
  std::string parent;  ///< use_vmac NAME IF; empty: the instance's interface
  bool netlink_notify = false;
  std::optional<std::uint32_t> group;

  bool operator==(const Vmac&) const = default;
};

enum class IpvlanMode : std::uint8_t { bridge, private_, vepa };

struct Ipvlan {
  std::string name;  ///< empty: made of the virtual_router_id
  std::optional<Prefix> address;
  IpvlanMode mode = IpvlanMode::bridge;
  std::optional<std::uint32_t> group;

  bool operator==(const Ipvlan&) const = default;
};

/// Scripts on changes of state.
struct VrrpNotify {
  std::optional<Script> master;
  std::optional<Script> backup;
  std::optional<Script> fault;
  std::optional<Script> stop;
  std::optional<Script> deleted;   ///< instances only, as are the next two
  bool deleted_not_fault = false;  ///< an instance that a reload removed is DELETED, not in FAULT
  std::optional<Script> master_rx_lower_pri;
  std::optional<Script> any;  ///< notify

  bool operator==(const VrrpNotify&) const = default;
};

struct VrrpInstance {
  Position position;
  std::string name;
  InitialState state = InitialState::backup;
  std::string interface;           ///< empty only for unicast in a vrf
  std::string vrf;                 ///< empty: none
  unsigned virtual_router_id = 0;  ///< 1..255
  unsigned priority = 100;         ///< 1..255; 255: owner of the addresses
  unsigned version = 2;            ///< 2 or 3; IPv6: 3
  bool is_v6 = false;
  Duration advert_int = std::chrono::seconds(1);  ///< version 2: whole seconds, 3: hundredths, at most 40.95 s
  std::optional<Authentication> authentication;
  std::optional<AuthHmac> auth_hmac;
  std::vector<InterfaceAddress> addresses;  ///< advertised; all of the instance's family
  std::vector<InterfaceAddress> excluded_addresses;
  bool no_virtual_ipaddress = false;
  std::vector<IpRoute> routes;
  std::vector<IpRule> rules;

  std::optional<net::IpAddr> source;       ///< of advertisements; nothing: the interface's first
  std::vector<UnicastPeer> unicast_peers;  ///< empty: multicast
  std::optional<unsigned> unicast_ttl;     ///< nothing: 255
  bool unicast_fault_no_peer = false;
  Inherited<bool> check_unicast_src{false};
  OldChecksum old_unicast_checksum = OldChecksum::automatic;
  std::optional<net::IpAddr> multicast_group;  ///< nothing: global_defs' of the family
  bool track_src_ip = false;

  bool nopreempt = false;
  Duration preempt_delay{0};
  VrrpNotify notify;
  Inherited<bool> notify_priority_changes{false};
  Inherited<bool> smtp_alert{false};
  Tracking tracking;
  bool dont_track_primary = false;
  GarpSettings garp;
  Inherited<unsigned> down_timer_adverts{3};
  Inherited<bool> lower_prio_no_advert{false};
  Inherited<bool> higher_prio_send_advert{false};
  Inherited<bool> owner_ignore_adverts{false};
  Inherited<bool> skip_check_adv_addr{false};
  Inherited<bool> strict{false};
  Inherited<bool> v3_checksum_as_v2{false};
  std::optional<unsigned> timer_expired_backup;  ///< adverts; 1..254

  std::optional<Vmac> vmac;
  bool use_vmac_addr = false;
  bool vmac_xmit_base = false;
  std::optional<Ipvlan> ipvlan;
  Inherited<bool> accept{true};  ///< packets to the virtual addresses are taken; an owner always takes them
  bool promote_secondaries = false;
  std::optional<std::uint32_t> kernel_rx_buf_size;
  bool linkbeat_use_polling = false;
  std::optional<unsigned> debug;

  bool operator==(const VrrpInstance&) const = default;
};

/// Instances that change state together.
struct SyncGroup {
  Position position;
  std::string name;
  std::vector<std::string> instances;  ///< that exist; not empty
  Tracking tracking;                   ///< for all of them
  VrrpNotify notify;
  Inherited<bool> smtp_alert{false};
  Inherited<bool> notify_priority_changes{false};
  bool sync_group_tracking_weight = false;  ///< weights count although the members belong together

  bool operator==(const SyncGroup&) const = default;
};

}  // namespace sluice::control::config
