#include "control/daemon/health_status.h"

#include <nlohmann/json.hpp>

namespace sluice::control {

namespace {

using Json = nlohmann::ordered_json;

double seconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

Json checker_json(const CheckerStatus& checker, std::chrono::steady_clock::time_point now) {
  Json json = {{"kind", checker.kind},           {"target", checker.target}, {"up", checker.up},
               {"has_run", checker.has_run},     {"reason", checker.reason}, {"retries", checker.retries},
               {"suspended", checker.suspended}, {"flaps", checker.flaps},   {"latency_s", seconds(checker.latency)}};
  if (checker.last_probe) json["ago_s"] = seconds(now - *checker.last_probe);
  if (checker.next_probe) json["next_s"] = seconds(*checker.next_probe - now);
  return json;
}

Json server_json(const RealServerStatus& server, std::chrono::steady_clock::time_point now) {
  Json checkers = Json::array();
  for (const CheckerStatus& checker : server.checkers) checkers.push_back(checker_json(checker, now));
  const DestinationKey& key = server.destination.key;
  Json json = {{"name", key.text()},      {"address", key.address.text()},
               {"port", key.port.host()}, {"weight", server.in_table ? server.table_weight : server.destination.weight},
               {"up", server.up},         {"in_table", server.in_table}};
  if (server.set_weight) json["set_weight"] = *server.set_weight;
  json["checkers"] = std::move(checkers);
  return json;
}

}  // namespace

std::string health_json(const std::vector<PoolStatus>& pools, std::chrono::steady_clock::time_point now) {
  Json services = Json::array();
  for (const PoolStatus& pool : pools) {
    Json servers = Json::array();
    for (const RealServerStatus& server : pool.servers) servers.push_back(server_json(server, now));
    services.push_back(
        {{"name", pool.name},
         {"quorum",
          {{"up", pool.has_quorum}, {"need", pool.quorum}, {"hysteresis", pool.hysteresis}, {"have", pool.weight_sum}}},
         {"sorry_server_serves", pool.sorry_server_serves},
         {"real_servers", std::move(servers)}});
  }
  return Json{{"virtual_servers", std::move(services)}}.dump();
}

}  // namespace sluice::control
