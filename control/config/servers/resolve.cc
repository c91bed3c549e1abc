// The last pass over virtual servers, when the whole file is known: what is inherited is filled in, what can't be meant
// is put right with a complaint, as keepalived 2.2.7 does it. Servers that can't be kept are taken out.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "control/config/servers/fields.h"
#include "control/config/servers/resolve.h"

namespace sluice::control::config {

namespace {

constexpr std::chrono::seconds persistence_default{360};

/// What a virtual server and its group say together.
struct Situation {
  const VirtualServerGroup* group = nullptr;
  bool only_fwmarks = false;
  bool some_fwmarks = false;
  bool some_without_port = false;
  /// The port that every service has; zero: several, or none.
  net::L4Port port{};
};

Situation situation_of(const VirtualServer& vs, const VirtualServerGroup* group) {
  Situation it;
  it.group = group;
  if (vs.kind == VirtualServerKind::address) {
    it.port = vs.key.port;
    it.some_without_port = vs.key.port.is_zero();
  } else if (vs.kind == VirtualServerKind::fwmark) {
    it.only_fwmarks = it.some_fwmarks = true;
  } else {
    it.only_fwmarks = true;
    bool several = false;
    for (const GroupEntry& entry : group->entries) {
      if (entry.form == GroupEntry::Form::fwmark) {
        it.some_fwmarks = true;
        continue;
      }
      it.only_fwmarks = false;
      it.some_without_port |= entry.port.is_zero();
      several |= !it.port.is_zero() && it.port != entry.port;
      it.port = entry.port;
    }
    if (several || it.some_without_port || it.some_fwmarks) it.port = {};
  }
  return it;
}

class Resolver {
 public:
  Resolver(Context& context, VirtualServer& vs, Situation situation)
      : context_(context),
        diagnostics_(context.diagnostics),
        vs_(vs),
        it_(situation),
        place_(diagnostics_.place(vs.position)) {}

  /// False: the virtual server can't be kept.
  bool run() {
    if (vs_.real_servers.empty()) return refuse_empty();
    fill_in_defaults();
    settle_flags();
    settle_persistence();
    settle_real_servers();
    if (vs_.real_servers.empty()) return refuse_empty();
    settle_sorry_server();
    settle_quorum();
    return true;
  }

 private:
  bool refuse_empty() {
    diagnostics_.error(place_,
                       fmt::format("virtual server {} ignored, expected at least one valid real_server", vs_.name()));
    return false;
  }

  void fill_in_defaults() {
    if (it_.only_fwmarks) {
      if (vs_.has_protocol) {
        diagnostics_.warning(place_, fmt::format("protocol of virtual server {} is ignored, a fwmark stands for all of "
                                                 "them",
                                                 vs_.name()));
      }
      vs_.has_protocol = false;
      vs_.key.protocol = net::Protocol::udp;
    } else if (!vs_.has_protocol) {
      diagnostics_.warning(place_,
                           fmt::format("virtual server {} has no protocol, UDP is used: TCP connections are NOT "
                                       "served; expected protocol TCP, UDP or SCTP",
                                       vs_.name()));
      vs_.has_protocol = true;
    }
    if (!vs_.scheduler.written) {
      diagnostics_.warning(
          place_, fmt::format("virtual server {} has no scheduler, wlc is used; expected lb_algo", vs_.name()));
    }
    if (!vs_.forwarding.written) {
      diagnostics_.warning(place_, fmt::format("virtual server {} has no forwarding method, NAT is used; expected "
                                               "lb_kind NAT, DR or TUN",
                                               vs_.name()));
    }
    vs_.smtp_alert.inherit(smtp_alert_default(context_.config.global, false));
    if (vs_.kind == VirtualServerKind::address) {
      vs_.ip_family = family_of(vs_.key.address);
    } else if (vs_.kind == VirtualServerKind::fwmark && !vs_.ip_family) {
      vs_.ip_family = family_of(vs_.real_servers.front().address);
    }
  }

  /// A flag stays what it is only as long as its scheduler does.
  void settle_flags() {
    const bool sh = vs_.scheduler.value == "sh";
    const bool mh = vs_.scheduler.value == "mh";
    vs_.sh_port &= sh;
    vs_.sh_fallback &= sh;
    vs_.mh_port &= mh;
    vs_.mh_fallback &= mh;
    vs_.hashed &= sh || mh;
    if (vs_.ops && vs_.has_protocol && vs_.key.protocol != net::Protocol::udp) {
      diagnostics_.warning(place_,
                           fmt::format("ops of virtual server {} ignored, expected protocol UDP with it", vs_.name()));
      vs_.ops = false;
    }
    if (vs_.ha_suspend && vs_.kind == VirtualServerKind::fwmark) {
      diagnostics_.warning(place_, fmt::format("ha_suspend of virtual server {} ignored, a fwmark has no address that "
                                               "could be elsewhere",
                                               vs_.name()));
      vs_.ha_suspend = false;
    }
  }

