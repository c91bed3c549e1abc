#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/api/tables.h"

namespace sluice::control::api {

namespace {

using Json = nlohmann::ordered_json;
using Row = std::array<std::string, 8>;

/// "3d 04:05:06"
std::string duration(double seconds) {
  const auto whole = std::int64_t(seconds);
  const std::string clock = fmt::format("{:02}:{:02}:{:02}", whole / 3600 % 24, whole / 60 % 60, whole % 60);
  return whole < 86'400 ? clock : fmt::format("{}d {}", whole / 86'400, clock);
}

std::string milliseconds(const Json& of, const char* name) { return fmt::format("{:g} ms", of.value(name, 0.0) * 1e3); }

std::string counts_of(const Json& counts, bool zeros) {
  std::string text;
  for (const auto& [name, value] : counts.items()) {
    if (zeros || value.get<std::uint64_t>() != 0) text += fmt::format(" {}={}", name, value.get<std::uint64_t>());
  }
  return text.empty() ? " none" : text;
}

Row row_of(const Json& session) {
  const bool is_up = session.value("state", "") == "Up";
  return {session.at("name").get<std::string>(),        session.at("neighbor").get<std::string>(),
          session.at("state").get<std::string>(),       session.value("remote_state", ""),
          milliseconds(session, "transmit_interval_s"), milliseconds(session, "detection_time_s"),
          duration(session.value("in_state_s", 0.0)),   is_up ? "" : session.value("diagnostic", "")};
}

std::string details_of(const Json& session) {
  const auto side = [&](const char* which) {
    const Json& of = session.at(which);
    return fmt::format("{}: min_tx {}, min_rx {}, multiplier {}", which, milliseconds(of, "min_tx_s"),
                       milliseconds(of, "min_rx_s"), of.value("multiplier", 0));
  };
  const auto source = session.value("source", "");
  return fmt::format(
      "  {}{}{}, TTL {}, accepted from {} on{}\n"
      "  discriminators {:#010x}, the neighbor's {:#010x}\n"
      "  {}; {}\n"
      "  remote diagnostic: {}\n"
      "  counters:{}\n"
      "  dropped:{}\n",
      session.value("multihop", false) ? "multihop" : "single hop", source.empty() ? "" : " from " + source,
      session.value("passive", false) ? ", passive" : "", session.value("ttl", 0), session.value("ttl_min", 0),
      session.value("polling", false) ? ", polling" : "", session.value("discriminator", 0u),
      session.value("remote_discriminator", 0u), side("local"), side("remote"), session.value("remote_diagnostic", ""),
      counts_of(session.at("counters"), true), counts_of(session.at("errors"), false));
}

}  // namespace

Result<std::string> bfd_table(std::string_view json, bool all) {
  try {
    const Json parsed = Json::parse(json);
    std::vector<Row> rows = {{"SESSION", "NEIGHBOR", "STATE", "REMOTE", "INTERVAL", "DETECTION", "SINCE", "WHY"}};
    std::vector<std::string> details = {""};
    for (const Json& session : parsed.at("bfd_instances")) {
      rows.push_back(row_of(session));
      details.push_back(all ? details_of(session) : "");
    }
    std::array<std::size_t, std::tuple_size_v<Row>> widths{};
    for (const Row& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      std::string line;
      for (std::size_t i = 0; i + 1 < widths.size(); ++i) line += fmt::format("{:<{}} ", rows[row][i], widths[i]);
      line += rows[row].back();
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n" + details[row];
    }
    if (all) text += fmt::format("packets that are nobody's:{}\n", counts_of(parsed.at("errors"), false));
    return text;
  } catch (const Json::exception& unexpected) {
    return fail("", std::string("sluiced answered something else than expected, are sluicectl and sluiced of the same "
                                "version? ") +
                        unexpected.what());
  }
}

}  // namespace sluice::control::api
