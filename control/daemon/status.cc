#include "control/daemon/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace sluice::control {

namespace {

using Json = nlohmann::ordered_json;

Json counters_json(const TrafficCounters& counters) {
  return {{"connections", counters.connections},
          {"in_packets", counters.in_packets},
          {"in_bytes", counters.in_bytes},
          {"out_packets", counters.out_packets},
          {"out_bytes", counters.out_bytes}};
}

// The last words of a checker that says no; empty when all are content.
std::string reason_of(const RealServerStatus& server) {
  for (const CheckerStatus& checker : server.checkers) {
    if (!checker.up) return checker.kind + " " + checker.target + ": " + checker.reason;
  }
  return "";
}

Json destination_json(const DestinationSpec& spec, const DestinationStatus* in_table, std::uint32_t weight) {
  Json json = {{"address", spec.key.address.text()},
               {"port", spec.key.port.host()},
               {"forward", to_string(spec.method)},
               {"weight", weight},
               {"active", in_table != nullptr ? in_table->active : 0},
               {"inactive", in_table != nullptr ? in_table->inactive : 0},
               {"in_table", in_table != nullptr},
               {"sorry", false},
               {"health", "unchecked"},
               {"reason", ""},
               {"next_hop", in_table != nullptr ? in_table->next_hop : ""},
               {"counters", counters_json(in_table != nullptr ? in_table->counters : TrafficCounters{})}};
  return json;
}

Json server_json(const RealServerStatus& server, const DestinationStatus* in_table) {
  Json json = destination_json(server.destination, in_table,
                               in_table != nullptr ? in_table->spec.weight : server.destination.weight);
  if (!server.checkers.empty()) json["health"] = server.up ? "up" : "down";
  json["reason"] = reason_of(server);
  if (server.set_weight) json["set_weight"] = *server.set_weight;
  return json;
}

const DestinationStatus* find(const VirtualServiceStatus& service, const DestinationKey& key) {
  const auto found = std::find_if(service.destinations.begin(), service.destinations.end(),
                                  [&](const DestinationStatus& status) { return status.spec.key == key; });
  return found == service.destinations.end() ? nullptr : &*found;
}

Json service_json(const VirtualServiceStatus& service, const PoolStatus* pool) {
  Json flags = Json::array();
  if (service.spec.sh_port) flags.push_back("sh-port");
  if (service.spec.sh_fallback) flags.push_back("sh-fallback");
  Json destinations = Json::array();
  if (pool != nullptr) {
    for (const RealServerStatus& server : pool->servers) {
      destinations.push_back(server_json(server, find(service, server.destination.key)));
    }
    if (pool->sorry_server) {
      if (const DestinationStatus* status = find(service, *pool->sorry_server)) {
        Json sorry = destination_json(status->spec, status, status->spec.weight);
        sorry["sorry"] = true;
        destinations.push_back(std::move(sorry));
      }
    }
  } else {
    for (const DestinationStatus& status : service.destinations) {
      destinations.push_back(destination_json(status.spec, &status, status.spec.weight));
    }
  }
  const VirtualServiceKey& key = service.spec.key;
  Json json = {{"protocol", key.has_mark() ? "FWM" : net::to_string(key.protocol)},
               {"address", key.address.text()},
               {"port", key.port.host()}};
  if (key.has_mark()) json["fwmark"] = key.mark;
  json["scheduler"] = service.spec.scheduler;
  json["flags"] = std::move(flags);
  if (pool != nullptr) {
    json["name"] = pool->name;
    json["quorum"] = {{"up", pool->has_quorum}, {"need", pool->quorum}, {"have", pool->weight_sum}};
    json["error"] = pool->backend_error;
  }
  json["counters"] = counters_json(service.counters);
  json["destinations"] = std::move(destinations);
  return json;
}

Json worker_json(const dataplane::Engine& engine, std::size_t w) {
  const dataplane::WorkerCounters& counters = *engine.view(w).counters;
  Json drops = Json::object();
  std::uint64_t dropped = 0;
  for (std::size_t reason = 0; reason < dataplane::drop_reasons; ++reason) {
    const std::uint64_t count = counters.dropped[reason].read();
    drops[std::string(dataplane::drop_reason_names[reason])] = count;
    dropped += count;
  }
  Json ports = Json::array();
  const auto status = engine.port_status(w);
  const auto lost = engine.ports_lost(w);
  for (std::size_t port = 0; port < status.size(); ++port) {
    ports.push_back({{"interface", status[port].interface},
                     {"mode", status[port].mode},
                     {"queue", status[port].queue},
                     {"lost", lost[port]}});
  }
  const std::uint64_t packets = counters.received.read() + counters.handed_in.read();
  const auto per_packet = [&](std::uint64_t ns) { return packets == 0 ? 0.0 : double(ns) / double(packets); };
  const std::uint64_t engine_ns = counters.engine_ns.read();
  return {{"id", w},
          {"core", engine.core(w)},
          {"received", counters.received.read()},
          {"transmitted", counters.transmitted.read()},
          {"handed_in", counters.handed_in.read()},
          {"handed_out", counters.handed_out.read()},
          {"passed", counters.passed.read()},
          {"made", counters.answered.read()},
          {"dropped", dropped},
          {"drops", std::move(drops)},
          {"flows", counters.flows.read()},
          {"flows_max", engine.connections_per_worker()},
          {"new_flows", counters.flows_created.read()},
          {"expired_flows", counters.flows_expired.read()},
          {"evicted_flows", counters.flows_evicted.read()},
          {"ns_per_packet",
           {{"engine", per_packet(engine_ns)}, {"total", per_packet(engine_ns + counters.port_ns.read())}}},
          {"sleeps", counters.sleeps.read()},
          {"polls", counters.polls.read()},
          {"ports", std::move(ports)}};
}

}  // namespace

