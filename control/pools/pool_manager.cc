#include "control/pools/pool_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "control/pools/checker_log.h"
#include "control/pools/service_name.h"
#include "health/pool.h"

namespace sluice::control {

using health::Cause;

namespace {

health::PoolConfig pool_config(const PoolSpec& spec) {
  health::PoolConfig config;
  for (const RealServerSpec& server : spec.servers) {
    health::PoolServer one{server.destination.weight, server.inhibit_on_failure, {}};
    for (const CheckerSetup& checker : server.checkers) one.checkers_up.push_back(checker.spec.starts_up);
    config.servers.push_back(std::move(one));
  }
  config.quorum = spec.quorum;
  config.hysteresis = spec.hysteresis;
  config.has_sorry_server = spec.sorry_server.has_value();
  config.notify_up_at_start = spec.notify_up_at_start;
  config.sorry_server_inhibit = spec.sorry_server_inhibit;
  return config;
}

DestinationSpec weighing(DestinationSpec destination, std::uint32_t weight) {
  destination.weight = weight;
  return destination;
}

/// A virtual server that is managed.
struct Service {
  explicit Service(PoolSpec from)
      : spec(std::move(from)), pool(pool_config(spec)), name(service_name(spec.service.key)) {
    for (const RealServerSpec& server : spec.servers) {
      auto& statuses = checkers.emplace_back();
      for (const CheckerSetup& checker : server.checkers) {
        statuses.push_back({.kind = std::string(health::log_name(checker.spec)),
                            .target = health::target_of(checker.spec),
                            .up = checker.spec.starts_up});
      }
    }
  }

  [[nodiscard]] std::string server(std::size_t index) const {
    return server_name(spec.servers[index].destination.key, spec.service.key.protocol);
  }
  [[nodiscard]] std::string sorry_server() const {
    return server_name(spec.sorry_server->key, spec.service.key.protocol);
  }

  PoolSpec spec;
  health::Pool pool;
  std::string name;
  std::vector<std::vector<CheckerStatus>> checkers;  // by server, then as in its spec
  bool in_backend = false;
  bool sorry_server_in_table = false;
  std::string backend_error;
};

/// Which checker an id stands for.
struct CheckerPlace {
  std::size_t service;
  std::size_t server;
  std::size_t checker;
};

}  // namespace

class PoolManager::Impl {
 public:
  Impl(Backend& backend, RunScript run_script, Log log)
      : backend_(backend), run_script_(std::move(run_script)), log_(std::move(log)) {}

  std::vector<health::CheckerToRun> start(std::vector<PoolSpec> specs) {
    std::vector<health::CheckerToRun> checkers;
    for (PoolSpec& spec : specs) {
      Service& service = *services_.emplace_back(std::make_unique<Service>(std::move(spec)));
      service.in_backend = accepted(service, backend_.add_service(service.spec.service));
      carry_out(service, service.pool.start());
      take_checkers(services_.size() - 1, checkers);
    }
    return checkers;
  }

  void on_health(const health::HealthEvent& event) {
    const auto found = places_.find(event.checker);
    if (found == places_.end()) return;
    const CheckerPlace at = found->second;
    Service& service = *services_[at.service];
    const CheckerSetup& checker = service.spec.servers[at.server].checkers[at.checker];

    remember(service.checkers[at.server][at.checker], event);
    if (const auto line = checker_line(checker, {service.server(at.server), service.name}, event)) {
      log_(event.verdict == health::Verdict::success ? LogLevel::info : LogLevel::warning, *line);
    }
    if (event.verdict == health::Verdict::not_counted) return;
    carry_out(service, service.pool.on_checker(at.server, at.checker, event.outcome.up, event.outcome.first));
  }

  void stop() {
    for (const auto& owned : services_) {
      Service& service = *owned;
      for (std::size_t i = 0; i < service.spec.servers.size(); ++i) shut_down(service, i);
      if (service.sorry_server_in_table) remove(service, service.spec.sorry_server->key);
      if (service.spec.notify_down_at_stop) run(service.spec.quorum_down);
      if (service.in_backend) accepted(service, backend_.remove_service(service.spec.service.key));
    }
    services_.clear();
    places_.clear();
  }

