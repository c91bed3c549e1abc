#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/api/tables.h"

namespace sluice::control::api {

namespace {

using Json = nlohmann::ordered_json;

std::string since(const Json& transition) {
  const auto at = transition.value("at_unix_s", std::int64_t{0});
  if (at == 0) return "-";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(std::time_t(at)));
}

std::string priority_of(const Json& router) {
  const auto configured = router.at("priority").get<int>();
  const auto effective = router.at("effective_priority").get<int>();
  return configured == effective ? std::to_string(configured) : fmt::format("{} ({})", effective, configured);
}

std::string counts_of(const Json& counts, bool zeros) {
  std::string text;
  for (const auto& [name, value] : counts.items()) {
    if (zeros || value.get<std::uint64_t>() != 0) text += fmt::format(" {}={}", name, value.get<std::uint64_t>());
  }
  return text.empty() ? " none" : text;
}

using Row = std::array<std::string, 8>;
using Widths = std::array<std::size_t, 8>;

Row row_of(const Json& router) {
  const auto state = router.at("state").get<std::string>();
  const Json& transition = router.at("last_transition");
  std::string why = transition.value("reason", "");
  for (const Json& fault : router.at("faults")) why += ", " + fault.get<std::string>();
  return {router.at("name").get<std::string>(),
          state,
          router.value("interface", ""),
          std::to_string(router.at("virtual_router_id").get<int>()),
          priority_of(router),
          state == "MASTER" ? "this router" : router.value("master_address", "-"),
          since(transition),
          why};
}

Widths widths_of(const std::vector<Row>& rows) {
  Widths widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

std::string line_of(const Row& row, const Widths& widths) {
  std::string line;
  for (std::size_t i = 0; i + 1 < row.size(); ++i) line += fmt::format("{:<{}} ", row[i], widths[i]);
  return line + row.back();
}

std::string details_of(const Json& router) {
  std::string text = fmt::format(
      "  virtual router {} on {}, VRRP {} {}, from {}\n"
      "  advert_int {} s, master's {} s, skew {:.3f} s, master down {:.3f} s{}\n",
      router.at("virtual_router_id").get<int>(), router.value("interface", ""), router.at("version").get<int>(),
      router.value("family", ""), router.value("source", ""), router.value("advert_int_s", 0.0),
      router.value("master_adver_interval_s", 0.0), router.value("skew_time_s", 0.0),
      router.value("master_down_interval_s", 0.0),
      router.contains("timer_in_s") ? fmt::format(", timer in {:.3f} s", router.value("timer_in_s", 0.0)) : "");
  for (const Json& address : router.at("addresses")) text += fmt::format("  {}\n", address.get<std::string>());
  for (const Json& tracker : router.at("trackers")) {
    text += fmt::format("  track {} {} weight {}: {}\n", tracker.value("kind", ""), tracker.value("name", ""),
                        tracker.value("weight", 0),
                        tracker.value("fault", false) ? "FAULT" : fmt::format("{:+}", tracker.value("delta", 0)));
  }
  text += fmt::format("  counters:{}\n", counts_of(router.at("counters"), true));
  text += fmt::format("  dropped:{}\n", counts_of(router.at("errors"), false));
  return text;
}

}  // namespace

Result<std::string> vrrp_table(std::string_view json, bool all) {
  try {
    const Json parsed = Json::parse(json);
    std::vector<Row> rows = {{"INSTANCE", "STATE", "INTERFACE", "VRID", "PRIORITY", "MASTER", "SINCE", "WHY"}};
    std::vector<std::string> details = {""};
    for (const Json& router : parsed.at("vrrp_instances")) {
      rows.push_back(row_of(router));
      details.push_back(all ? details_of(router) : "");
    }
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i) text += line_of(rows[i], widths_of(rows)) + "\n" + details[i];
    for (const Json& group : parsed.at("vrrp_sync_groups")) {
      std::string members;
      for (const Json& member : group.at("members")) members += " " + member.get<std::string>();
      text += fmt::format("group {} {}:{}\n", group.at("name").get<std::string>(), group.at("state").get<std::string>(),
                          members);
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
