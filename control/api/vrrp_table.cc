#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <string>
#include <vector>

#include "control/api/table_text.h"
#include "control/api/tables.h"

namespace sluice::control::api {

namespace {

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

std::vector<std::string> cells_of(const Json& router) {
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
  text += fmt::format("  counters:{}\n", counts_text(router.at("counters"), true));
  text += fmt::format("  dropped:{}\n", counts_text(router.at("errors"), false));
  return text;
}

}  // namespace

Result<std::string> vrrp_table(std::string_view json, bool all) {
  return rendered(json, [all](const Json& answer) {
    std::vector<Row> rows = {{{"INSTANCE", "STATE", "INTERFACE", "VRID", "PRIORITY", "MASTER", "SINCE", "WHY"}}};
    for (const Json& router : answer.at("vrrp_instances")) {
      rows.push_back({cells_of(router), all ? details_of(router) : ""});
    }
    std::string text = aligned(rows);
    for (const Json& group : answer.at("vrrp_sync_groups")) {
      std::string members;
      for (const Json& member : group.at("members")) members += " " + member.get<std::string>();
      text += fmt::format("group {} {}:{}\n", group.at("name").get<std::string>(), group.at("state").get<std::string>(),
                          members);
    }
    if (all) text += fmt::format("packets that are nobody's:{}\n", counts_text(answer.at("errors"), false));
    return text;
  });
}

}  // namespace sluice::control::api
