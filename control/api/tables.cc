#include "control/api/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <tuple>
#include <vector>

#include "control/api/table_text.h"
#include "net/address.h"

namespace sluice::control::api {

namespace {

std::string endpoint(const Json& object) {
  // ipvsadm: "FWM  5", "FWM  5 IPv6".
  if (const auto mark = object.find("fwmark"); mark != object.end()) {
    const bool is_v6 = object.value("address", "").find(':') != std::string::npos;
    return std::to_string(mark->get<std::uint32_t>()) + (is_v6 ? " IPv6" : "");
  }
  const auto address = object.at("address").get<std::string>();
  const auto port = object.at("port").get<unsigned>();
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

/// ipvsadm's order of services: IPv4, IPv6; TCP, UDP, SCTP; address; port; then those of marks. Of destinations: the
/// same without protocol.
auto order_of(const Json& object) {
  static constexpr std::array protocols{"TCP", "UDP", "SCTP"};
  const auto protocol = object.value("protocol", "");
  const auto rank = std::find(protocols.begin(), protocols.end(), protocol) - protocols.begin();
  const auto address = net::IpAddr::parse(object.at("address").get<std::string>()).value_or(net::IpAddr());
  return std::tuple(address.is_v6(), rank, address, object.at("port").get<unsigned>(), object.value("fwmark", 0u));
}

std::vector<Json> sorted(const Json& list) {
  std::vector<Json> items(list.begin(), list.end());
  std::stable_sort(items.begin(), items.end(),
                   [](const Json& left, const Json& right) { return order_of(left) < order_of(right); });
  return items;
}

std::string joined(const Json& words, std::string_view separator) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += separator;
    text += word.get<std::string>();
  }
  return text;
}

std::string health_text(const Json& destination) {
  std::string text = destination.value("health", "unchecked");
  const bool is_in_table = destination.value("in_table", true);
  if (destination.value("sorry", false))
    text += is_in_table ? ", sorry server" : ", sorry server on standby";
  else if (!is_in_table)
    text += ", taken out";
  if (const auto set = destination.find("set_weight"); set != destination.end())
    text += set->get<std::uint32_t>() == 0 ? ", drained" : ", weight set";
  const std::string reason = destination.value("reason", "");
  if (!reason.empty()) text += ": " + reason;
  return text;
}

void append_service(std::string& out, const Json& service) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{:<4} {} {}", service.at("protocol").get<std::string>(), endpoint(service),
                 service.at("scheduler").get<std::string>());
  const auto flags = service.value("flags", Json::array());
  if (!flags.empty()) fmt::format_to(to, " ({})", joined(flags, ","));
  const auto quorum = service.find("quorum");
  if (quorum != service.end() && !quorum->value("up", true)) {
    fmt::format_to(to, "  quorum lost: have {}, need {}", quorum->value("have", 0), quorum->value("need", 1));
  }
  out += '\n';
  for (const auto& destination : sorted(service.value("destinations", Json::array()))) {
    fmt::format_to(to, "  {:<2} {:<28} {:<7} {:<6} {:<10} {:<10} {}\n",
                   destination.value("in_table", true) ? "->" : "x", endpoint(destination),
                   destination.at("forward").get<std::string>(), destination.at("weight").get<std::uint32_t>(),
                   destination.value("active", std::uint64_t{0}), destination.value("inactive", std::uint64_t{0}),
                   health_text(destination));
  }
}

