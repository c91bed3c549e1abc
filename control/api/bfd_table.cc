#include <fmt/format.h>

#include <string>
#include <vector>

#include "control/api/table_text.h"
#include "control/api/tables.h"

namespace sluice::control::api {

namespace {

std::string milliseconds(const Json& of, const char* name) { return fmt::format("{:g} ms", of.value(name, 0.0) * 1e3); }

std::vector<std::string> cells_of(const Json& session) {
  const bool is_up = session.value("state", "") == "Up";
  return {session.at("name").get<std::string>(),           session.at("neighbor").get<std::string>(),
          session.at("state").get<std::string>(),          session.value("remote_state", ""),
          milliseconds(session, "transmit_interval_s"),    milliseconds(session, "detection_time_s"),
          duration_text(session.value("in_state_s", 0.0)), is_up ? "" : session.value("diagnostic", "")};
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
      counts_text(session.at("counters"), true), counts_text(session.at("errors"), false));
}

}  // namespace

Result<std::string> bfd_table(std::string_view json, bool all) {
  return rendered(json, [all](const Json& answer) {
    std::vector<Row> rows = {{{"SESSION", "NEIGHBOR", "STATE", "REMOTE", "INTERVAL", "DETECTION", "SINCE", "WHY"}}};
    for (const Json& session : answer.at("bfd_instances")) {
      rows.push_back({cells_of(session), all ? details_of(session) : ""});
    }
    std::string text = aligned(rows);
    if (all) text += fmt::format("packets that are nobody's:{}\n", counts_text(answer.at("errors"), false));
    return text;
  });
}

}  // namespace sluice::control::api
