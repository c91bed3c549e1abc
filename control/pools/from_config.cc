#include "control/pools/from_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "control/pools/checkers_from_config.h"
#include "control/pools/script_resolver.h"
#include "control/pools/served.h"

namespace sluice::control {

namespace {

/// Of the backends; the others are served by wlc.
constexpr std::array<std::string_view, 7> built_schedulers = {"rr", "wrr", "lc", "wlc", "lblc", "sh", "dh"};

/// The specs of one configuration, and what is wrong with it.
class PoolMaker {
 public:
  PoolMaker(const config::Config& config, std::vector<Error>& complaints)
      : config_(config),
        global_(config.global),
        complaints_(complaints),
        scripts_(config.global, complaints),
        checkers_(config, scripts_, complaints) {}

  /// Nothing: it isn't served, which was said.
  std::optional<PoolSpec> make(const config::VirtualServer& server) {
    const ServedServices served = served_services(config_, server);
    if (!served.why_none.empty()) {
      complain(server.position, fmt::format("virtual server {} isn't served: {}", server.name(), served.why_none));
      return std::nullopt;
    }
    if (!served.left_out.empty()) {
      complain(server.position, fmt::format("virtual server {} leaves out {}", server.name(), served.left_out));
    }
    for (const VirtualServiceKey& key : served.keys) complain_of_no_packets(server, key);
    PoolSpec spec;
    VirtualServiceSpec service = service_from(server);
    spec.services.reserve(served.keys.size());
    for (const VirtualServiceKey& key : served.keys) {
      service.key = key;
      spec.services.push_back(service);
    }
    if (server.kind == config::VirtualServerKind::group) {
      spec.group = fmt::format("[{}]:{}", server.group, users_of_group_[server.group]++);
    }
    spec.protocol = server.key.protocol;
    add_servers(server, spec);
    if (server.sorry_server) add_sorry_server(*server.sorry_server, spec);
    spec.quorum = server.quorum;
    spec.hysteresis = server.hysteresis;
    limit_quorum(server, spec);
    spec.quorum_up = scripts_.resolve(server.quorum_up.get());
    spec.quorum_down = scripts_.resolve(server.quorum_down.get());
    spec.notify_up_at_start = global_.rs_init_notifies;
    spec.notify_down_at_stop = server.omega;
    spec.mails_quorum = server.smtp_alert;
    spec.ha_suspend = server.ha_suspend;
    if (spec.ha_suspend && !spec.group.empty()) {
      complain(
          server.position,
          fmt::format("virtual server {} isn't checked at all: ha_suspend waits for an address, and a group counts "
                      "as none (as in keepalived); take it out to have the real servers checked",
                      server.name()));
    }
    return spec;
  }

 private:
  void complain(const config::Position& position, std::string what) {
    complaints_.push_back({position.text(), std::move(what)});
  }

  /// Netfilter's marks don't reach the engine: who moves here from LVS must be told.
  void complain_of_no_packets(const config::VirtualServer& server, const VirtualServiceKey& key) {
    const auto& rules = config_.dataplane.classify;
    if (!key.has_mark() || std::any_of(rules.begin(), rules.end(), [&](const config::Classify& rule) {
          return rule.mark == key.mark && rule.destination.address.is_v4();
        })) {
      return;
    }
    complain(server.position, fmt::format("virtual server {} gets no packets of {}: marks of netfilter don't reach the "
                                          "engine, expected 'fwmark {} destination PREFIX ...' in dataplane {{ "
                                          "classify {{ }} }}",
                                          server.name(), key.text(), key.mark));
  }

