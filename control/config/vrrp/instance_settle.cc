// Once a vrrp_instance was read: what contradicts itself is put right the way keepalived does, what it doesn't say
// comes from global_defs.
#include <algorithm>
#include <chrono>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

using I = InstanceDraft;
using std::chrono::microseconds;

constexpr unsigned owner_priority = 255;
/// Twelve bits of hundredths of a second.
constexpr Duration v3_advert_max = std::chrono::milliseconds(40'950);
constexpr Duration v3_unit = std::chrono::milliseconds(10);

class Settler {
 public:
  Settler(Context& context, const Statement& statement, I& draft)
      : context_(context), statement_(statement), draft_(draft), vi_(draft.vi), global_(context.config.global) {}

  bool run() {
    if (!identity()) return false;
    inherit();
    strict();
    version_and_interval();
    authentication();
    preemption();
    unicast();
    own_interfaces();
    accept();
    tracking();
    addresses();
    return true;
  }

 private:
  bool identity() {
    if (!draft_.has_id) {
      return drop("no valid virtual_router_id, expected 'virtual_router_id N' with N within 1..255");
    }
    if (vi_.interface.empty() && vi_.unicast_peers.empty()) {
      return drop("no interface, expected 'interface NAME' or a unicast_peer");
    }
    if (!draft_.vrf.empty() && !vi_.interface.empty()) {
      error(draft_.vrf_at, "vrf ignored, an instance with an interface is in that one's");
    } else {
      vi_.vrf = draft_.vrf;
    }
    if (draft_.vmac_mac_needs_id && vi_.vmac && vi_.vmac->mac) {
      vi_.vmac->mac->bytes[5] = static_cast<std::uint8_t>(vi_.virtual_router_id);
    }
    vi_.is_v6 = draft_.is_v6.value_or(false);
    return true;
  }

  void inherit() {
    const VrrpDefaults& vrrp = global_.vrrp;
    vi_.strict.inherit(vrrp.strict);
    vi_.check_unicast_src.inherit(vrrp.check_unicast_src);
    vi_.notify_priority_changes.inherit(global_.fifos.vrrp_priority_changes);
    vi_.smtp_alert.inherit(global_.mail.smtp_alert_vrrp.value_or(global_.mail.smtp_alert.value_or(false)));
    vi_.down_timer_adverts.inherit(vrrp.down_timer_adverts);
    vi_.lower_prio_no_advert.inherit(vrrp.lower_prio_no_advert);
    vi_.higher_prio_send_advert.inherit(vrrp.higher_prio_send_advert);
    vi_.owner_ignore_adverts.inherit(vrrp.owner_ignore_adverts);
    vi_.skip_check_adv_addr.inherit(vrrp.skip_check_adv_addr);
    vi_.v3_checksum_as_v2.inherit(vrrp.v3_checksum_as_v2);
    const GarpSettings& outer = vrrp.garp;
    GarpSettings& garp = vi_.garp;
    garp.master_delay.inherit(outer.master_delay);
    garp.master_repeat.inherit(outer.master_repeat);
    garp.master_refresh.inherit(outer.master_refresh);
    garp.master_refresh_repeat.inherit(outer.master_refresh_repeat);
    // What global_defs doesn't say either is as for the first burst.
    garp.lower_prio_delay.inherit(outer.lower_prio_delay.written ? outer.lower_prio_delay : garp.master_delay);
    garp.lower_prio_repeat.inherit(outer.lower_prio_repeat.written
                                       ? outer.lower_prio_repeat.value
                                       : std::min<std::uint32_t>(garp.master_repeat, 2147483647));
    if (!garp.extra) garp.extra = outer.extra;
  }

  /// RFC 5798 and 3768 to the letter.
  void strict() {
    if (!vi_.strict) return;
    // Only what the file asks for is complained about.
    if (vi_.garp.lower_prio_repeat.written && vi_.garp.lower_prio_repeat > 0) {
      warn("garp_lower_prio_repeat is taken as 0: strict mode has no bursts but the first");
    }
    if (vi_.garp.lower_prio_delay.written && vi_.garp.lower_prio_delay.value.count() > 0) {
      warn("garp_lower_prio_delay is taken as 0: strict mode has no bursts but the first");
    }
    vi_.garp.lower_prio_repeat.write(0);
    vi_.garp.lower_prio_delay.write(std::chrono::seconds(0));
    if (vi_.higher_prio_send_advert) {
      warn("higher_prio_send_advert is taken as false: strict mode has nothing like it");
      vi_.higher_prio_send_advert.write(false);
    }
    constexpr unsigned adverts = 3;
    if (vi_.down_timer_adverts.value != adverts) {
      warn("down_timer_adverts is taken as 3: strict mode has nothing else");
      vi_.down_timer_adverts.write(adverts);
    }
    if (vi_.preempt_delay.count() > 0) {
      warn(draft_.preempt_delay_at, "preempt_delay is taken as 0: strict mode has nothing like it");
      vi_.preempt_delay = Duration(0);
    }
    const bool link_local_first = vi_.addresses.empty() || !vi_.is_v6 || is_link_local(vi_.addresses[0].address.v6());
    if (!link_local_first) {
      warn(draft_.addresses_at, "the first address isn't link-local (fe80::/10), expected that in strict mode");
    }
  }

  static bool is_link_local(const net::Ipv6Addr& address) {
    return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
  }

  void version_and_interval() {
    vi_.version = draft_.version.value_or(global_.vrrp.version);
    if (vi_.is_v6 && vi_.version == 2) {
      if (vi_.strict && draft_.version) warn("version 2 is taken as 3: VRRP 2 knows no IPv6");
      vi_.version = 3;
    }
    Duration& interval = vi_.advert_int;
    const Duration unit = vi_.version == 2 ? Duration(std::chrono::seconds(1)) : v3_unit;
    if (interval.count() % unit.count() != 0) {
      interval = std::max(unit, Duration((interval + unit / 2).count() / unit.count() * unit.count()));
      warn(draft_.advert_int_at,
           fmt::format("advert_int is rounded to {}, expected whole {} (VRRP {})", seconds_text(interval),
                       vi_.version == 2 ? "seconds" : "hundredths", vi_.version));
    }
    if (vi_.version == 3 && interval > v3_advert_max) {
      interval = v3_advert_max;
      warn(draft_.advert_int_at, "advert_int is taken as 40.95, the longest of VRRP 3");
    }
  }

  void authentication() {
    const AuthenticationDraft& auth = draft_.authentication;
    if (!auth.type) return;
    if (auth.password.empty()) return warn(auth.place, "authentication ignored, expected an auth_pass in it");
    if (vi_.auth_hmac) return warn(auth.place, "authentication ignored, it doesn't go with auth_hmac");
    if (vi_.strict) return warn(auth.place, "authentication ignored, strict mode has none");
    if (vi_.version == 3) return warn(auth.place, "authentication ignored, VRRP 3 has none");
    vi_.authentication = Authentication{*auth.type, auth.password};
    // A master that has just started doesn't know the sequence number that the others saw last.
    if (auth.type == AuthType::ah && vi_.state == InitialState::master && vi_.priority != owner_priority) {
      warn(auth.place, "state MASTER is taken as BACKUP: with auth_type AH an instance has to listen first");
      vi_.state = InitialState::backup;
    }
  }

  void preemption() {
    const bool wants_master = vi_.state == InitialState::master || vi_.priority == owner_priority;
    const std::string why = vi_.priority == owner_priority ? "priority 255" : "state MASTER";
    if (vi_.nopreempt && wants_master) {
      warn(draft_.nopreempt_at, fmt::format("nopreempt ignored: it doesn't go with {}, expected state BACKUP on both "
                                            "sides and a priority below 255",
                                            why));
      vi_.nopreempt = false;
    }
    if (vi_.preempt_delay.count() > 0 && (vi_.nopreempt || wants_master)) {
      warn(draft_.preempt_delay_at,
           fmt::format("preempt_delay ignored: it doesn't go with {}", vi_.nopreempt ? "nopreempt" : why));
      vi_.preempt_delay = Duration(0);
    }
  }

  void unicast() {
    if (vi_.unicast_peers.empty()) {
      if (draft_.unicast_at && vi_.unicast_fault_no_peer) {
        warn(draft_.unicast_at,
             "a unicast keyword without peers: with unicast_fault_no_peer the instance stays in "
             "FAULT, expected unicast_peer { ... } with addresses");
      } else if (draft_.unicast_at) {
        warn(draft_.unicast_at,
             "a unicast keyword without peers: advertisements are multicast, expected unicast_peer "
             "{ ... } with addresses");
      }
      if (vi_.unicast_ttl) {
        warn(draft_.unicast_ttl_at, "unicast_ttl ignored, there is no unicast_peer");
        vi_.unicast_ttl.reset();
      }
      vi_.check_unicast_src = Inherited<bool>(false);
      vi_.old_unicast_checksum = OldChecksum::automatic;
      return;
    }
    if (vi_.multicast_group) {
      warn(draft_.multicast_at, "mcast_dst_ip ignored, there are unicast_peers");
      vi_.multicast_group.reset();
    }
    if ((vi_.vmac || vi_.ipvlan) && !vi_.vmac_xmit_base && vi_.vmac) {
      warn(draft_.vmac_at, "vmac_xmit_base is turned on, expected it beside use_vmac and unicast_peer");
      vi_.vmac_xmit_base = true;
    }
  }

  void own_interfaces() {
    if (vi_.vmac && vi_.ipvlan) {
      warn(draft_.ipvlan_at, "use_ipvlan ignored, the instance has use_vmac");
      vi_.ipvlan.reset();
    }
    if (vi_.vmac_xmit_base && !vi_.vmac) {
      warn(draft_.xmit_base_at, "vmac_xmit_base ignored, expected use_vmac beside it");
      vi_.vmac_xmit_base = false;
    }
    if (vi_.ipvlan && !vi_.ipvlan->address && !vi_.is_v6) {
      warn(draft_.ipvlan_at, "use_ipvlan ignored, expected an IPv4 address behind it for IPv4");
      vi_.ipvlan.reset();
    }
  }

  void accept() {
    const bool is_owner = vi_.priority == owner_priority;
    if (vi_.strict && vi_.version == 2 && vi_.accept.written && vi_.accept && !is_owner) {
      warn(draft_.accept_at, "accept ignored, VRRP 2 has nothing like it in strict mode");
      vi_.accept.write(false);
    }
    vi_.accept.inherit(!vi_.strict || is_owner);
  }

  /// An owner's priority doesn't change; an instance's own interface is watched anyway.
  void tracking() {
    Tracking& tracking = draft_.tracking.tracking;
    std::erase_if(tracking.interfaces, [&](const Tracked& tracked) {
      if (tracked.name != vi_.interface || vi_.dont_track_primary) return false;
      warn(line_of("track_interface", tracked.name),
           fmt::format("track_interface {} ignored, it is the instance's own", quoted(tracked.name)));
      return true;
    });
    if (vi_.priority == owner_priority) {
      for (const auto& [list, keyword] : lists) {
        std::erase_if(tracking.*list, [&](const Tracked& tracked) {
          if (tracked.weight.value == 0) return false;
          warn(line_of(keyword, tracked.name),
               fmt::format("{} {} ignored: the priority of an owner (255) doesn't change, expected weight 0", keyword,
                           quoted(tracked.name)));
          return true;
        });
      }
    }
    vi_.tracking = std::move(tracking);
  }

  struct ListName {
    std::vector<Tracked> Tracking::*list;
    std::string_view keyword;
  };
  static constexpr ListName lists[] = {{&Tracking::interfaces, "track_interface"},
                                       {&Tracking::scripts, "track_script"},
                                       {&Tracking::files, "track_file"},
                                       {&Tracking::processes, "track_process"},
                                       {&Tracking::bfds, "track_bfd"}};

  void addresses() {
    if (vi_.addresses.empty() && !vi_.no_virtual_ipaddress) {
      warn(fmt::format("vrrp_instance {} has no address, expected virtual_ipaddress {{ ... }}", quoted(vi_.name)));
    }
    for (auto* list : {&vi_.addresses, &vi_.excluded_addresses}) {
      for (InterfaceAddress& address : *list) {
        address.interface = address.dev.empty() ? vi_.interface : address.dev;
      }
    }
  }

  [[nodiscard]] std::optional<Place> line_of(std::string_view keyword, const std::string& name) const {
    const auto& places = draft_.tracking.places;
    const auto found = places.find(fmt::format("{} {}", keyword, name));
    return found == places.end() ? std::nullopt : std::optional(found->second);
  }

  bool drop(std::string_view why) {
    context_.diagnostics.error(statement_.place,
                               fmt::format("vrrp_instance {} ignored: it has {}", quoted(vi_.name), why));
    return false;
  }
  void error(std::optional<Place> place, std::string message) {
    context_.diagnostics.error(place.value_or(statement_.place), std::move(message));
  }
  void warn(std::optional<Place> place, std::string message) {
    context_.diagnostics.warning(place.value_or(statement_.place), std::move(message));
  }
  void warn(std::string message) { warn(std::nullopt, std::move(message)); }

  Context& context_;
  const Statement& statement_;
  I& draft_;
  VrrpInstance& vi_;
  const GlobalDefs& global_;
};

}  // namespace

bool settle_instance(Context& context, const Statement& statement, InstanceDraft& draft) {
  return Settler(context, statement, draft).run();
}

}  // namespace sluice::control::config
