// Keywords of the top level, outside of any block, that are about the processes: namespaces, pid files, link polling.
#include <fmt/format.h>

#include <array>

#include "control/config/fields.h"

namespace sluice::control::config {

namespace {

using P = ProcessSettings;
using F = Field<P>;

/// Beyond all use; keepalived takes any number.
constexpr std::int64_t wait_max = 4294967295;
constexpr Duration delay_max = std::chrono::seconds(255);

constexpr std::array<Choice<LinkPolling>, 3> pollings = {
    {{"MII", LinkPolling::mii}, {"ETHTOOL", LinkPolling::ethtool}, {"IOCTL", LinkPolling::ioctl}}};

void read_net_namespace(Context& context, const Statement& statement, P& process) {
  const Word* name = argument(context, statement, 1, "a network namespace's name");
  if (name == nullptr) return;
  process.net_namespace = name->text;
  process.use_pid_dir = true;
}

void read_instance(Context& context, const Statement& statement, P& process) {
  const Word* name = argument(context, statement, 1, "a name for this instance of the daemon");
  if (name == nullptr) return;
  process.instance = name->text;
  process.use_pid_dir = true;
}

void write_name(Writer& writer, std::string_view keyword, const std::string& name) {
  if (!name.empty()) writer.line(keyword, {plain("", name)});
}

void read_net_namespace_ipvs(Context&, const Statement& statement, P& process) {
  process.net_namespace_ipvs = statement.words.size() > 1 ? statement.words[1].text : "";
}

void write_net_namespace_ipvs(Writer& writer, std::string_view keyword, const P& process) {
  if (!process.net_namespace_ipvs) return;
  if (process.net_namespace_ipvs->empty()) return writer.line(keyword, {});
  writer.line(keyword, {plain("", *process.net_namespace_ipvs)});
}

/// IF [MII|ETHTOOL|IOCTL] per line.
void read_linkbeat(Context& context, const Statement& statement, P& process) {
  for (const Statement& line : statement.children) {
    if (!is_item(context, line, statement.keyword())) continue;
    context.interfaces.push_back({line.place, line.keyword()});
    LinkbeatInterface entry{context.diagnostics.position(line.place), line.keyword()};
    if (line.words.size() > 1) {
      if (const auto polling = read_choice(context, line, 1, pollings)) entry.polling = *polling;
    }
    process.linkbeat_interfaces.push_back(std::move(entry));
  }
}

void write_linkbeat(Writer& writer, std::string_view keyword, const P& process) {
  if (process.linkbeat_interfaces.empty()) return;
  writer.open_list(keyword);
  for (const LinkbeatInterface& entry : process.linkbeat_interfaces) {
    std::vector<Arg> args = {plain("interface", entry.interface)};
    if (const auto word = word_of(pollings, entry.polling); !word.empty()) {
      args.push_back(plain("polling", std::string(word)));
    }
    writer.item(args);
  }
  writer.close_list();
}

/// IF DOWN [UP] per line.
void read_delays(Context& context, const Statement& statement, P& process) {
  for (const Statement& line : statement.children) {
    if (!is_item(context, line, statement.keyword())) continue;
    context.interfaces.push_back({line.place, line.keyword()});
    if (line.words.size() < 2) {
      context.diagnostics.notice(
          line.place, fmt::format("{} has no delay, expected INTERFACE DOWN [UP] in seconds", quoted(line.keyword())));
      continue;
    }
    const auto down = read_timer(context, line, 1, Duration(0), delay_max);
    const auto up = line.words.size() > 2 ? read_timer(context, line, 2, Duration(0), delay_max) : down;
    if (!down || !up) continue;
    process.interface_up_down_delays.push_back({context.diagnostics.position(line.place), line.keyword(), *down, *up});
  }
}

void write_delays(Writer& writer, std::string_view keyword, const P& process) {
  if (process.interface_up_down_delays.empty()) return;
  writer.open_list(keyword);
  for (const UpDownDelay& delay : process.interface_up_down_delays) {
    writer.item({plain("interface", delay.interface), plain("down", delay.down), plain("up", delay.up)});
  }
  writer.close_list();
}

constexpr auto keywords = std::to_array<Keyword<P>>({
    F::custom(
        "net_namespace", read_net_namespace,
        [](Writer& writer, std::string_view keyword, const P& process) {
          write_name(writer, keyword, process.net_namespace);
        },
        2)
        .lenient(),
    F::custom("net_namespace_ipvs", read_net_namespace_ipvs, write_net_namespace_ipvs, 2).later(),
    F::flag<&P::namespace_with_ipsets>("namespace_with_ipsets").no_effect("Sluice makes no ipsets"),
    F::custom(
        "instance", read_instance,
        [](Writer& writer, std::string_view keyword, const P& process) {
          write_name(writer, keyword, process.instance);
        },
        2)
        .lenient(),
    F::flag<&P::use_pid_dir>("use_pid_dir"),
    F::seconds<&P::child_wait_time, 0, wait_max>("child_wait_time"),
    F::flag<&P::linkbeat_use_polling>("linkbeat_use_polling")
        .no_effect("the kernel tells of every change of a link at once"),
    F::block("linkbeat_interfaces", read_linkbeat, write_linkbeat)
        .no_effect("the kernel tells of every change of a link at once"),
    F::block("interface_up_down_delays", read_delays, write_delays),
});

}  // namespace

void read_process_setting(Context& context, const Statement& statement) {
  apply<P>(context, keywords, "", {&statement, 1}, context.config.process);
}

void write_process_settings(Writer& writer, const Config& config) { write_all<P>(writer, keywords, config.process); }

void list_process_settings(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<P>(block, keywords, out);
}

}  // namespace sluice::control::config
