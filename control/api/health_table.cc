#include <fmt/format.h>

#include <string>
#include <vector>

#include "control/api/table_text.h"
#include "control/api/tables.h"

namespace sluice::control::api {

namespace {

std::string state_of(const Json& checker) {
  if (checker.value("suspended", false)) return checker.at("up").get<bool>() ? "up, suspended" : "down, suspended";
  if (!checker.at("has_run").get<bool>()) return "not run";
  if (!checker.at("up").get<bool>()) return "down";
  const auto retries = checker.value("retries", 0u);
  return retries == 0 ? "up" : fmt::format("up, {} failed", retries);
}

std::string latency_of(const Json& checker) {
  if (!checker.at("has_run").get<bool>()) return "-";
  return fmt::format("{:.1f} ms", checker.value("latency_s", 0.0) * 1e3);
}

std::string time_of(const Json& checker, const char* member) {
  const auto at = checker.find(member);
  return at == checker.end() ? "-" : fmt::format("{:.1f} s", at->get<double>());
}

}  // namespace

Result<std::string> health_table(std::string_view json, bool failing) {
  return rendered(json, [failing](const Json& answer) {
    std::vector<Row> rows = {
        {{"VIRTUAL SERVER", "REAL SERVER", "WEIGHT", "CHECKER", "STATE", "AGO", "NEXT IN", "TOOK", "FLAPS", "SAID"}}};
    for (const Json& service : answer.at("virtual_servers")) {
      const auto name = service.at("name").get<std::string>();
      for (const Json& server : service.at("real_servers")) {
        const auto address = server.at("name").get<std::string>();
        const auto weight =
            std::to_string(server.at("weight").get<std::uint32_t>()) + (server.contains("set_weight") ? " (set)" : "");
        for (const Json& checker : server.at("checkers")) {
          if (failing && checker.at("up").get<bool>() && checker.value("retries", 0u) == 0) continue;
          rows.push_back(
              {{name, address, weight, checker.at("kind").get<std::string>() + " " + checker.value("target", ""),
                state_of(checker), time_of(checker, "ago_s"), time_of(checker, "next_s"), latency_of(checker),
                std::to_string(checker.value("flaps", std::uint64_t{0})), checker.value("reason", "")}});
        }
        if (server.at("checkers").empty() && !failing) rows.push_back({{name, address, weight, "none", "up", ""}});
      }
    }
    return aligned(rows);
  });
}

}  // namespace sluice::control::api
