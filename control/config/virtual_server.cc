// virtual_server and real_server: their keywords, and how what was written becomes the model's final values. Defaults,
// inheritance and corrections follow keepalived 2.2.7.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string>
#include <utility>

#include "control/config/checkers.h"
#include "control/config/keywords.h"

namespace sluice::control::config {

namespace {

constexpr std::int64_t weight_max = 2147483647;
constexpr std::int64_t persistence_max_s = 2678400;  // 31 days
constexpr std::int64_t persistence_default_s = 360;

struct MethodDraft {
  ForwardingMethod method = ForwardingMethod::nat;
  bool built = true;  ///< false: an encapsulation that Sluice can't send yet
};

struct RealServerDraft : CheckDefaults {
  Place place;
  net::IpAddr address;
  net::L4Port port{};
  std::optional<std::uint32_t> weight;
  std::optional<bool> inhibit_on_failure;
  std::optional<MethodDraft> method;
  std::optional<Script> notify_up;
  std::optional<Script> notify_down;
  std::uint32_t upper_threshold = 0;
  std::uint32_t lower_threshold = 0;
  std::vector<CheckerDraft> checkers;
};

struct SorryDraft {
  Place place;
  ServerEndpoint endpoint;
  MethodDraft method;
  bool inhibit = false;
};

struct VirtualServerDraft : CheckDefaults {
  Place place;
  net::IpAddr address;
  net::L4Port port{};
  bool is_fwmark = false;
  std::string skipped;  ///< why the whole block is accepted, but not acted on; empty: it is
  std::optional<net::Protocol> protocol;
  bool scheduler_seen = false;  ///< even a wrong one: one complaint is enough
  std::string scheduler;
  bool sh_port = false;
  bool sh_fallback = false;
  bool method_seen = false;
  std::optional<MethodDraft> method;
  std::int64_t persistence_s = 0;
  std::optional<SorryDraft> sorry;
  std::int64_t quorum = 1;
  std::int64_t hysteresis = 0;
  std::optional<Script> quorum_up;
  std::optional<Script> quorum_down;
  bool omega = false;
  bool inhibit_on_failure = false;
  std::optional<std::uint32_t> weight;
  std::vector<RealServerDraft> real_servers;
};

// --- values of both -----------------------------------------------------------------------------------------------

std::optional<MethodDraft> read_method(Context& context, const Statement& statement) {
  const Word* word = argument(context, statement, 1, "NAT, DR or TUN");
  if (word == nullptr) return std::nullopt;
  MethodDraft draft;
  if (word->text == "NAT") {
    draft.method = ForwardingMethod::nat;
  } else if (word->text == "DR") {
    draft.method = ForwardingMethod::direct;
  } else if (word->text == "TUN") {
    draft.method = ForwardingMethod::tunnel;
    for (std::size_t i = 2; i < statement.words.size(); ++i) {
      const std::string& option = statement.words[i].text;
      if (option == "type" && i + 1 < statement.words.size()) {
        const std::string& type = statement.words[++i].text;
        if (type == "gue" || type == "gre") {
          draft.built = false;
          context.diagnostics.notice(statement.place_of(i),
                                     fmt::format("TUN type {} isn't supported yet, what uses it is skipped", type));
        } else if (type != "ipip") {
          context.diagnostics.error(statement.place_of(i),
                                    fmt::format("TUN type {} ignored, expected ipip, gue or gre", quoted(type)));
        }
      } else if (option == "port") {
        ++i;
      } else if (option != "nocsum" && option != "csum" && option != "remcsum") {
        context.diagnostics.error(
            statement.place_of(i),
            fmt::format("TUN option {} ignored, expected type, port, nocsum, csum or remcsum", quoted(option)));
      }
    }
  } else {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("{} {} ignored, expected NAT, DR or TUN in upper case; NAT unless another "
                                          "line says otherwise",
                                          statement.keyword(), quoted(word->text)));
    return std::nullopt;
  }
  return draft;
}

// --- real_server --------------------------------------------------------------------------------------------------

using R = RealServerDraft;

void rs_weight(Context& context, const Statement& statement, R& rs) {
  if (auto value = read_integer(context, statement, 1, 0, weight_max)) rs.weight = static_cast<std::uint32_t>(*value);
}
void rs_inhibit(Context& context, const Statement& statement, R& rs) {
  if (auto value = read_bool(context, statement, 1)) rs.inhibit_on_failure = value;
}
void rs_method(Context& context, const Statement& statement, R& rs) {
  if (auto value = read_method(context, statement)) rs.method = value;
}
void rs_notify_up(Context& context, const Statement& statement, R& rs) {
  read_script_once(context, statement, rs.notify_up);
}
void rs_notify_down(Context& context, const Statement& statement, R& rs) {
  read_script_once(context, statement, rs.notify_down);
}
void rs_upper(Context& context, const Statement& statement, R& rs) {
  if (auto value = read_integer(context, statement, 1, 0, 4294967295)) {
    rs.upper_threshold = static_cast<std::uint32_t>(*value);
  }
}
void rs_lower(Context& context, const Statement& statement, R& rs) {
  if (auto value = read_integer(context, statement, 1, 0, 4294967295)) {
    rs.lower_threshold = static_cast<std::uint32_t>(*value);
  }
}
void rs_checker(Context& context, const Statement& statement, R& rs) {
  if (auto checker = read_checker(context, statement)) rs.checkers.push_back(std::move(*checker));
}

constexpr auto real_server_keywords = std::to_array<Keyword<R>>({
    {"weight", rs_weight},
    {"inhibit_on_failure", rs_inhibit},
    {"lvs_method", rs_method, nullptr, Shape::line, 0},
    {"notify_up", rs_notify_up, nullptr, Shape::line, 0},
    {"notify_down", rs_notify_down, nullptr, Shape::line, 0},
    {"uthreshold", rs_upper},
    {"lthreshold", rs_lower},
    {"smtp_alert"},
    {"alpha", set_alpha<R>},
    {"retry", set_retry<R, 1>},
    {"delay_before_retry", set_delay_before_retry<R>},
    {"warmup", set_warmup<R>},
    {"connect_timeout", set_connect_timeout<R>},
    {"delay_loop", set_delay_loop<R>},
    {"virtualhost", set_virtualhost<R>},
    {"snmp_name"},
    {"TCP_CHECK", rs_checker, nullptr, Shape::block},
    {"HTTP_GET", rs_checker, nullptr, Shape::block},
    {"SSL_GET", rs_checker, nullptr, Shape::block},
    {"MISC_CHECK", rs_checker, nullptr, Shape::block},
    {"SMTP_CHECK", rs_checker, nullptr, Shape::block},
    {"DNS_CHECK", rs_checker, nullptr, Shape::block},
    {"UDP_CHECK", rs_checker, nullptr, Shape::block},
    {"PING_CHECK", rs_checker, nullptr, Shape::block},
    {"FILE_CHECK", rs_checker, nullptr, Shape::block},
    {"BFD_CHECK", rs_checker, nullptr, Shape::block},
});

// --- virtual_server -----------------------------------------------------------------------------------------------

using V = VirtualServerDraft;

void vs_real_server(Context& context, const Statement& statement, V& vs) {
  const auto address = read_address(context, statement, 1);
  if (!address) return;  // the block is skipped with that one complaint
  R rs;
  rs.place = statement.place;
  rs.address = *address;
  if (statement.words.size() > 2) {
    const auto port = read_port(context, statement, 2, true);
    if (!port) return;
    rs.port = *port;
  }
  apply<R>(context, real_server_keywords, "real_server", statement.children, rs);
  vs.real_servers.push_back(std::move(rs));
}

/// Of LVS. The second half: whether the dataplane has it.
constexpr std::array<std::pair<std::string_view, bool>, 14> schedulers = {{
    {"rr", true},
    {"wrr", true},
    {"lc", true},
    {"wlc", true},
    {"lblc", true},
    {"lblcr", false},
    {"sh", true},
    {"mh", false},
    {"dh", true},
    {"fo", false},
    {"ovf", false},
    {"sed", false},
    {"nq", false},
    {"twos", false},
}};

void vs_scheduler(Context& context, const Statement& statement, V& vs) {
  const Word* word = argument(context, statement, 1, "a scheduler such as rr, wrr, lc, wlc or sh");
  vs.scheduler_seen = true;
  if (word == nullptr) return;
  for (const auto& [name, built] : schedulers) {
    if (name != word->text) continue;
    vs.scheduler = name;
    if (!built) {
      context.diagnostics.notice(statement.place_of(1),
                                 fmt::format("scheduler {} isn't supported yet, wlc is used instead", name));
    }
    return;
  }
  context.diagnostics.error(statement.place_of(1),
                            fmt::format("scheduler {} ignored, expected rr, wrr, lc, wlc, lblc, lblcr, sh, mh, dh, fo, "
                                        "ovf, sed, nq or twos; wlc unless another line says otherwise",
                                        quoted(word->text)));
}

void vs_method(Context& context, const Statement& statement, V& vs) {
  vs.method_seen = true;
  if (auto value = read_method(context, statement)) vs.method = value;
}

void vs_protocol(Context& context, const Statement& statement, V& vs) {
  const Word* word = argument(context, statement, 1, "TCP, UDP or SCTP");
  if (word == nullptr) return;
  std::string upper = word->text;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return char(std::toupper(c)); });
  if (upper == "TCP") {
    vs.protocol = net::Protocol::tcp;
  } else if (upper == "UDP") {
    vs.protocol = net::Protocol::udp;
  } else if (upper == "SCTP") {
    vs.protocol = net::Protocol::sctp;
  } else {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("protocol {} ignored, expected TCP, UDP or SCTP", quoted(word->text)));
  }
}