/// Rows of cells in aligned columns. Numbers are right-aligned, and so are their headings.
class Columns {
 public:
  explicit Columns(std::vector<std::string> heading) { rows_.push_back(std::move(heading)); }
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) line += "  ";
        line += is_numeric(i) ? fmt::format("{:>{}}", row[i], width(i)) : fmt::format("{:<{}}", row[i], width(i));
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + '\n';
    }
    return out;
  }

 private:
  [[nodiscard]] std::size_t width(std::size_t column) const {
    std::size_t widest = 0;
    for (const auto& row : rows_) widest = std::max(widest, column < row.size() ? row[column].size() : 0);
    return widest;
  }
  /// By its last row: the first column's may be "total" or a worker's number.
  [[nodiscard]] bool is_numeric(std::size_t column) const {
    if (column == 0 || rows_.size() < 2 || column >= rows_.back().size()) return false;
    const auto& cell = rows_.back()[column];
    return cell.empty() || cell.find_first_not_of("0123456789.-") == std::string::npos;
  }

  std::vector<std::vector<std::string>> rows_;
};

std::string id_of(const Json& worker) { return std::to_string(worker.at("id").get<unsigned>()); }

/// One row per worker with these members, and their sums if there is more than one worker.
std::string counters_table(const Json& workers, const std::vector<std::pair<const char*, const char*>>& members) {
  std::vector<std::string> heading{"Worker"};
  for (const auto& [title, name] : members) heading.emplace_back(title);
  Columns columns(std::move(heading));
  std::vector<std::uint64_t> sums(members.size());
  for (const auto& worker : workers) {
    std::vector<std::string> cells{id_of(worker)};
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto value = worker.value(members[i].second, std::uint64_t{0});
      sums[i] += value;
      cells.push_back(std::to_string(value));
    }
    columns.row(std::move(cells));
  }
  if (workers.size() > 1) {
    std::vector<std::string> cells{"total"};
    for (const auto sum : sums) cells.push_back(std::to_string(sum));
    columns.row(std::move(cells));
  }
  return columns.text();
}

std::string ports_table(const Json& workers) {
  Columns columns({"Worker", "Core", "Interface", "Queue", "Lost", "Mode"});
  for (const auto& worker : workers) {
    for (const auto& port : worker.value("ports", Json::array())) {
      columns.row({id_of(worker), std::to_string(worker.value("core", 0)), port.value("interface", ""),
                   std::to_string(port.value("queue", 0u)), std::to_string(port.value("lost", std::uint64_t{0})),
                   port.value("mode", "")});
    }
  }
  return columns.empty() ? std::string() : "\n" + columns.text();
}

std::string drops_table(const Json& workers, bool all) {
  Columns columns({"Worker", "Dropped because", "Packets"});
  for (const auto& worker : workers) {
    const auto drops = worker.value("drops", Json::object());
    for (const auto& [reason, count] : drops.items()) {
      const auto packets = count.get<std::uint64_t>();
      if (packets > 0 || all) columns.row({id_of(worker), reason, std::to_string(packets)});
    }
  }
  return columns.empty() ? "\nNothing dropped\n" : "\n" + columns.text();
}

std::string time_table(const Json& workers) {
  // The steps that are measured may grow: the columns are what the first worker tells.
  std::vector<std::string> heading{"Worker"};
  std::vector<std::string> steps;
  const auto measured = workers.front().value("ns_per_packet", Json::object());
  for (const auto& [step, value] : measured.items()) {
    steps.push_back(step);
    heading.push_back(step + " ns/packet");
  }
  heading.insert(heading.end(), {"Polls", "Sleeps"});
  Columns columns(std::move(heading));
  for (const auto& worker : workers) {
    const auto times = worker.value("ns_per_packet", Json::object());
    std::vector<std::string> cells{id_of(worker)};
    for (const auto& step : steps) {
      const auto value = times.find(step);
      // null: no packet yet.
      cells.push_back(value != times.end() && value->is_number() ? fmt::format("{:.1f}", value->get<double>()) : "-");
    }
    cells.push_back(std::to_string(worker.value("polls", std::uint64_t{0})));
    cells.push_back(std::to_string(worker.value("sleeps", std::uint64_t{0})));
    columns.row(std::move(cells));
  }
  return "\n" + columns.text();
}