std::string services_json(const std::string& backend, const std::vector<VirtualServiceStatus>& table,
                          const std::vector<PoolStatus>& pools) {
  std::map<VirtualServiceKey, const PoolStatus*> pool_of;
  for (const PoolStatus& pool : pools) {
    for (const VirtualServiceKey& key : pool.services) pool_of.emplace(key, &pool);
  }
  Json services = Json::array();
  for (const VirtualServiceStatus& service : table) {
    const auto pool = pool_of.find(service.spec.key);
    services.push_back(service_json(service, pool == pool_of.end() ? nullptr : pool->second));
    if (pool != pool_of.end()) pool_of.erase(pool);
  }
  // What the backend refused is shown too, or an operator would look for it in vain.
  for (const auto& [key, pool] : pool_of) {
    VirtualServiceStatus missing;
    missing.spec.key = key;
    missing.spec.scheduler = "none";
    services.push_back(service_json(missing, pool));
  }
  return Json{{"backend", backend}, {"services", std::move(services)}}.dump();
}

std::string reload_json(bool ok, const std::vector<std::string>& complaints, const std::vector<std::string>& changes) {
  // replace: complaints may quote bytes of the file that are no UTF-8.
  return Json{{"ok", ok}, {"complaints", complaints}, {"changes", changes}}.dump(-1, ' ', false,
                                                                                 Json::error_handler_t::replace);
}

std::string connections_json(const ConnectionList& list) {
  Json connections = Json::array();
  for (const ConnectionStatus& connection : list.connections) {
    connections.push_back({{"protocol", net::to_string(connection.protocol)},
                           {"expires_s", connection.expires_s},
                           {"state", connection.state},
                           {"client", connection.client.text()},
                           {"virtual", connection.virtual_endpoint.text()},
                           {"destination", connection.destination.text()},
                           {"worker", connection.worker}});
  }
  return Json{{"connections", std::move(connections)},
              {"total", list.total},
              {"truncated", list.connections.size() < list.total}}
      .dump();
}

std::string stats_json(std::chrono::seconds uptime, const dataplane::Engine* engine,
                       const dataplane::SteerCounters& steer) {
  Json workers = Json::array();
  if (engine != nullptr) {
    for (std::size_t w = 0; w < engine->workers(); ++w) workers.push_back(worker_json(*engine, w));
  }
  return Json{
      {"uptime_s", uptime.count()},
      {"workers", std::move(workers)},
      {"steer", {{"steered", steer.steered}, {"passed", steer.passed}, {"dropped_no_engine", steer.dropped_no_engine}}}}
      .dump();
}

}  // namespace sluice::control