void vs_persistence(Context& context, const Statement& statement, V& vs) {
  if (statement.words.size() == 1) {
    vs.persistence_s = persistence_default_s;
  } else if (auto value = read_integer(context, statement, 1, 1, persistence_max_s)) {
    vs.persistence_s = *value;
  }
  if (vs.persistence_s != 0) note_effect(context, statement, Effect::later, {});
}

void vs_sorry_server(Context& context, const Statement& statement, V& vs) {
  const auto address = read_address(context, statement, 1);
  if (!address) return;
  SorryDraft sorry;
  sorry.place = statement.place;
  sorry.endpoint.address = *address;
  if (statement.words.size() > 2) {
    const auto port = read_port(context, statement, 2, true);
    if (!port) return;
    sorry.endpoint.port = *port;
  }
  sorry.method = vs.method.value_or(MethodDraft{});  // as it stands at this line
  vs.sorry = sorry;
}

bool needs_sorry_server(Context& context, const Statement& statement, const V& vs) {
  if (vs.sorry) return true;
  context.diagnostics.error(statement.place,
                            fmt::format("{} ignored, expected a sorry_server before it", quoted(statement.keyword())));
  return false;
}
void vs_sorry_inhibit(Context& context, const Statement& statement, V& vs) {
  if (needs_sorry_server(context, statement, vs)) vs.sorry->inhibit = true;
}
void vs_sorry_method(Context& context, const Statement& statement, V& vs) {
  if (!needs_sorry_server(context, statement, vs)) return;
  if (auto value = read_method(context, statement)) vs.sorry->method = *value;
}

