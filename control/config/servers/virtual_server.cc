// virtual_server: its keywords, read into the model as they stand. Defaults, inheritance and corrections are left to
// resolve.cc, which runs when the whole file is known.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "control/config/servers/fields.h"
#include "control/config/servers/servers.h"

namespace sluice::control::config {

namespace {

constexpr std::int64_t weight_max = 2147483647;
constexpr std::int64_t quorum_max = 4294967295;
constexpr std::int64_t fwmark_max = 4294967295;
constexpr std::int64_t persistence_max_s = 2678400;  // 31 days
constexpr std::int64_t persistence_default_s = 360;

using V = VirtualServer;
using F = Field<V>;
using S = ServerField<V>;

constexpr std::array<Choice<Family>, 2> families = {{{"inet", Family::v4}, {"inet6", Family::v6}}};

// --- lines with rules of their own ---

void set_scheduler(Context& context, const Statement& statement, V& vs) {
  vs.scheduler.written = true;  // even a wrong one: one complaint is enough
  const Word* word = argument(context, statement, 1, "a scheduler such as rr, wrr, lc, wlc or sh");
  if (word == nullptr) return;
  if (std::find(scheduler_names.begin(), scheduler_names.end(), word->text) != scheduler_names.end()) {
    vs.scheduler.write(word->text);
    return;
  }
  complain_choice(context, statement, 1, scheduler_names);
}

void set_method(Context& context, const Statement& statement, V& vs) {
  vs.forwarding.written = true;
  if (auto value = read_forwarding(context, statement)) vs.forwarding.write(*value);
}

void set_protocol(Context& context, const Statement& statement, V& vs) {
  const Word* word = argument(context, statement, 1, "TCP, UDP or SCTP");
  if (word == nullptr) return;
  std::string upper = word->text;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return char(std::toupper(c)); });
  if (upper == "TCP") {
    vs.key.protocol = net::Protocol::tcp;
  } else if (upper == "UDP") {
    vs.key.protocol = net::Protocol::udp;
  } else if (upper == "SCTP") {
    vs.key.protocol = net::Protocol::sctp;
  } else {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("protocol {} ignored, expected TCP, UDP or SCTP", quoted(word->text)));
    return;
  }
  vs.has_protocol = true;
}

void set_persistence(Context& context, const Statement& statement, V& vs) {
  if (statement.words.size() == 1) {
    vs.persistence_timeout = std::chrono::seconds(persistence_default_s);
    return;
  }
  const auto value = read_integer(context, statement, 1, 0, persistence_max_s);
  if (value && *value == 0) {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("persistence_timeout '0' ignored, expected 1..{}; without such a line there "
                                          "is no persistence",
                                          persistence_max_s));
  } else if (value) {
    vs.persistence_timeout = std::chrono::seconds(*value);
  }
}

/// IPv4: a dotted mask; IPv6: a prefix length.
void set_granularity(Context& context, const Statement& statement, V& vs) {
  const bool v6 = vs.kind == VirtualServerKind::address ? vs.key.address.is_v6() : vs.ip_family == Family::v6;
  const Word* word = argument(context, statement, 1, v6 ? "a prefix length 1..128" : "a netmask a.b.c.d");
  if (word == nullptr) return;
  const bool open = vs.kind != VirtualServerKind::address && !vs.ip_family;
  const auto mask = net::Ipv4Addr::parse(word->text);
  if (!v6 && mask) {
    vs.persistence_granularity = *mask;
  } else if (v6 || open) {
    if (auto length = read_integer(context, statement, 1, 1, 128)) {
      vs.persistence_granularity = static_cast<unsigned>(*length);
    }
  } else {
    // keepalived takes 24 for 0.0.0.24, and then nearly every client shares a server with every other.
    const bool number = !word->text.empty() &&
                        std::all_of(word->text.begin(), word->text.end(), [](char c) { return c >= '0' && c <= '9'; });
    context.diagnostics.add(
        Severity::error, statement.place_of(1),
        fmt::format("persistence_granularity {} ignored, expected a netmask such as 255.255.255.0{}",
                    quoted(word->text), number ? "; keepalived takes a number for the last bits of one" : ""),
        number ? exit_status_clean : exit_status_config);
  }
}

void write_granularity(Writer& writer, std::string_view keyword, const V& vs) {
  if (!vs.persistence_granularity) return;
  if (const auto* mask = std::get_if<net::Ipv4Addr>(&*vs.persistence_granularity)) {
    writer.line(keyword, {plain("", mask->text())});
  } else {
    writer.line(keyword, {plain("", std::int64_t{std::get<unsigned>(*vs.persistence_granularity)})});
  }
}

void set_engine(Context& context, const Statement& statement, V& vs) {
  const Word* word = argument(context, statement, 1, "sip");
  if (word == nullptr) return;
  vs.persistence_engine = word->text;
  if (word->text != "sip") {
    warn_quietly(context, statement.place_of(1),
                 fmt::format("persistence_engine {}: there is no such engine, expected sip", quoted(word->text)));
  }
}

