// global_defs: priorities, limits and names of keepalived's processes, and their sockets' buffers.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/fields.h"
#include "control/config/globals/parts.h"
#include "control/config/lift.h"

namespace sluice::control::config {

namespace {

using T = ProcessTuning;
using F = Field<T>;

/// The largest that Linux can be built for (CONFIG_NR_CPUS).
constexpr std::int64_t cpu_max = 8191;
/// TASK_COMM_LEN without its NUL.
constexpr std::size_t process_name_max = 15;
constexpr unsigned realtime_min = 1;
constexpr unsigned realtime_max = 99;

/// Out of range it is moved into it, as keepalived does.
void read_realtime(Context& context, const Statement& statement, T& tuning) {
  const auto value = read_integer(context, statement, 1, -2147483648, 2147483647);
  if (!value) return;
  tuning.realtime_priority = static_cast<unsigned>(std::clamp<std::int64_t>(*value, realtime_min, realtime_max));
  if (*value < realtime_min || *value > realtime_max) {
    context.diagnostics.warning(statement.place_of(1),
                                fmt::format("{} '{}' is taken as {}, expected {}..{}", statement.keyword(), *value,
                                            *tuning.realtime_priority, realtime_min, realtime_max));
  }
}

void read_cpus(Context& context, const Statement& statement, T& tuning) {
  if (statement.words.size() < 2) {
    context.diagnostics.error(statement.place, fmt::format("{} ignored, expected CPU numbers", statement.keyword()));
    return;
  }
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const auto cpu = read_integer(context, statement, i, 0, cpu_max);
    if (!cpu) continue;
    const auto id = static_cast<unsigned>(*cpu);
    if (std::find(tuning.cpus.begin(), tuning.cpus.end(), id) == tuning.cpus.end()) tuning.cpus.push_back(id);
  }
}

void write_cpus(Writer& writer, std::string_view keyword, const T& tuning) {
  if (tuning.cpus.empty()) return;
  std::vector<Arg> args;
  for (const unsigned cpu : tuning.cpus) args.push_back(plain("", std::int64_t{cpu}));
  writer.line(keyword, args);
}

std::optional<std::string> read_name(Context& context, const Statement& statement) {
  const Word* word = argument(context, statement, 1, "a name of at most 15 characters");
  if (word == nullptr) return std::nullopt;
  if (word->text.size() > process_name_max) {
    context.diagnostics.warning(statement.place_of(1), fmt::format("{} {} is cut to {} characters", statement.keyword(),
                                                                   quoted(word->text), process_name_max));
  }
  return word->text.substr(0, process_name_max);
}

void read_tuning_name(Context& context, const Statement& statement, T& tuning) {
  if (auto name = read_name(context, statement)) tuning.name = std::move(*name);
}

void write_tuning_name(Writer& writer, std::string_view keyword, const T& tuning) {
  if (!tuning.name.empty()) writer.line(keyword, {plain("", tuning.name)});
}

constexpr std::string_view own_names = "Sluice's processes keep their names";

constexpr auto nice(std::string_view name) { return F::integer<&T::nice, -20, 19>(name).later(); }
constexpr auto realtime(std::string_view name) {
  return F::custom(
      name, read_realtime,
      [](Writer& writer, std::string_view keyword, const T& tuning) {
        if (tuning.realtime_priority) writer.line(keyword, {plain("", std::int64_t{*tuning.realtime_priority})});
      },
      2);
}
constexpr auto rlimit(std::string_view name) { return F::integer<&T::rlimit_rttime_us, 1, 4294967295>(name).later(); }
constexpr auto no_swap(std::string_view name) { return F::flag<&T::no_swap>(name).later(); }
constexpr auto cpus(std::string_view name) { return F::custom(name, read_cpus, write_cpus).later(); }
constexpr auto name_of(std::string_view name) {
  return F::custom(name, read_tuning_name, write_tuning_name, 2).no_effect(own_names);
}

constexpr auto vrrp_lines = std::to_array<Keyword<T>>({
    nice("vrrp_priority"),
    realtime("vrrp_rt_priority"),
    rlimit("vrrp_rlimit_rttime"),
    rlimit("vrrp_rlimit_rttime").alias("vrrp_rlimit_rtime"),
    no_swap("vrrp_no_swap"),
    cpus("vrrp_cpu_affinity"),
    name_of("vrrp_process_name"),
});
constexpr auto checker_lines = std::to_array<Keyword<T>>({
    nice("checker_priority"),
    realtime("checker_rt_priority").later(),
    rlimit("checker_rlimit_rttime"),
    rlimit("checker_rlimit_rttime").alias("checker_rlimit_rtime"),
    no_swap("checker_no_swap"),
    cpus("checker_cpu_affinity"),
    name_of("checker_process_name"),
    name_of("checker_process_name").alias("lvs_process_name"),
});
constexpr auto bfd_lines = std::to_array<Keyword<T>>({
    nice("bfd_priority"),
    realtime("bfd_rt_priority"),
    rlimit("bfd_rlimit_rttime"),
    rlimit("bfd_rlimit_rttime").alias("bfd_rlimit_rtime"),
    no_swap("bfd_no_swap"),
    cpus("bfd_cpu_affinity"),
    name_of("bfd_process_name"),
});

using P = Processes;
using PF = Field<P>;
constexpr std::string_view own_priority = "Sluice doesn't raise its own priority";

void read_auto_priority(Context& context, const Statement& statement, P& processes) {
  if (statement.words.size() < 2) {
    processes.max_auto_priority = static_cast<int>(realtime_max);
  } else if (const auto value = read_integer(context, statement, 1, -1, realtime_max)) {
    processes.max_auto_priority = static_cast<int>(*value);
  }
}

void read_process_name(Context& context, const Statement& statement, P& processes) {
  if (auto name = read_name(context, statement)) processes.name = std::move(*name);
}

constexpr auto common_lines = std::to_array<Keyword<P>>({
    PF::custom(
        "max_auto_priority", read_auto_priority,
        [](Writer& writer, std::string_view keyword, const P& processes) {
          if (processes.max_auto_priority)
            writer.line(keyword, {plain("", std::int64_t{*processes.max_auto_priority})});
        },
        2)
        .no_effect(own_priority),
    PF::integer<&P::min_auto_priority_delay_us, 1, 10'000'000>("min_auto_priority_delay").no_effect(own_priority),
    PF::flag<&P::names>("process_names").no_effect(own_names),
    PF::custom(
        "process_name", read_process_name,
        [](Writer& writer, std::string_view keyword, const P& processes) {
          if (!processes.name.empty()) writer.line(keyword, {plain("", processes.name)});
        },
        2)
        .no_effect(own_names),
});

constexpr auto lines = joined(lifted<&P::vrrp, vrrp_lines>(), lifted<&P::checker, checker_lines>(),
                              lifted<&P::bfd, bfd_lines>(), common_lines);
constexpr auto keywords = lifted<&GlobalDefs::processes, lines>();

// --- buffers of sockets ---

using B = SocketBuffers;
constexpr std::string_view own_buffers =
    "Sluice sizes its sockets' buffers itself and asks the kernel again after a loss";

template <SocketBuffer B::*Buffer>
void read_bytes(Context& context, const Statement& statement, B& buffers) {
  if (const auto bytes = read_integer(context, statement, 1, 0, 4294967295)) {
    (buffers.*Buffer).bytes = static_cast<std::uint32_t>(*bytes);
  }
}
template <SocketBuffer B::*Buffer>
void read_force(Context& context, const Statement& statement, B& buffers) {
  if (const auto force = read_bool(context, statement, 1)) (buffers.*Buffer).force = *force;
}
template <SocketBuffer B::*Buffer>
void write_bytes(Writer& writer, std::string_view keyword, const B& buffers) {
  if ((buffers.*Buffer).bytes) writer.line(keyword, {plain("", std::int64_t{*(buffers.*Buffer).bytes})});
}
template <SocketBuffer B::*Buffer>
void write_force(Writer& writer, std::string_view keyword, const B& buffers) {
  if ((buffers.*Buffer).force) writer.line(keyword, {plain("", true)});
}

template <SocketBuffer B::*Buffer>
constexpr auto bytes(std::string_view name) {
  return Field<B>::custom(name, read_bytes<Buffer>, write_bytes<Buffer>, 2);
}
template <SocketBuffer B::*Buffer>
constexpr auto force(std::string_view name) {
  return Field<B>::custom(name, read_force<Buffer>, write_force<Buffer>, 2);
}

constexpr auto buffer_lines = std::to_array<Keyword<B>>({
    bytes<&B::vrrp_command>("vrrp_netlink_cmd_rcv_bufs").no_effect(own_buffers),
    force<&B::vrrp_command>("vrrp_netlink_cmd_rcv_bufs_force").no_effect(own_buffers),
    bytes<&B::vrrp_monitor>("vrrp_netlink_monitor_rcv_bufs").no_effect(own_buffers),
    force<&B::vrrp_monitor>("vrrp_netlink_monitor_rcv_bufs_force").no_effect(own_buffers),
    bytes<&B::lvs_command>("lvs_netlink_cmd_rcv_bufs").no_effect(own_buffers),
    force<&B::lvs_command>("lvs_netlink_cmd_rcv_bufs_force").no_effect(own_buffers),
    bytes<&B::lvs_monitor>("lvs_netlink_monitor_rcv_bufs").no_effect(own_buffers),
    force<&B::lvs_monitor>("lvs_netlink_monitor_rcv_bufs_force").no_effect(own_buffers),
    bytes<&B::process_monitor>("process_monitor_rcv_bufs"),
    force<&B::process_monitor>("process_monitor_rcv_bufs_force"),
});
constexpr auto buffer_keywords = lifted<&GlobalDefs::socket_buffers, buffer_lines>();

}  // namespace

GlobalKeywords process_tuning_keywords() { return keywords; }

GlobalKeywords socket_buffer_keywords() { return buffer_keywords; }

}  // namespace sluice::control::config