void vs_omega(Context&, const Statement&, V& vs) { vs.omega = true; }
void vs_alpha(Context&, const Statement&, V& vs) { vs.alpha = true; }
void vs_inhibit(Context&, const Statement&, V& vs) { vs.inhibit_on_failure = true; }
void vs_quorum(Context& context, const Statement& statement, V& vs) {
  if (auto value = read_integer(context, statement, 1, 1, 4294967295)) vs.quorum = *value;
}
void vs_hysteresis(Context& context, const Statement& statement, V& vs) {
  if (auto value = read_integer(context, statement, 1, 0, 4294967295)) vs.hysteresis = *value;
}
void vs_quorum_up(Context& context, const Statement& statement, V& vs) {
  read_script_once(context, statement, vs.quorum_up);
}
void vs_quorum_down(Context& context, const Statement& statement, V& vs) {
  read_script_once(context, statement, vs.quorum_down);
}
void vs_weight(Context& context, const Statement& statement, V& vs) {
  if (auto value = read_integer(context, statement, 1, 1, weight_max)) vs.weight = static_cast<std::uint32_t>(*value);
}

bool needs_scheduler(Context& context, const Statement& statement, const V& vs, std::string_view scheduler) {
  if (vs.scheduler == scheduler) return true;
  context.diagnostics.error(statement.place, fmt::format("{} ignored, expected 'lb_algo {}' before it",
                                                         quoted(statement.keyword()), scheduler));
  return false;
}
void vs_sh_port(Context& context, const Statement& statement, V& vs) {
  if (needs_scheduler(context, statement, vs, "sh")) vs.sh_port = true;
}
void vs_sh_fallback(Context& context, const Statement& statement, V& vs) {
  if (needs_scheduler(context, statement, vs, "sh")) vs.sh_fallback = true;
}
void vs_mh_flag(Context& context, const Statement& statement, V& vs) {
  if (needs_scheduler(context, statement, vs, "mh")) note_effect(context, statement, Effect::later, {});
}

