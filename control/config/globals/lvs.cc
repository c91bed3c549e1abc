// global_defs: what is asked of the LVS table as a whole: synchronisation, time-outs, flushing.
#include <fmt/format.h>

#include <array>

#include "control/config/fields.h"
#include "control/config/globals/parts.h"
#include "control/config/lift.h"

namespace sluice::control::config {

namespace {

using L = LvsSettings;
using F = Field<L>;

/// 31 days: IPVS's own limit.
constexpr std::int64_t timeout_max = 2'678'400;

// --- lvs_sync_daemon IF [[inst] VI] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS] ---

class SyncDaemonLine {
 public:
  SyncDaemonLine(Context& context, const Statement& statement) : context_(context), statement_(statement) {}

  std::optional<SyncDaemon> read() {
    const Word* interface = argument(context_, statement_, 1, "an interface");
    if (interface == nullptr) return std::nullopt;
    daemon_.position = context_.diagnostics.position(statement_.place);
    daemon_.interface = interface->text;
    while (at_ < statement_.words.size()) read_option();
    return std::move(daemon_);
  }

 private:
  void read_option() {
    const std::string& option = statement_.words[at_].text;
    if (option == "inst") {
      if (const Word* word = value("a vrrp_instance's name")) daemon_.vrrp_instance = word->text;
    } else if (option == "id") {
      number(0, 255, [&](std::int64_t n) { daemon_.sync_id = static_cast<unsigned>(n); });
    } else if (option == "maxlen") {
      number(1, 65507, [&](std::int64_t n) { daemon_.bytes_max = static_cast<unsigned>(n); });
    } else if (option == "port") {
      number(1, 65535, [&](std::int64_t n) { daemon_.port = static_cast<std::uint16_t>(n); });
    } else if (option == "ttl") {
      number(1, 255, [&](std::int64_t n) { daemon_.ttl = static_cast<unsigned>(n); });
    } else if (option == "group") {
      if (value("a multicast address") != nullptr) read_group();
    } else if (at_ == 2) {
      daemon_.vrrp_instance = option;
    } else if (at_ == 3 && parse_number(option, 255)) {
      daemon_.sync_id = parse_number(option, 255);
      context_.diagnostics.warning(statement_.place_of(at_),
                                   fmt::format("{} is taken as the sync id, expected 'id {}'", quoted(option), option));
    } else {
      context_.diagnostics.error(
          statement_.place_of(at_),
          fmt::format("lvs_sync_daemon option {} ignored, expected inst, id, maxlen, port, ttl or group",
                      quoted(option)));
    }
    ++at_;
  }

  void read_group() {
    const auto group = read_address(context_, statement_, at_);
    if (!group) return;
    if (group->is_v4() ? !group->v4().is_multicast() : group->v6().bytes[0] != 0xff) {
      context_.diagnostics.error(statement_.place_of(at_),
                                 fmt::format("group {} ignored, expected a multicast address", quoted(group->text())));
      return;
    }
    daemon_.group = group;
  }

  /// The word behind the option; at_ moves on to it.
  const Word* value(std::string_view expected) { return argument(context_, statement_, ++at_, expected); }

  template <typename Take>
  void number(std::int64_t min, std::int64_t max, Take take) {
    if (const auto n = read_integer(context_, statement_, ++at_, min, max)) take(*n);
  }