  VirtualServiceSpec service_from(const config::VirtualServer& server) {
    const bool built =
        std::find(built_schedulers.begin(), built_schedulers.end(), server.scheduler.value) != built_schedulers.end();
    if (!built) {
      complain(server.position, fmt::format("virtual server {} is served by wlc: scheduler {} isn't built yet",
                                            server.name(), server.scheduler.value));
    }
    // ipvsadm(8): flag-1 and flag-2 are what sh and mh call fallback and port.
    const bool sh = server.scheduler.value == "sh";
    return {.key = {},
            .scheduler = built ? server.scheduler.value : "wlc",
            .sh_fallback = sh && (server.sh_fallback || server.flag_1),
            .sh_port = sh && (server.sh_port || server.flag_2)};
  }

  void add_servers(const config::VirtualServer& server, PoolSpec& spec) {
    spec.servers.reserve(server.real_servers.size());
    for (const config::RealServer& real : server.real_servers) {
      if (const std::string why = why_not_served(real.address, real.forwarding.value); !why.empty()) {
        complain(real.position, fmt::format("real server {} is left out: {}", real.address.text(), why));
        continue;
      }
      spec.servers.push_back(server_from(real, server));
    }
  }

  RealServerSpec server_from(const config::RealServer& real, const config::VirtualServer& server) {
    RealServerSpec spec;
    spec.destination = {.key = {real.address, real.port},
                        .method = real.forwarding.value.method,
                        .weight = real.weight,
                        .upper_threshold = real.upper_threshold,
                        .lower_threshold = real.lower_threshold};
    spec.inhibit_on_failure = real.inhibit_on_failure;
    if (real.smtp_alert) spec.mails = global_.mail.no_checker_emails ? ServerMails::changes : ServerMails::checkers;
    spec.notify_up = scripts_.resolve(real.notify_up.get());
    spec.notify_down = scripts_.resolve(real.notify_down.get());
    spec.checkers.reserve(real.checkers.size());
    for (const config::Checker& checker : real.checkers) {
      if (auto setup = checkers_.make(checker, server)) spec.checkers.push_back(std::move(*setup));
    }
    if (spec.checkers.empty() && !real.checkers.empty()) {
      complain(real.position,
               fmt::format("real server {} counts as ALWAYS UP: none of its checks can be run, add e.g. a TCP_CHECK "
                           "to have it watched",
                           net::endpoint_text(real.address, real.port)));
    }
    return spec;
  }

  void add_sorry_server(const config::SorryServer& sorry, PoolSpec& spec) {
    if (const std::string why = why_not_served(sorry.endpoint.address, sorry.forwarding); !why.empty()) {
      complain(sorry.position, fmt::format("sorry server {} is left out: {}", sorry.endpoint.address.text(), why));
      return;
    }
    spec.sorry_server =
        DestinationSpec{.key = {sorry.endpoint.address, sorry.endpoint.port}, .method = sorry.forwarding.method};
    spec.sorry_server_inhibit = sorry.inhibit;
  }

  /// What was left out doesn't count, or the quorum could never be reached.
  static void limit_quorum(const config::VirtualServer& server, PoolSpec& spec) {
    if (spec.servers.size() == server.real_servers.size()) return;
    std::uint64_t total = 0;
    for (const RealServerSpec& real : spec.servers) total += real.destination.weight;
    spec.quorum = static_cast<std::uint32_t>(std::min<std::uint64_t>(spec.quorum, total));
    spec.hysteresis = std::min(spec.hysteresis, spec.quorum == 0 ? 0 : spec.quorum - 1);
  }

  const config::Config& config_;
  const config::GlobalDefs& global_;
  std::vector<Error>& complaints_;
  ScriptResolver scripts_;
  CheckerMaker checkers_;
  std::map<std::string, unsigned> users_of_group_;  // so far
};

}  // namespace

PoolsFromConfig pools_from(const config::Config& config) {
  PoolsFromConfig result;
  PoolMaker maker(config, result.complaints);
  for (const config::VirtualServer& server : config.virtual_servers) {
    if (auto pool = maker.make(server)) result.pools.push_back(std::move(*pool));
  }
  return result;
}

}  // namespace sluice::control