constexpr auto virtual_server_keywords = std::to_array<Keyword<V>>({
    {"delay_loop", set_delay_loop<V>},
    {"lb_algo", vs_scheduler},
    {"lvs_sched", vs_scheduler},
    {"lb_kind", vs_method, nullptr, Shape::line, 0},
    {"lvs_method", vs_method, nullptr, Shape::line, 0},
    {"protocol", vs_protocol},
    {"persistence_timeout", vs_persistence},
    {"persistence_granularity"},
    {"persistence_engine"},
    {"virtualhost", set_virtualhost<V>},
    {"sorry_server", vs_sorry_server, nullptr, Shape::line, 3},
    {"sorry_server_inhibit", vs_sorry_inhibit, nullptr, Shape::line, 1},
    {"sorry_server_lvs_method", vs_sorry_method, nullptr, Shape::line, 0},
    {"alpha", vs_alpha, nullptr, Shape::line, 1},
    {"omega", vs_omega, nullptr, Shape::line, 1},
    {"quorum", vs_quorum},
    {"hysteresis", vs_hysteresis},
    {"quorum_up", vs_quorum_up, nullptr, Shape::line, 0},
    {"quorum_down", vs_quorum_down, nullptr, Shape::line, 0},
    {"retry", set_retry<V, 1>},
    {"delay_before_retry", set_delay_before_retry<V>},
    {"warmup", set_warmup<V>},
    {"connect_timeout", set_connect_timeout<V>},
    {"inhibit_on_failure", vs_inhibit, nullptr, Shape::line, 1},
    {"weight", vs_weight},
    {"ha_suspend"},
    {"smtp_alert"},
    {"ip_family"},
    {"ops"},
    {"hashed"},
    {"flag-1"},
    {"flag-2"},
    {"flag-3"},
    {"sh-port", vs_sh_port, nullptr, Shape::line, 1},
    {"sh-fallback", vs_sh_fallback, nullptr, Shape::line, 1},
    {"mh-port", vs_mh_flag, nullptr, Shape::line, 1},
    {"mh-fallback", vs_mh_flag, nullptr, Shape::line, 1},
    {"snmp_name"},
    {"real_server", vs_real_server, nullptr, Shape::block, 3},
});

// --- what was written -> final values -----------------------------------------------------------------------------