  Context& context_;
  const Statement& statement_;
  std::size_t at_ = 2;
  SyncDaemon daemon_;
};

void read_sync_daemon(Context& context, const Statement& statement, L& lvs) {
  if (lvs.sync_daemon) {
    context.diagnostics.error(statement.place, "lvs_sync_daemon ignored, there is one already");
    return;
  }
  lvs.sync_daemon = SyncDaemonLine(context, statement).read();
}

void write_sync_daemon(Writer& writer, std::string_view keyword, const L& lvs) {
  if (!lvs.sync_daemon) return;
  const SyncDaemon& daemon = *lvs.sync_daemon;
  std::vector<Arg> args = {plain("interface", daemon.interface)};
  if (!daemon.vrrp_instance.empty()) args.push_back(option("inst", daemon.vrrp_instance));
  if (daemon.sync_id) args.push_back(option("id", std::int64_t{*daemon.sync_id}));
  if (daemon.bytes_max) args.push_back(option("maxlen", std::int64_t{*daemon.bytes_max}));
  args.push_back(option("port", std::int64_t{daemon.port}));
  if (daemon.ttl) args.push_back(option("ttl", std::int64_t{*daemon.ttl}));
  if (daemon.group) args.push_back(option("group", daemon.group->text()));
  writer.line(keyword, args);
}

// --- the others ---

/// lvs_timeouts [tcp N] [tcpfin N] [udp N].
void read_timeouts(Context& context, const Statement& statement, L& lvs) {
  if (statement.words.size() < 3) {
    context.diagnostics.error(statement.place, "lvs_timeouts ignored, expected tcp N, tcpfin N or udp N");
    return;
  }
  for (std::size_t i = 1; i < statement.words.size(); i += 2) {
    const std::string& name = statement.words[i].text;
    std::optional<std::chrono::seconds>* slot = name == "tcp"      ? &lvs.timeouts.tcp
                                                : name == "tcpfin" ? &lvs.timeouts.tcp_fin
                                                : name == "udp"    ? &lvs.timeouts.udp
                                                                   : nullptr;
    if (slot == nullptr) {
      context.diagnostics.error(
          statement.place_of(i),
          fmt::format("lvs_timeouts option {} ignored, expected tcp, tcpfin or udp", quoted(name)));
      continue;
    }
    if (const auto seconds = read_integer(context, statement, i + 1, 0, timeout_max)) {
      *slot = std::chrono::seconds(*seconds);
    }
  }
}

void write_timeouts(Writer& writer, std::string_view keyword, const L& lvs) {
  std::vector<Arg> args;
  if (lvs.timeouts.tcp) args.push_back(option("tcp", std::int64_t{lvs.timeouts.tcp->count()}));
  if (lvs.timeouts.tcp_fin) args.push_back(option("tcpfin", std::int64_t{lvs.timeouts.tcp_fin->count()}));
  if (lvs.timeouts.udp) args.push_back(option("udp", std::int64_t{lvs.timeouts.udp->count()}));
  if (!args.empty()) writer.line(keyword, args);
}

void read_flush_on_stop(Context& context, const Statement& statement, L& lvs) {
  static constexpr std::array<Choice<FlushOnStop>, 1> kinds = {{{"VS", FlushOnStop::services}}};
  if (statement.words.size() < 2) {
    lvs.flush_on_stop = FlushOnStop::all;
  } else if (const auto kind = read_choice(context, statement, 1, kinds)) {
    lvs.flush_on_stop = *kind;
  }
}

void write_flush_on_stop(Writer& writer, std::string_view keyword, const L& lvs) {
  if (lvs.flush_on_stop == FlushOnStop::all) writer.line(keyword, {});
  if (lvs.flush_on_stop == FlushOnStop::services) writer.line(keyword, {plain("", std::string("VS"))});
}

void read_nftables(Context&, const Statement& statement, L& lvs) {
  lvs.nftables_table = statement.words.size() > 1 ? statement.words[1].text : "keepalived_ipvs";
}

constexpr std::string_view no_netfilter = "Sluice's services take groups of addresses without netfilter rules";

constexpr auto flush_on_stop = F::custom("lvs_flush_on_stop", read_flush_on_stop, write_flush_on_stop, 2);

constexpr auto lines = all_later(std::to_array<Keyword<L>>({
    F::custom("lvs_sync_daemon", read_sync_daemon, write_sync_daemon).lenient(),
    F::custom("lvs_timeouts", read_timeouts, write_timeouts),
    F::flag<&L::flush>("lvs_flush"),
    flush_on_stop,
    flush_on_stop.alias("lvs_flush_onstop"),
    F::custom(
        "nftables_ipvs", read_nftables,
        [](Writer& writer, std::string_view keyword, const L& lvs) {
          if (lvs.nftables_table) writer.line(keyword, {plain("", *lvs.nftables_table)});
        },
        2)
        .no_effect(no_netfilter),
    F::integer<&L::nftables_priority, -2147483648, 2147483647>("nftables_ipvs_priority").no_effect(no_netfilter),
    F::integer<&L::nftables_start_fwmark, 1, 4294967295>("nftables_ipvs_start_fwmark").no_effect(no_netfilter),
}));

constexpr auto keywords = lifted<&GlobalDefs::lvs, lines>();

}  // namespace

GlobalKeywords lvs_keywords() { return keywords; }

}  // namespace sluice::control::config