void set_family(Context& context, const Statement& statement, V& vs) {
  const auto family = read_choice(context, statement, 1, families);
  if (!family) return;
  if (vs.kind == VirtualServerKind::address && family_of(vs.key.address) != *family) {
    context.diagnostics.error(statement.place_of(1), fmt::format("ip_family {} ignored, {} is of the other family",
                                                                 statement.words[1].text, vs.key.address.text()));
    return;
  }
  vs.ip_family = family;
}

template <bool V::*Member>
constexpr Keyword<V> sched_flag(std::string_view name) {
  Keyword<V> keyword = F::flag<Member>(name);
  keyword.read = [](Context& context, const Statement& statement, V& vs) {
    const std::string_view scheduler = std::string_view(statement.keyword()).substr(0, 2);
    const bool hashed = statement.keyword() == "hashed";
    if (hashed ? vs.scheduler.value == "sh" || vs.scheduler.value == "mh" : vs.scheduler.value == scheduler) {
      vs.*Member = true;
      return;
    }
    context.diagnostics.error(statement.place, fmt::format("{} ignored, expected 'lb_algo {}' before it",
                                                           quoted(statement.keyword()), hashed ? "sh" : scheduler));
  };
  return keyword;
}

// --- the sorry server ---

void set_sorry_server(Context& context, const Statement& statement, V& vs) {
  const auto address = read_address(context, statement, 1);
  if (!address) return;
  SorryServer sorry;
  sorry.position = context.diagnostics.position(statement.place);
  sorry.endpoint.address = *address;
  if (statement.words.size() > 2) {
    const auto port = read_port(context, statement, 2, true);
    if (!port) return;
    sorry.endpoint.port = *port;
  }
  sorry.forwarding = vs.forwarding.value;  // as it stands at this line
  vs.sorry_server = std::move(sorry);
}
void write_sorry_server(Writer& writer, std::string_view keyword, const V& vs) {
  if (!vs.sorry_server) return;
  const ServerEndpoint& endpoint = vs.sorry_server->endpoint;
  std::vector<Arg> args = {plain("address", endpoint.address.text())};
  if (!endpoint.port.is_zero()) args.push_back(plain("port", std::int64_t{endpoint.port.host()}));
  writer.line(keyword, args);
}

bool needs_sorry_server(Context& context, const Statement& statement, const V& vs) {
  if (vs.sorry_server) return true;
  context.diagnostics.error(statement.place,
                            fmt::format("{} ignored, expected a sorry_server before it", quoted(statement.keyword())));
  return false;
}
void set_sorry_inhibit(Context& context, const Statement& statement, V& vs) {
  if (needs_sorry_server(context, statement, vs)) vs.sorry_server->inhibit = true;
}
void set_sorry_method(Context& context, const Statement& statement, V& vs) {
  if (!needs_sorry_server(context, statement, vs)) return;
  if (auto value = read_forwarding(context, statement)) vs.sorry_server->forwarding = *value;
}

// --- the table ---

constexpr auto lb_algo = F::custom(
    "lb_algo", set_scheduler,
    [](Writer& writer, std::string_view keyword, const V& vs) {
      writer.line(keyword, {plain("", vs.scheduler.value)});
    },
    2);
constexpr auto lb_kind = F::custom("lb_kind", set_method, [](Writer& writer, std::string_view keyword, const V& vs) {
  write_forwarding(writer, keyword, vs.forwarding.value);
});

/// With all servers drained it is 0, which can't be written.
constexpr auto quorum = [] {
  Keyword<V> keyword = F::integer<&V::quorum, 1, quorum_max>("quorum");
  keyword.write = [](Writer& writer, std::string_view name, const V& vs) {
    if (vs.quorum != 0) writer.line(name, {plain("", std::int64_t{vs.quorum})});
  };
  return keyword;
}();

constexpr std::string_view no_persistence = "connections are scheduled one by one";