/// Several corrections name their server like this.
std::string name_of(const V& vs) { return net::endpoint_text(vs.address, vs.port); }

/// The port that the method leaves to a server: NAT may translate, DR and TUN can't.
net::L4Port final_port(Context& context, const V& vs, Place place, ForwardingMethod method, net::L4Port port) {
  if (port.is_zero()) return vs.port;
  if (method == ForwardingMethod::nat || port == vs.port) return port;
  context.diagnostics.error(place, fmt::format("port {} is taken as {}, expected the virtual server's port: DR and TUN "
                                               "don't translate",
                                               port.host(), vs.port.host()));
  return vs.port;
}

/// not_built: set if what drops the server is Sluice's limit, not the file's mistake.
std::optional<RealServer> resolve(Context& context, const V& vs, R draft, bool& not_built) {
  const MethodDraft method = draft.method.value_or(vs.method.value_or(MethodDraft{}));
  if (draft.address.is_v6() != vs.address.is_v6()) {
    if (method.method != ForwardingMethod::tunnel) {
      context.diagnostics.error(draft.place, fmt::format("real server {} ignored, expected an address of the virtual "
                                                         "server's family",
                                                         draft.address.text()));
    } else {
      not_built = true;
      context.diagnostics.notice(draft.place, fmt::format("real server {} is skipped: tunnels between IPv4 and IPv6 "
                                                          "aren't supported yet",
                                                          draft.address.text()));
    }
    return std::nullopt;
  }
  if (!method.built) {
    not_built = true;
    context.diagnostics.notice(draft.place, fmt::format("real server {} is skipped, its tunnel type isn't supported "
                                                        "yet",
                                                        draft.address.text()));
    return std::nullopt;
  }
  RealServer rs;
  rs.position = context.diagnostics.position(draft.place);
  rs.address = draft.address;
  rs.method = method.method;
  rs.port = final_port(context, vs, draft.place, rs.method, draft.port);
  rs.weight = draft.weight.value_or(vs.weight.value_or(1));
  rs.inhibit_on_failure = draft.inhibit_on_failure.value_or(vs.inhibit_on_failure);
  rs.notify_up = std::move(draft.notify_up);
  rs.notify_down = std::move(draft.notify_down);
  rs.upper_threshold = draft.upper_threshold;
  rs.lower_threshold = draft.lower_threshold;

  draft.inherit(vs);
  for (CheckerDraft& checker : draft.checkers) {
    checker.inherit(draft);
    if (checker.built) rs.checkers.push_back(make_checker(context, checker, rs.address, rs.port));
  }
  if (rs.checkers.empty() && !draft.checkers.empty()) {
    context.diagnostics.notice(draft.place,
                               fmt::format("real server {} counts as ALWAYS UP: none of its checks is supported yet, "
                                           "add a TCP_CHECK or HTTP_GET to have it watched",
                                           net::endpoint_text(rs.address, rs.port)));
  }
  return rs;
}

std::optional<SorryServer> resolve(Context& context, const V& vs, const SorryDraft& draft) {
  if (draft.endpoint.address.is_v6() != vs.address.is_v6()) {
    context.diagnostics.error(draft.place, fmt::format("sorry server {} ignored, expected an address of the virtual "
                                                       "server's family",
                                                       draft.endpoint.address.text()));
    return std::nullopt;
  }
  if (!draft.method.built) return std::nullopt;
  SorryServer sorry;
  sorry.position = context.diagnostics.position(draft.place);
  sorry.method = draft.method.method;
  sorry.endpoint = {draft.endpoint.address,
                    final_port(context, vs, draft.place, draft.method.method, draft.endpoint.port)};
  sorry.inhibit = draft.inhibit;
  return sorry;
}