  [[nodiscard]] std::vector<PoolStatus> status() const {
    std::vector<PoolStatus> all;
    all.reserve(services_.size());
    for (const auto& owned : services_) all.push_back(status_of(*owned));
    return all;
  }

 private:
  void take_checkers(std::size_t service_index, std::vector<health::CheckerToRun>& checkers) {
    const Service& service = *services_[service_index];
    for (std::size_t i = 0; i < service.spec.servers.size(); ++i) {
      for (std::size_t c = 0; c < service.spec.servers[i].checkers.size(); ++c) {
        log_(LogLevel::info,
             fmt::format("Activating healthchecker for service {} for VS {}", service.server(i), service.name));
        const health::CheckerId id{next_checker_++};
        places_[id] = {service_index, i, c};
        checkers.push_back({id, service.spec.servers[i].checkers[c].spec});
      }
    }
  }

  static void remember(CheckerStatus& status, const health::HealthEvent& event) {
    status.up = event.outcome.up;
    status.has_run = true;
    status.reason = event.reason;
    status.retries = event.outcome.changed ? 0 : event.outcome.retries;
    status.flaps += event.outcome.changed ? 1 : 0;
    status.latency = event.latency;
    status.last_probe = event.ended;
    status.next_probe = event.ended + event.outcome.next_probe;
  }

  void carry_out(Service& service, const health::Actions& actions) {
    for (const health::Action& action : actions) {
      std::visit([&](const auto& one) { carry_out(service, one); }, action);
    }
  }

  void carry_out(Service& service, const health::AddServer& action) {
    if (action.cause == Cause::health) {
      log_(LogLevel::info, fmt::format("Adding service {} to VS {}", service.server(action.server), service.name));
    }
    add(service, weighing(service.spec.servers[action.server].destination, action.weight));
  }

  void carry_out(Service& service, const health::RemoveServer& action) {
    if (action.cause == Cause::health) {
      log_(LogLevel::warning,
           fmt::format("Removing service {} from VS {}", service.server(action.server), service.name));
    }
    remove(service, service.spec.servers[action.server].destination.key);
  }

  void carry_out(Service& service, const health::SetWeight& action) {
    if (action.cause == Cause::health) {
      const bool up = service.pool.is_up(action.server);
      log_(up ? LogLevel::info : LogLevel::warning, fmt::format("{} service {} of VS {}", up ? "Enabling" : "Disabling",
                                                                service.server(action.server), service.name));
    }
    change(service, weighing(service.spec.servers[action.server].destination, action.weight));
  }

  void carry_out(Service& service, const health::WeightChanged& action) {
    log_(LogLevel::info,
         fmt::format("Changing weight from {} to {} for {} service {} of VS {}", action.from, action.to,
                     action.server_is_up ? "active" : "inactive", service.server(action.server), service.name));
  }

  void carry_out(Service& service, const health::AddSorryServer& action) {
    if (action.weight > 0) sorry_server_comes(service);
    service.sorry_server_in_table = true;
    add(service, weighing(*service.spec.sorry_server, action.weight));
  }

  void carry_out(Service& service, const health::RemoveSorryServer&) {
    sorry_server_goes(service);
    service.sorry_server_in_table = false;
    remove(service, service.spec.sorry_server->key);
  }

  void carry_out(Service& service, const health::SetSorryServerWeight& action) {
    if (action.weight > 0) {
      sorry_server_comes(service);
    } else {
      sorry_server_goes(service);
    }
    change(service, weighing(*service.spec.sorry_server, action.weight));
  }

  void carry_out(Service& service, const health::NotifyUp& action) {
    run(service.spec.servers[action.server].notify_up);
  }
  void carry_out(Service& service, const health::NotifyDown& action) {
    run(service.spec.servers[action.server].notify_down);
  }

  void carry_out(Service& service, const health::QuorumUp& action) {
    log_(LogLevel::info,
         fmt::format("Gained quorum {}+{}={} <= {} for VS {}", action.quorum, action.hysteresis,
                     std::uint64_t{action.quorum} + action.hysteresis, action.weight_sum, service.name));
    run(service.spec.quorum_up);
  }