  void settle_persistence() {
    if (vs_.persistence_granularity && vs_.ip_family &&
        (*vs_.ip_family == Family::v6) != std::holds_alternative<unsigned>(*vs_.persistence_granularity)) {
      warn_quietly(context_, place_,
                   fmt::format("persistence_granularity of virtual server {} ignored, expected {}", vs_.name(),
                               *vs_.ip_family == Family::v6 ? "a prefix length, as it is IPv6"
                                                            : "a netmask, as it is IPv4"));
      vs_.persistence_granularity.reset();
    }
    if (vs_.persistence_timeout.count() != 0) return;
    if (it_.some_without_port) {
      diagnostics_.warning(place_, fmt::format("virtual server {} has no port, which needs persistence; expected "
                                               "persistence_timeout, {} s is used",
                                               vs_.name(), persistence_default.count()));
      vs_.persistence_timeout = persistence_default;
    } else if (vs_.persistence_granularity) {
      vs_.persistence_timeout = persistence_default;
    }
  }

  void settle_real_servers() {
    std::set<std::pair<net::IpAddr, net::L4Port>> seen;
    keep_if(vs_.real_servers, [&](RealServer& rs) {
      if (!settle(rs)) return false;
      if (seen.emplace(rs.address, rs.port).second) return true;
      diagnostics_.error(diagnostics_.place(rs.position),
                         fmt::format("real server {} ignored, the virtual server has it already",
                                     net::endpoint_text(rs.address, rs.port)));
      return false;
    });
  }

  /// False: not kept, which was said.
  bool settle(RealServer& rs) {
    const Place place = diagnostics_.place(rs.position);
    rs.forwarding.inherit(vs_.forwarding.value);
    if (vs_.ip_family && family_of(rs.address) != *vs_.ip_family &&
        rs.forwarding.value.method != ForwardingMethod::tunnel) {
      diagnostics_.error(place,
                         fmt::format("real server {} ignored, expected an address of the virtual server's family: "
                                     "only TUN can change it",
                                     rs.address.text()));
      return false;
    }
    const net::L4Port written = rs.port;
    rs.port = final_port(place, "real server", rs.forwarding.value.method, rs.address, rs.port);
    rs.weight.inherit(vs_.weight);
    rs.inhibit_on_failure.inherit(vs_.inhibit_on_failure);
    rs.delay_loop.inherit(vs_.delay_loop);
    rs.connect_timeout.inherit(vs_.connect_timeout);
    if (!rs.delay_before_retry) rs.delay_before_retry = vs_.delay_before_retry;
    if (!rs.warmup) rs.warmup = vs_.warmup;
    if (!rs.retry) rs.retry = vs_.retry;
    rs.alpha.inherit(vs_.alpha);
    rs.virtualhost.inherit(vs_.virtualhost);
    rs.smtp_alert.inherit(smtp_alert_default(context_.config.global, true));
    if (rs.lower_threshold > rs.upper_threshold) {
      warn_quietly(
          context_, place,
          fmt::format("lthreshold {} of real server {} ignored, expected at most its uthreshold {}: LVS refuses "
                      "such a server",
                      rs.lower_threshold, rs.address.text(), rs.upper_threshold));
      rs.lower_threshold = 0;
    }
    keep_if(rs.checkers, [&](Checker& checker) {
      return resolve_checker(context_, checker, vs_, rs, rs.port.is_zero() ? written : rs.port);
    });
    return true;
  }

  /// The port that the method leaves to a server: NAT may translate, DR and TUN can't.
  net::L4Port final_port(Place place, std::string_view what, ForwardingMethod method, const net::IpAddr& address,
                         net::L4Port port) {
    if (port.is_zero()) return it_.port;
    if (method == ForwardingMethod::nat) return port;
    if (it_.some_fwmarks) {
      diagnostics_.warning(place, fmt::format("port {} of {} {} is ignored, expected none: packets keep the port they "
                                              "came with, DR and TUN don't translate",
                                              port.host(), what, address.text()));
      return {};
    }
    if (it_.group != nullptr ? port == it_.port : port == vs_.key.port) return port;
    diagnostics_.error(
        place, fmt::format("port {} of {} {} is taken as {}, expected the virtual server's port: DR and "
                           "TUN don't translate",
                           port.host(), what, address.text(),
                           it_.port.is_zero() ? "that of each connection" : fmt::format("{}", it_.port.host())));
    return it_.port;
  }