/// not_built: some real servers were dropped for Sluice's sake, so that keepalived would see more weight than we do.
void resolve_quorum(Context& context, const V& draft, bool not_built, VirtualServer& vs) {
  const auto complain = [&](std::string message) {
    if (not_built) {
      context.diagnostics.notice(draft.place, std::move(message));
    } else {
      context.diagnostics.warning(draft.place, std::move(message));
    }
  };
  std::uint64_t total = 0;
  for (const RealServer& rs : vs.real_servers) total += rs.weight;
  auto quorum = static_cast<std::uint64_t>(draft.quorum);
  auto hysteresis = static_cast<std::uint64_t>(draft.hysteresis);
  if (quorum > total) {
    complain(
        fmt::format("quorum {} of {} is taken as {}, expected at most the total "
                    "weight of the real servers",
                    quorum, name_of(draft), total));
    quorum = total;
  }
  if (hysteresis >= quorum && hysteresis > 0) {
    const std::uint64_t lower = quorum == 0 ? 0 : quorum - 1;
    complain(
        fmt::format("hysteresis {} of {} is taken as {}, expected less than the "
                    "quorum {}",
                    hysteresis, name_of(draft), lower, quorum));
    hysteresis = lower;
  }
  vs.quorum = static_cast<unsigned>(quorum);
  vs.hysteresis = static_cast<unsigned>(hysteresis);
}

void complain_defaults(Context& context, V& draft) {
  if (!draft.protocol) {
    context.diagnostics.warning(draft.place, fmt::format("virtual server {} has no protocol, UDP is used; expected "
                                                         "protocol TCP, UDP or SCTP",
                                                         name_of(draft)));
  }
  if (draft.scheduler.empty() && !draft.scheduler_seen) {
    context.diagnostics.warning(draft.place, fmt::format("virtual server {} has no scheduler, wlc is used; expected "
                                                         "lb_algo",
                                                         name_of(draft)));
  }
  if (!draft.method && !draft.method_seen) {
    context.diagnostics.warning(draft.place, fmt::format("virtual server {} has no forwarding method, NAT is used; "
                                                         "expected lb_kind NAT, DR or TUN",
                                                         name_of(draft)));
  }
}

std::optional<VirtualServer> resolve(Context& context, V draft) {
  if (draft.real_servers.empty()) {
    context.diagnostics.error(draft.place, fmt::format("virtual server {} ignored, expected at least one valid "
                                                       "real_server",
                                                       name_of(draft)));
    return std::nullopt;
  }
  complain_defaults(context, draft);

  VirtualServer vs;
  vs.position = context.diagnostics.position(draft.place);
  vs.key = {draft.protocol.value_or(net::Protocol::udp), draft.address, draft.port};
  const auto built = std::find_if(schedulers.begin(), schedulers.end(),
                                  [&](const auto& known) { return known.first == draft.scheduler && known.second; });
  vs.scheduler = built == schedulers.end() ? "wlc" : draft.scheduler;
  vs.sh_port = draft.sh_port && vs.scheduler == "sh";
  vs.sh_fallback = draft.sh_fallback && vs.scheduler == "sh";
  vs.method = draft.method.value_or(MethodDraft{}).method;
  vs.persistence_timeout = std::chrono::seconds(draft.persistence_s);
  if (draft.port.is_zero() && draft.persistence_s == 0) {
    context.diagnostics.warning(draft.place, fmt::format("virtual server {} has no port, which needs persistence; "
                                                         "expected persistence_timeout, {} s is used",
                                                         name_of(draft), persistence_default_s));
  }

  vs.delay_loop = draft.delay_loop.value_or(vs.delay_loop);
  vs.quorum_up = std::move(draft.quorum_up);
  vs.quorum_down = std::move(draft.quorum_down);
  vs.virtualhost = draft.virtualhost.value_or("");
  vs.alpha = draft.alpha.value_or(false);
  vs.omega = draft.omega;
  vs.inhibit_on_failure = draft.inhibit_on_failure;
  vs.weight = draft.weight.value_or(1);
  vs.retry = draft.retry;
  vs.delay_before_retry = draft.delay_before_retry;
  vs.warmup = draft.warmup;
  vs.connect_timeout = draft.connect_timeout.value_or(vs.connect_timeout);

  std::set<std::pair<net::IpAddr, net::L4Port>> seen;
  std::vector<R> servers = std::exchange(draft.real_servers, {});
  bool not_built = false;
  for (R& server : servers) {
    const Place place = server.place;
    auto rs = resolve(context, draft, std::move(server), not_built);
    if (!rs) continue;
    if (!seen.emplace(rs->address, rs->port).second) {
      context.diagnostics.error(place, fmt::format("real server {} ignored, the virtual server has it already",
                                                   net::endpoint_text(rs->address, rs->port)));
      continue;
    }
    vs.real_servers.push_back(std::move(*rs));
  }
  if (draft.sorry) vs.sorry_server = resolve(context, draft, *draft.sorry);
  resolve_quorum(context, draft, not_built, vs);

  std::string skipped = draft.skipped;
  if (skipped.empty() && vs.key.protocol == net::Protocol::sctp) skipped = "protocol SCTP";
  if (skipped.empty() && draft.port.is_zero()) skipped = "a virtual server without port";
  if (!skipped.empty()) {
    context.diagnostics.mute_notices(false);
    context.diagnostics.notice(draft.place,
                               fmt::format("{} isn't supported yet: this virtual server is SKIPPED", skipped));
    return std::nullopt;
  }
  if (vs.real_servers.empty()) return std::nullopt;  // each of them has its complaint
  return vs;
}