constexpr auto
    keywords =
        std::to_array<Keyword<V>>(
            {
                F::timer<&V::delay_loop, 1, timer_max.count()>("delay_loop"),
                F::custom(
                    "ip_family", set_family,
                    [](Writer& writer, std::string_view keyword, const V& vs) {
                      if (vs.ip_family)
                        writer.line(keyword, {plain("", std::string(word_of(families, *vs.ip_family)))});
                    },
                    2),
                lb_algo,
                lb_algo.alias("lvs_sched"),
                sched_flag<&V::hashed>("hashed").no_effect("it has none in keepalived either"),
                sched_flag<&V::sh_port>("sh-port"),
                sched_flag<&V::sh_fallback>("sh-fallback"),
                sched_flag<&V::mh_port>("mh-port").later(),
                sched_flag<&V::mh_fallback>("mh-fallback").later(),
                F::flag<&V::flag_1>("flag-1"),
                F::flag<&V::flag_2>("flag-2"),
                F::flag<&V::flag_3>("flag-3").no_effect("no scheduler has a third flag"),
                F::flag<&V::ops>("ops").later("UDP is scheduled by connections"),
                lb_kind,
                lb_kind.alias("lvs_method"),
                F::custom(
                    "protocol", set_protocol,
                    [](Writer& writer, std::string_view keyword, const V& vs) {
                      if (vs.has_protocol) writer.line(keyword, {plain("", net::to_string(vs.key.protocol))});
                    },
                    2),
                F::custom(
                    "persistence_timeout", set_persistence,
                    [](Writer& writer, std::string_view keyword, const V& vs) {
                      if (vs.persistence_timeout.count() != 0) {
                        writer.line(keyword, {plain("", std::int64_t{vs.persistence_timeout.count()})});
                      }
                    },
                    2)
                    .later(no_persistence),
                F::custom("persistence_granularity", set_granularity, write_granularity, 2).later(no_persistence),
                F::custom(
        "persistence_engine", set_engine,
        [](Writer& writer, std::string_view keyword, const V& vs) {
          if (!vs.persistence_engine.empty()) writer.line(keyword, {plain("", vs.persistence_engine)});
        },
        2)
        .later(no_persistence),
                S::text<&V::virtualhost>("virtualhost"),
                F::custom("sorry_server", set_sorry_server, write_sorry_server, 3),
                F::custom(
                    "sorry_server_inhibit", set_sorry_inhibit,
                    [](Writer& writer, std::string_view keyword, const V& vs) {
                      if (vs.sorry_server && vs.sorry_server->inhibit) writer.line(keyword, {});
                    },
                    1),
                F::custom("sorry_server_lvs_method", set_sorry_method,
                          [](Writer& writer, std::string_view keyword, const V& vs) {
                            if (vs.sorry_server) write_forwarding(writer, keyword, vs.sorry_server->forwarding);
                          }),
                F::flag<&V::alpha>("alpha"),
                F::flag<&V::omega>("omega"),
                quorum,
                F::integer<&V::hysteresis, 0, quorum_max>("hysteresis"),
                S::script<&V::quorum_up>("quorum_up"),
                S::script<&V::quorum_down>("quorum_down"),
                F::integer<&V::retry, 1, 4294967295>("retry"),
                F::timer<&V::delay_before_retry, 0, timer_max.count()>("delay_before_retry"),
                F::timer<&V::warmup, 0, timer_max.count()>("warmup"),
                F::timer<&V::connect_timeout, 1, short_timer_max.count()>("connect_timeout"),
                F::flag<&V::inhibit_on_failure>("inhibit_on_failure"),
                F::integer<&V::weight, 1, weight_max>("weight"),
                F::flag<&V::ha_suspend>("ha_suspend"),
                F::boolean<&V::smtp_alert>("smtp_alert"),
                S::text<&V::snmp_name>("snmp_name"),
                F::block("real_server", read_real_server, write_real_servers, list_real_server).words(3),
            });

/// IP [PORT], fwmark N or group NAME.
bool read_name(Context& context, const Statement& statement, V& vs) {
  const Word* word = argument(context, statement, 1, "IP [PORT], fwmark N or group NAME");
  if (word == nullptr) return false;
  if (word->text == "fwmark") {
    const auto mark = read_integer(context, statement, 2, 1, fwmark_max);
    if (!mark) return false;
    vs.kind = VirtualServerKind::fwmark;
    vs.fwmark = static_cast<std::uint32_t>(*mark);
    return true;
  }
  if (word->text == "group") {
    const Word* group = argument(context, statement, 2, "the name of a virtual_server_group");
    if (group == nullptr) return false;
    vs.kind = VirtualServerKind::group;
    vs.group = group->text;
    return true;
  }
  const auto address = read_address(context, statement, 1);
  if (!address) return false;
  vs.key.address = *address;
  if (statement.words.size() > 2) {
    const auto port = read_port(context, statement, 2, true);
    if (!port) return false;
    vs.key.port = *port;
  }
  return true;
}

std::vector<Arg> name_args(const V& vs) {
  switch (vs.kind) {
    case VirtualServerKind::fwmark: return {option("fwmark", std::int64_t{vs.fwmark})};
    case VirtualServerKind::group: return {option("group", vs.group)};
    case VirtualServerKind::address: break;
  }
  std::vector<Arg> args = {plain("address", vs.key.address.text())};
  if (!vs.key.port.is_zero()) args.push_back(plain("port", std::int64_t{vs.key.port.host()}));
  return args;
}

}  // namespace

void read_virtual_server(Context& context, const Statement& statement) {
  V vs;
  vs.position = context.diagnostics.position(statement.place);
  vs.key.protocol = net::Protocol::udp;
  if (!read_name(context, statement, vs)) return;  // the block is skipped with that one complaint
  if (statement.words.size() > 3) note_extra_words(context, statement, 3);
  apply<V>(context, keywords, "virtual_server", statement.children, vs);
  context.config.virtual_servers.push_back(std::move(vs));
}

void write_virtual_servers(Writer& writer, const Config& config) {
  for (const V& vs : config.virtual_servers) {
    writer.open("virtual_server", name_args(vs), Occurs::repeated);
    write_all<V>(writer, keywords, vs);
    writer.close();
  }
}

void list_virtual_server(const std::string& block, std::vector<KeywordInfo>& out) { list_all<V>(block, keywords, out); }

}  // namespace sluice::control::config