std::string uptime_text(std::uint64_t seconds) {
  const auto days = seconds / 86400;
  const auto clock = fmt::format("{}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
  if (days == 0) return clock;
  return fmt::format("{} day{} {}", days, days == 1 ? "" : "s", clock);
}

}  // namespace

Result<std::string> services_table(std::string_view json) {
  return rendered(json, [](const Json& answer) {
    // IPVS says its connection table's size here; scripts look for the line's beginning.
    std::string out = fmt::format("IP Virtual Server version 1.2.1 (sluice, {})\n", answer.value("backend", "engine"));
    out += "Prot LocalAddress:Port Scheduler Flags\n";
    out += "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn  Health\n";
    for (const auto& service : sorted(answer.at("services"))) append_service(out, service);
    return out;
  });
}

Result<std::string> connections_table(std::string_view json) {
  return rendered(json, [](const Json& answer) {
    std::string out =
        "IPVS connection entries\npro expire state       source             virtual            destination\n";
    const auto to = std::back_inserter(out);
    const auto& connections = answer.at("connections");
    for (const auto& it : connections) {
      const auto expires = it.at("expires_s").get<std::uint64_t>();
      fmt::format_to(to, "{:<3} {:02}:{:02}  {:<11} {:<18} {:<18} {}\n", it.at("protocol").get<std::string>(),
                     expires / 60, expires % 60, it.at("state").get<std::string>(), it.at("client").get<std::string>(),
                     it.at("virtual").get<std::string>(), it.at("destination").get<std::string>());
    }
    if (answer.value("truncated", false)) {
      fmt::format_to(to, "({} of {} connections, --limit N shows more)\n", connections.size(),
                     answer.value("total", connections.size()));
    }
    return out;
  });
}

Result<std::string> stats_table(std::string_view json, bool all) {
  return rendered(json, [all](const Json& answer) {
    const auto& workers = answer.at("workers");
    std::string out = fmt::format("Up for {}, {} worker{}\n", uptime_text(answer.value("uptime_s", std::uint64_t{0})),
                                  workers.size(), workers.size() == 1 ? "" : "s");
    if (workers.empty()) return out + "No engine runs: there is no virtual server, or the backend is IPVS\n";
    out += ports_table(workers);
    out += "\n" + counters_table(workers, {{"Received", "received"},
                                           {"Transmitted", "transmitted"},
                                           {"Handed in", "handed_in"},
                                           {"Handed out", "handed_out"},
                                           {"Passed", "passed"},
                                           {"Made", "made"},
                                           {"Dropped", "dropped"}});
    out += drops_table(workers, all);
    out += "\n" + counters_table(workers, {{"Flows", "flows"},
                                           {"Flows max", "flows_max"},
                                           {"New", "new_flows"},
                                           {"Expired", "expired_flows"},
                                           {"Evicted", "evicted_flows"}});
    out += time_table(workers);
    if (const auto steer = answer.find("steer"); steer != answer.end()) {
      out += fmt::format("\nXDP: {} packets to the engine, {} passed to the kernel, {} dropped while no engine ran\n",
                         steer->value("steered", std::uint64_t{0}), steer->value("passed", std::uint64_t{0}),
                         steer->value("dropped_no_engine", std::uint64_t{0}));
    }
    return out;
  });
}

Result<Changes> changes(std::string_view json) {
  Changes result;
  const auto done = rendered(json, [&](const Json& answer) {
    result.ok = answer.at("ok").get<bool>();
    for (const auto& line : answer.at("complaints")) result.complaints += line.get<std::string>() + '\n';
    for (const auto& line : answer.at("changes")) result.changes += line.get<std::string>() + '\n';
    if (result.changes.empty()) result.changes = "no changes\n";
    return std::string();
  });
  if (!done) return std::unexpected(done.error());
  return result;
}

Result<std::string> indented(std::string_view json) {
  return rendered(json, [](const Json& answer) { return answer.dump(2) + "\n"; });
}

}  // namespace sluice::control::api
