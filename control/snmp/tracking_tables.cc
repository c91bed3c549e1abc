// KEEPALIVED-MIB::vrrp: what is watched (scripts, files, BFD sessions, processes), and who of the instances and sync
// groups watches what.
#include <algorithm>
#include <array>

#include "control/snmp/mibs.h"

namespace sluice::control::snmp {

namespace {

// --- what an instance or a group tracks

using Tracked = const config::Tracked*;

Cell name_of(const Tracked& tracked) { return text(tracked->name); }
Cell weight_of(const Tracked& tracked) { return integer(tracked->weight.value); }
Cell reverse_of(const Tracked& tracked) { return truth(tracked->weight.reverse); }

// The MIB's index is the interface's, for which no column is needed; keepalived numbers the rows as in the other
// tables.
constexpr std::array tracked_interface_columns = {
    Column<Tracked>{1, name_of},
    Column<Tracked>{2, weight_of},
    Column<Tracked>{3, reverse_of},
};
constexpr std::array tracked_columns = {
    Column<Tracked>{2, name_of},
    Column<Tracked>{3, weight_of},
    Column<Tracked>{4, reverse_of},
};

/// The tables' numbers below vrrp, for instances and for groups.
struct TrackedTables {
  std::uint32_t interfaces, scripts, files, bfds, processes;
};
constexpr TrackedTables of_instances{4, 5, 12, 17, 20};
constexpr TrackedTables of_groups{14, 15, 16, 19, 22};

template <typename Blocks>
void add_tracked(View& view, const TrackedTables& tables, const Blocks& blocks) {
  const auto add = [&](std::uint32_t table, std::vector<config::Tracked> config::Tracking::*list,
                       std::span<const Column<Tracked>> columns = tracked_columns) {
    std::vector<Indexed<Tracked>> rows;
    std::uint32_t block = 0;
    for (const auto& each : blocks) {
      ++block;
      std::uint32_t number = 0;
      for (const config::Tracked& tracked : each.tracking.*list) rows.push_back({{block, ++number}, &tracked});
    }
    view.add<Tracked>(keepalived_oid({2, table, 1}), columns, std::move(rows));
  };
  add(tables.interfaces, &config::Tracking::interfaces, tracked_interface_columns);
  add(tables.scripts, &config::Tracking::scripts);
  add(tables.files, &config::Tracking::files);
  add(tables.bfds, &config::Tracking::bfds);
  add(tables.processes, &config::Tracking::processes);
}

// --- what is watched

template <typename Config>
struct Watched {
  const Snapshot* all;
  const Config* config;
  const TrackedStatus* status;  // null: nothing known
};

using Script = Watched<config::VrrpScript>;
using File = Watched<config::TrackFile>;
using Bfd = Watched<config::BfdInstance>;
using Process = Watched<config::TrackProcess>;

template <typename Row>
bool is_up(const Row& row) {
  return row.status != nullptr && row.status->up.value_or(false);
}

template <typename Row>
Cell name(const Row& row) {
  return text(row.config->name);
}
template <typename Row>
Cell weight(const Row& row) {
  return integer(row.config->weight.value);
}
template <typename Row>
Cell reverse(const Row& row) {
  return truth(row.config->weight.reverse);
}

/// init(1), bad(2), good(3), initfailed(5).
Value script_result(const Script& s) {
  if (is_up(s)) return integer(3);
  if (s.status != nullptr && s.status->up) return integer(2);
  return integer(s.config->init_fail ? 5 : 1);
}

constexpr std::array script_columns = {
    Column<Script>{2, name<Script>},
    Column<Script>{3,
                   [](const Script& s) -> Cell {
                     if (!s.config->readable_file.empty()) return text("</" + s.config->readable_file.substr(1));
                     return script_text(*s.all, &s.config->script);
                   }},
    Column<Script>{4, [](const Script& s) -> Cell { return integer(s.config->interval / std::chrono::seconds(1)); }},
    Column<Script>{5, weight<Script>},
    Column<Script>{6, [](const Script& s) -> Cell { return script_result(s); }},
    Column<Script>{7, [](const Script& s) -> Cell { return gauge32(s.config->rise); }},
    Column<Script>{8, [](const Script& s) -> Cell { return gauge32(s.config->fall); }},
    Column<Script>{9, reverse<Script>},
};

constexpr std::array file_columns = {
    Column<File>{2, name<File>},
    Column<File>{3, [](const File& f) -> Cell { return text(f.config->path); }},
    Column<File>{4, [](const File& f) -> Cell { return integer(f.status != nullptr ? f.status->value : 0); }},
    Column<File>{5, weight<File>},
    Column<File>{6, reverse<File>},
};

constexpr std::array bfd_columns = {
    Column<Bfd>{2, name<Bfd>},
    Column<Bfd>{3, [](const Bfd& b) -> Cell { return integer(is_up(b) ? 1 : 0); }},
    Column<Bfd>{4, weight<Bfd>},
    Column<Bfd>{5, reverse<Bfd>},
};

/// none(0), exact(1), partial(2), initial(3).
Value match_value(const config::TrackProcess& process) {
  switch (process.match) {
    case config::ParamMatch::name: return integer(process.command.size() > 1 ? 1 : 0);
    case config::ParamMatch::exact: return integer(1);
    case config::ParamMatch::partial: return integer(2);
    case config::ParamMatch::initial: return integer(3);
  }
  return integer(0);
}

std::string parameters_of(const config::TrackProcess& process) {
  std::string line;
  for (std::size_t i = 1; i < process.command.size(); ++i) {
    if (i > 1) line += ' ';
    line += process.command[i];
  }
  return line;
}

constexpr std::array process_columns = {
    Column<Process>{2, name<Process>},
    Column<Process>{3, [](const Process& p) -> Cell { return text(p.config->command.front()); }},
    Column<Process>{4, [](const Process& p) -> Cell { return text_if_any(parameters_of(*p.config)); }},
    Column<Process>{5, [](const Process& p) -> Cell { return match_value(*p.config); }},
    Column<Process>{6, weight<Process>},
    Column<Process>{7, reverse<Process>},
    Column<Process>{8, [](const Process& p) -> Cell { return gauge32(p.config->quorum); }},
    Column<Process>{9,
                    [](const Process& p) -> Cell {
                      return integer(p.config->quorum_max ? std::int64_t{*p.config->quorum_max} : -1);
                    }},
    Column<Process>{10, [](const Process& p) -> Cell { return gauge32(std::uint64_t(p.config->fork_delay.count())); }},
    Column<Process>{11,
                    [](const Process& p) -> Cell { return gauge32(std::uint64_t(p.config->terminate_delay.count())); }},
    Column<Process>{12, [](const Process& p) -> Cell { return truth(p.config->full_command); }},
    Column<Process>{13, [](const Process& p) -> Cell { return integer(p.status != nullptr ? p.status->value : 0); }},
    Column<Process>{14, [](const Process& p) -> Cell { return truth(is_up(p)); }},
};

template <typename Row, typename Blocks>
void add_watched(View& view, const Snapshot& snapshot, std::uint32_t table, std::span<const Column<Row>> columns,
                 vrrp::TrackKind kind, const Blocks& blocks) {
  std::map<std::string_view, const TrackedStatus*> known;
  for (const TrackedStatus& status : snapshot.tracked) {
    if (status.kind == kind) known.emplace(status.name, &status);
  }
  std::vector<Indexed<Row>> rows;
  for (const auto& block : blocks) {
    const auto status = known.find(block.name);
    rows.push_back(
        {{std::uint32_t(rows.size()) + 1}, {&snapshot, &block, status == known.end() ? nullptr : status->second}});
  }
  view.add<Row>(keepalived_oid({2, table, 1}), columns, std::move(rows));
}

}  // namespace

void add_tracking(View& view, const Snapshot& snapshot) {
  const config::Config& config = *snapshot.config;
  add_tracked(view, of_instances, config.vrrp_instances);
  add_tracked(view, of_groups, config.sync_groups);
  add_watched<Script>(view, snapshot, 9, script_columns, vrrp::TrackKind::script, config.vrrp_scripts);
  add_watched<File>(view, snapshot, 13, file_columns, vrrp::TrackKind::file, config.track_files);
  add_watched<Bfd>(view, snapshot, 18, bfd_columns, vrrp::TrackKind::bfd, config.bfd_instances);
  add_watched<Process>(view, snapshot, 21, process_columns, vrrp::TrackKind::process, config.track_processes);
}

}  // namespace sluice::control::snmp