  void settle_sorry_server() {
    if (!vs_.sorry_server) return;
    SorryServer& sorry = *vs_.sorry_server;
    const Place place = diagnostics_.place(sorry.position);
    if (vs_.ip_family && family_of(sorry.endpoint.address) != *vs_.ip_family &&
        sorry.forwarding.method != ForwardingMethod::tunnel) {
      diagnostics_.error(place,
                         fmt::format("sorry server {} ignored, expected an address of the virtual server's family",
                                     sorry.endpoint.address.text()));
      vs_.sorry_server.reset();
      return;
    }
    sorry.endpoint.port =
        final_port(place, "sorry server", sorry.forwarding.method, sorry.endpoint.address, sorry.endpoint.port);
  }

  void settle_quorum() {
    std::uint64_t total = 0;
    for (const RealServer& rs : vs_.real_servers) total += rs.weight.value;
    if (vs_.quorum > total) {
      diagnostics_.warning(place_,
                           fmt::format("quorum {} of {} is taken as {}, expected at most the total weight of the "
                                       "real servers",
                                       vs_.quorum, vs_.name(), total));
      vs_.quorum = static_cast<unsigned>(total);
    }
    if (vs_.hysteresis >= vs_.quorum && vs_.hysteresis > 0) {
      const unsigned lower = vs_.quorum == 0 ? 0 : vs_.quorum - 1;
      diagnostics_.warning(place_, fmt::format("hysteresis {} of {} is taken as {}, expected less than the quorum {}",
                                               vs_.hysteresis, vs_.name(), lower, vs_.quorum));
      vs_.hysteresis = lower;
    }
    if (vs_.quorum > 1 && !vs_.sorry_server && !vs_.quorum_up && !vs_.quorum_down) {
      warn_quietly(
          context_, place_,
          fmt::format("quorum {} of {} changes nothing for traffic when it is lost: without a sorry_server the "
                      "real servers that are left go on serving; expected a sorry_server or quorum_down",
                      vs_.quorum, vs_.name()));
    }
  }

  Context& context_;
  Diagnostics& diagnostics_;
  VirtualServer& vs_;
  Situation it_;
  Place place_;
};

const VirtualServerGroup* group_of(const Context& context, const VirtualServer& vs) {
  for (const VirtualServerGroup& group : context.config.virtual_server_groups) {
    if (group.name == vs.group) return &group;
  }
  return nullptr;
}

/// keepalived doesn't notice, and then two of them fight over one service of the kernel.
using Identity = std::tuple<VirtualServerKind, VirtualServiceKey, std::uint32_t, std::optional<Family>>;

bool stands_already(Context& context, const VirtualServer& vs, std::map<Identity, Position>& seen) {
  if (vs.kind == VirtualServerKind::group) return false;
  const bool marked = vs.kind == VirtualServerKind::fwmark;
  const auto [first, is_new] =
      seen.emplace(Identity{vs.kind, vs.key, vs.fwmark, marked ? vs.ip_family : std::nullopt}, vs.position);
  if (is_new) return false;
  warn_quietly(
      context, context.diagnostics.place(vs.position),
      fmt::format("virtual server {} stands at {} already, this one is SKIPPED", vs.name(), first->second.text()));
  return true;
}

}  // namespace

void resolve_virtual_servers(Context& context) {
  std::map<Identity, Position> seen;
  keep_if(context.config.virtual_servers, [&](VirtualServer& vs) {
    const VirtualServerGroup* group = nullptr;
    if (vs.kind == VirtualServerKind::group) {
      group = group_of(context, vs);
      if (group == nullptr) {
        context.diagnostics.add(Severity::error, context.diagnostics.place(vs.position),
                                fmt::format("virtual server group {} ignored: there is no virtual_server_group of that "
                                            "name",
                                            quoted(vs.group)),
                                exit_status_clean);
        return false;
      }
    }
    return Resolver(context, vs, situation_of(vs, group)).run() && !stands_already(context, vs, seen);
  });
}

}  // namespace sluice::control::config