  void carry_out(Service& service, const health::QuorumDown& action) {
    if (action.at_start) {
      log_(LogLevel::warning, fmt::format("Starting with quorum down for VS {}", service.name));
    } else {
      log_(LogLevel::warning, fmt::format("Lost quorum {}-{}={} > {} for VS {}", action.quorum, action.hysteresis,
                                          action.quorum - action.hysteresis, action.weight_sum, service.name));
    }
    run(service.spec.quorum_down);
  }

  void sorry_server_comes(const Service& service) {
    log_(LogLevel::warning, fmt::format("Adding sorry server {} to VS {}", service.sorry_server(), service.name));
    if (service.pool.weight_sum() > 0) {
      log_(LogLevel::warning, fmt::format("Removing alive servers from the pool for VS {}", service.name));
    }
  }

  void sorry_server_goes(const Service& service) {
    log_(LogLevel::info, fmt::format("Removing sorry server {} from VS {}", service.sorry_server(), service.name));
    log_(LogLevel::info, fmt::format("Adding alive servers to the pool for VS {}", service.name));
  }

  void shut_down(Service& service, std::size_t index) {
    if (service.pool.in_table(index)) {
      log_(LogLevel::info, fmt::format("Shutting down service {} from VS {}", service.server(index), service.name));
      remove(service, service.spec.servers[index].destination.key);
    }
    if (service.spec.notify_down_at_stop && service.pool.is_up(index)) run(service.spec.servers[index].notify_down);
  }

  void add(Service& service, const DestinationSpec& destination) {
    if (service.in_backend) accepted(service, backend_.add_destination(service.spec.service.key, destination));
  }
  void change(Service& service, const DestinationSpec& destination) {
    if (service.in_backend) accepted(service, backend_.change_destination(service.spec.service.key, destination));
  }
  void remove(Service& service, const DestinationKey& destination) {
    if (service.in_backend) accepted(service, backend_.remove_destination(service.spec.service.key, destination));
  }

  bool accepted(Service& service, const Result<>& result) {
    if (result) return true;
    service.backend_error = result.error().text();
    log_(LogLevel::error,
         fmt::format("{} backend refused a change of VS {}: {}", backend_.name(), service.name, service.backend_error));
    return false;
  }

  void run(const std::optional<ScriptSpec>& script) {
    if (!script) return;
    if (const auto started = run_script_(*script); !started) log_(LogLevel::error, started.error().text());
  }

  static PoolStatus status_of(const Service& service) {
    PoolStatus status{.service = service.spec.service.key,
                      .has_quorum = service.pool.has_quorum(),
                      .quorum = service.pool.quorum(),
                      .hysteresis = service.pool.hysteresis(),
                      .weight_sum = service.pool.weight_sum(),
                      .sorry_server_serves = service.pool.sorry_server_serves(),
                      .backend_error = service.backend_error};
    if (service.spec.sorry_server) status.sorry_server = service.spec.sorry_server->key;
    for (std::size_t i = 0; i < service.spec.servers.size(); ++i) {
      status.servers.push_back({.destination = service.spec.servers[i].destination,
                                .up = service.pool.is_up(i),
                                .in_table = service.pool.in_table(i),
                                .table_weight = service.pool.table_weight(i),
                                .checkers = service.checkers[i]});
    }
    return status;
  }

  Backend& backend_;
  RunScript run_script_;
  Log log_;
  std::vector<std::unique_ptr<Service>> services_;
  std::unordered_map<health::CheckerId, CheckerPlace> places_;
  std::uint64_t next_checker_ = 0;
};

PoolManager::PoolManager(Backend& backend, RunScript run_script, Log log)
    : impl_(std::make_unique<Impl>(backend, std::move(run_script), std::move(log))) {}
PoolManager::~PoolManager() = default;
std::vector<health::CheckerToRun> PoolManager::start(std::vector<PoolSpec> specs) {
  return impl_->start(std::move(specs));
}
void PoolManager::on_health(const health::HealthEvent& event) { impl_->on_health(event); }
void PoolManager::stop() { impl_->stop(); }
std::vector<PoolStatus> PoolManager::status() const { return impl_->status(); }

}  // namespace sluice::control
