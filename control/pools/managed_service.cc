#include "control/pools/managed_service.h"

#include "health/watched.h"

namespace sluice::control {

namespace {

CheckerStatus status_of(const CheckerSetup& setup, const CheckerState& state, bool suspended) {
  CheckerStatus status{.kind = std::string(health::log_name(*setup.spec)),
                       .target = health::target_of(*setup.spec),
                       .up = state.up,
                       .has_run = state.has_run,
                       .reason = state.reason,
                       .retries = state.retries,
                       .suspended = suspended,
                       .flaps = state.flaps,
                       .latency = state.latency};
  if (state.has_run) {
    status.last_probe = state.last_probe;
    if (!health::is_watched(*setup.spec) && !suspended) status.next_probe = state.next_probe;
  }
  return status;
}

}  // namespace

PoolStatus status_of(const ManagedService& service) {
  const PoolSpec& spec = *service.spec;
  PoolStatus status{.service = spec.services.front().key,
                    .name = service.name(),
                    .has_quorum = service.pool.has_quorum(),
                    .quorum = service.pool.quorum(),
                    .hysteresis = service.pool.hysteresis(),
                    .weight_sum = service.pool.weight_sum(),
                    .sorry_server_serves = service.pool.sorry_server_serves(),
                    .backend_error = service.backend_error};
  for (const VirtualServiceSpec& entry : spec.services) status.services.push_back(entry.key);
  if (spec.sorry_server) status.sorry_server = spec.sorry_server->key;
  status.servers.reserve(spec.servers.size());
  for (std::size_t i = 0; i < spec.servers.size(); ++i) {
    RealServerStatus server{.destination = spec.servers[i].destination,
                            .up = service.pool.is_up(i),
                            .in_table = service.pool.in_table(i),
                            .table_weight = service.pool.table_weight(i),
                            .set_weight = service.set_weight(spec.servers[i].destination.key)};
    for (std::size_t c = 0; c < service.checkers[i].size(); ++c) {
      server.checkers.push_back(status_of(spec.servers[i].checkers[c], service.checkers[i][c], service.suspended));
    }
    status.servers.push_back(std::move(server));
  }
  return status;
}

}  // namespace sluice::control