/// IP [PORT], fwmark N or group NAME.
bool read_name(Context& context, const Statement& statement, V& vs) {
  const Word* word = argument(context, statement, 1, "IP [PORT], fwmark N or group NAME");
  if (word == nullptr) return false;
  if (word->text == "fwmark" || word->text == "group") {
    if (word->text == "fwmark" && !read_integer(context, statement, 2, 0, 4294967295)) return false;
    if (word->text == "group" && argument(context, statement, 2, "the name of a virtual_server_group") == nullptr) {
      return false;
    }
    vs.is_fwmark = word->text == "fwmark";
    vs.skipped = fmt::format("virtual_server {}", word->text);
    return true;
  }
  const auto address = read_address(context, statement, 1);
  if (!address) return false;
  vs.address = *address;
  if (statement.words.size() > 2) {
    const auto port = read_port(context, statement, 2, true);
    if (!port) return false;
    vs.port = *port;
  }
  if (statement.words.size() > 3) note_extra_words(context, statement, 3);
  return true;
}

}  // namespace

void read_virtual_server(Context& context, const Statement& statement) {
  V draft;
  draft.place = statement.place;
  if (!read_name(context, statement, draft)) return;  // the block is skipped with that one complaint
  const bool skipped = !draft.skipped.empty();
  const bool muted = context.diagnostics.mute_notices(skipped);
  apply<V>(context, virtual_server_keywords, "virtual_server", statement.children, draft);
  if (skipped) {
    // Its lines were read for their mistakes; what would be corrected in the whole doesn't matter.
    context.diagnostics.mute_notices(muted);
    if (draft.protocol && draft.is_fwmark) {
      context.diagnostics.warning(draft.place, "protocol is ignored, a fwmark stands for all of them");
    }
    context.diagnostics.notice(draft.place,
                               fmt::format("{} isn't supported yet: this virtual server is SKIPPED", draft.skipped));
    return;
  }
  auto vs = resolve(context, std::move(draft));
  context.diagnostics.mute_notices(muted);
  if (!vs) return;
  const auto [first, is_new] = context.services.emplace(vs->key, statement.place);
  if (!is_new) {
    context.diagnostics.notice(statement.place, fmt::format("the same virtual server stands at {} already, this one is "
                                                            "SKIPPED",
                                                            context.diagnostics.position(first->second).text()));
    return;
  }
  context.config.virtual_servers.push_back(std::move(*vs));
}

}  // namespace sluice::control::config
