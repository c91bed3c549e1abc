#include "control/pools/pool_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "control/pools/checker_log.h"
#include "control/pools/diff.h"
#include "control/pools/mail_alerts.h"
#include "control/pools/managed_service.h"
#include "control/pools/server_reference.h"
#include "control/pools/service_name.h"
#include "control/pools/suspension.h"
#include "control/pools/watchers.h"
#include "health/watched.h"

namespace sluice::control {

using health::Cause;

namespace {

/// "Activating healthchecker" is a line per checker up to so many at a time; then the rest is counted.
constexpr std::size_t activation_lines_max = 1000;

}  // namespace

class PoolManager::Impl {
 public:
  Impl(Backend& backend, RunScript run_script, Log log, SendAlert mail, WriteFifo write_fifo)
      : backend_(backend),
        run_script_(std::move(run_script)),
        log_(std::move(log)),
        mail_(std::move(mail)),
        write_fifo_(std::move(write_fifo)) {}

  Checkers apply(PoolList next) {
    // Let go after the batch: with a hundred thousand servers that takes longer than all else.
    PoolList old;
    const Batch batch(backend_);
    const Diff difference = diff(specs_, next);
    Checkers checkers;
    activations_ = 0;
    // All that leaves first: what comes may take its place.
    for (const Change& change : difference.changes) {
      if (const auto* removed = std::get_if<PoolRemoved>(&change)) {
        remove_pool(*services_[removed->was], checkers.end);
      } else if (const auto* entry = std::get_if<ServiceRemoved>(&change)) {
        remove_entry(*services_[entry->was], entry->service);
      }
    }
    // The old specifications live until the end: services point into them.
    old = std::exchange(specs_, std::move(next));
    auto services = std::exchange(services_, std::vector<std::unique_ptr<ManagedService>>(specs_.size()));
    auto changed = difference.changed.begin();
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      const std::size_t was = difference.was[i];
      if (was == not_there) {
        services_[i] = add_pool(specs_[i], checkers.run);
        continue;
      }
      services_[i] = std::move(services[was]);
      ManagedService& service = *services_[i];
      if (changed != difference.changed.end() && *changed == i) {
        ++changed;
        reload_pool(service, specs_[i], checkers);
      } else {
        service.spec = &specs_[i];
      }
      if (!service.is_served) add_missing_entries(service);
    }
    watchers_.forget_those_gone([&](health::CheckerId id) { return places_.find(id).has_value(); });
    for (const health::CheckerId id : std::exchange(new_watchers_, {})) tell_watcher(id);
    if (activations_ > activation_lines_max) {
      log_(LogLevel::info, fmt::format("Activating {} healthcheckers more", activations_ - activation_lines_max));
    }
    return checkers;
  }

  [[nodiscard]] std::vector<std::string> preview(const PoolList& next) const {
    return lines(diff(specs_, next), specs_, next);
  }

  void on_health(const health::HealthEvent& event) {
    const auto found = places_.find(event.checker);
    if (!found) return;
    const CheckerPlace at = *found;
    ManagedService& service = *at.service;
    CheckerState& state = service.checkers[at.server][at.checker];
    const CheckerSetup& checker = service.spec->servers[at.server].checkers[at.checker];

    const bool first = event.outcome.first && !std::exchange(state.was_announced, false);
    const bool was_held_up = state.up;
    remember(state, event);
    const bool was_up = service.pool.is_up(at.server);
    std::optional<Batch> batch;
    const auto act = [&](const health::Actions& actions) {
      if (actions.empty()) return;
      if (!batch) batch.emplace(backend_);
      carry_out(service, actions);
    };
    // A server that comes back has the right weight at once; for one that fails it changes in silence.
    const bool weighs_first = event.weight && event.verdict == health::Verdict::success;
    if (weighs_first) act(service.pool.on_weight(at.server, service.wanted_weight(at.server)));
    if (event.verdict == health::Verdict::success && !was_held_up) {
      if (const auto line = progress_line(*checker.spec, {service.server(at.server), service.name()}, event.reason)) {
        log_(LogLevel::info, *line);
      }
    }
    if (const auto line = checker_line(checker, {service.server(at.server), service.name()}, event)) {
      log_(event.verdict == health::Verdict::success ? LogLevel::info : LogLevel::warning, *line);
    }
    if (event.verdict == health::Verdict::not_counted) return;
    act(service.pool.on_checker(at.server, at.checker, event.outcome.up, first));
    if (event.weight && !weighs_first && !service.pool.is_up(at.server)) {
      static_cast<void>(service.pool.on_weight(at.server, service.wanted_weight(at.server)));
    }
    const bool first_success = event.outcome.first && event.verdict == health::Verdict::success;
    const bool is_script = std::holds_alternative<health::MiscCheckSpec>(checker.spec->what);
    // keepalived mails of a script's first success, though nothing changes by it.
    if (event.outcome.changed || (first_success && is_script)) mail_checker(service, at, event, was_up);
  }

  void on_watched(Watchers::Kind kind, const std::string& name, std::int64_t says) {
    const Batch batch(backend_);
    for (const health::CheckerId id : watchers_.news(kind, name, says)) tell_watcher(id);
  }

  Checkers on_address(const net::IpAddr& address, bool is_here) {
    Checkers checkers;
    if (!suspension_.set_here(address, is_here)) return checkers;
    const Batch batch(backend_);
    for (const auto& service : services_) follow_address(*service, checkers);
    return checkers;
  }

  Result<std::string> set_weight(std::string_view virtual_server, std::string_view real_server,
                                 std::optional<std::uint32_t> weight) {
    const auto pool = find_pool(virtual_server, specs_);
    if (!pool) return std::unexpected(pool.error());
    ManagedService& service = *services_[*pool];
    const auto found = find_server(real_server, *service.spec);
    if (!found) return std::unexpected(found.error());
    const std::size_t i = *found;
    const DestinationSpec& destination = service.spec->servers[i].destination;
    const std::string name = fmt::format("service {} of VS {}", service.server(i), service.name());
    if (weight) {
      service.set_weights.insert_or_assign(destination.key, *weight);
    } else if (service.set_weights.erase(destination.key) == 0) {
      return fmt::format("{} has its configured weight {}: nothing was set", name, destination.weight);
    }
    const auto actions = service.pool.on_weight(i, service.wanted_weight(i));
    if (!actions.empty()) {
      const Batch batch(backend_);
      carry_out(service, actions);
    }
    if (!weight) return fmt::format("{} has its configured weight {} again", name, destination.weight);
    if (*weight == 0) return fmt::format("{} is drained: no new connections until it is enabled", name);
    return fmt::format("{} has weight {} until it is enabled (configured: {})", name, *weight, destination.weight);
  }

  void stop() {
    const Batch batch(backend_);
    for (const auto& owned : services_) {
      ManagedService& service = *owned;
      for (std::size_t i = 0; i < service.spec->servers.size(); ++i) {
        take_out(service, i);
        if (!service.spec->notify_down_at_stop || !service.pool.is_up(i)) continue;
        tell_server(service, i, false);
        mail_gone(service, i, true);
      }
      if (service.sorry_server_in_table) remove(service, service.spec->sorry_server->key);
      if (service.spec->notify_down_at_stop) {
        tell_quorum(service, false);
        if (service.pool.has_quorum()) mail_gone(service);
      }
      for (std::size_t e = 0; e < service.in_backend.size(); ++e) remove_entry(service, e);
      tell_listener(service, PoolEvent::What::shutdown);
    }
    services_.clear();
    specs_ = {};
    places_.clear();
  }

  void set_listener(PoolListener listener) { listener_ = std::move(listener); }

  [[nodiscard]] PoolCounts counts() const {
    PoolCounts counts{.pools = services_.size()};
    for (const auto& service : services_) {
      counts.servers += service->spec->servers.size();
      for (std::size_t i = 0; i < service->spec->servers.size(); ++i) counts.servers_up += service->pool.is_up(i);
    }
    return counts;
  }

  [[nodiscard]] std::vector<PoolStatus> status() const {
    std::vector<PoolStatus> all;
    all.reserve(services_.size());
    for (const auto& owned : services_) all.push_back(status_of(*owned));
    return all;
  }

 private:
  // --- virtual servers that come, go and change

  std::unique_ptr<ManagedService> add_pool(const PoolSpec& spec, std::vector<health::CheckerToRun>& run) {
    const bool suspended = suspension_.rests(spec);
    CheckerStates states;
    states.reserve(spec.servers.size());
    for (const RealServerSpec& server : spec.servers) {
      states.begin_server();
      for (const CheckerSetup& checker : server.checkers)
        states.add(new_checker(checker, std::nullopt, suspended, run));
    }
    auto service = std::make_unique<ManagedService>(spec, std::move(states));
    service->suspended = suspended;
    for (std::size_t e = 0; e < spec.services.size(); ++e) {
      service->in_backend[e] = accepted(*service, backend_.add_service(spec.services[e]));
    }
    service->is_served = all_of(service->in_backend);
    carry_out(*service, service->pool.start());
    place_checkers(*service);
    return service;
  }

  // keepalived tells of what goes at a reload, whatever omega says.
  void remove_pool(ManagedService& service, std::vector<health::CheckerId>& end) {
    log_(LogLevel::info, fmt::format("Removing Virtual Server {}", service.name()));
    for (std::size_t i = 0; i < service.spec->servers.size(); ++i) {
      const bool served = service.pool.is_up(i) && !service.pool.sorry_server_serves();
      if (served) log_moved(service, i, false);
      if (service.pool.in_table(i)) remove(service, service.spec->servers[i].destination.key);
      if (served) {
        tell_server(service, i, false);
        mail_gone(service, i, false);
      }
      for (const CheckerState& checker : service.checkers[i]) end_checker(checker, end);
    }
    if (service.sorry_server_in_table) remove(service, service.spec->sorry_server->key);
    if (service.pool.has_quorum()) {
      tell_quorum(service, false);
      if (service.spec->mails_quorum) {
        mail(quorum_alert(service.name(),
                          health::QuorumDown{service.pool.quorum(), service.pool.hysteresis(), 0, false}));
      }
    }
    for (std::size_t e = 0; e < service.in_backend.size(); ++e) remove_entry(service, e);
    tell_listener(service, PoolEvent::What::shutdown);
  }

  void remove_entry(ManagedService& service, std::size_t entry) {
    if (!service.in_backend[entry]) return;
    accepted(service, backend_.remove_service(service.spec->services[entry].key));
    service.in_backend[entry] = false;
  }

  /// What the table should hold of `service`, for an entry that is new, or that the backend has refused so far.
  void add_missing_entries(ManagedService& service) {
    for (std::size_t e = 0; e < service.in_backend.size(); ++e) {
      if (service.in_backend[e]) continue;
      const VirtualServiceSpec& entry = service.spec->services[e];
      if (!accepted(service, backend_.add_service(entry))) continue;
      service.in_backend[e] = true;
      for (std::size_t i = 0; i < service.spec->servers.size(); ++i) {
        if (!service.pool.in_table(i)) continue;
        const auto destination = weighing(service.spec->servers[i].destination, service.pool.table_weight(i));
        accepted(service, backend_.add_destination(entry.key, destination));
      }
      if (service.sorry_server_in_table) {
        const std::uint32_t weight = service.pool.sorry_server_serves() ? 1 : 0;
        accepted(service, backend_.add_destination(entry.key, weighing(*service.spec->sorry_server, weight)));
      }
    }
    service.is_served = all_of(service.in_backend);
  }

  static bool all_of(const std::vector<bool>& flags) {
    return std::find(flags.begin(), flags.end(), false) == flags.end();
  }

  void reload_pool(ManagedService& service, const PoolSpec& next, Checkers& checkers) {
    const PoolSpec& old = *service.spec;
    const std::vector<std::size_t> was = match_servers(old, next);
    service.backend_error.clear();

    health::PoolReload change;
    CheckerStates states = carry_over(service, next, was, checkers);
    change.config = pool_config(next, states);
    for (std::size_t i = 0; i < was.size(); ++i) {
      change.config.servers[i].weight = service.wanted_weight(next.servers[i], std::as_const(states)[i]);
      change.was.push_back(was[i] == not_there ? health::PoolReload::is_new : was[i]);
    }
    change.same_sorry_server = old.sorry_server && next.sorry_server && old.sorry_server->key == next.sorry_server->key;
    log_gone(service, was);
    const health::PoolReloadActions actions = service.pool.reload(change);
    for (const health::Action& action : actions.leaving) {
      if (const auto* server = std::get_if<health::RemoveServer>(&action)) {
        const health::Action down = health::NotifyDown{server->server};
        if (std::ranges::find(actions.leaving, down) != actions.leaving.end())
          log_moved(service, server->server, false);
        remove(service, old.servers[server->server].destination.key);
      } else if (std::holds_alternative<health::RemoveSorryServer>(action)) {
        log_(LogLevel::info,
             fmt::format("Removing sorry server {} from VS {}", service.sorry_server(), service.name()));
        service.sorry_server_in_table = false;
        remove(service, old.sorry_server->key);
      } else {
        carry_out(service, action);
        if (const auto* down = std::get_if<health::NotifyDown>(&action)) mail_gone(service, down->server, false);
      }
    }

    service.in_backend = entries_carried_over(service, next);
    service.is_served = all_of(service.in_backend);
    service.spec = &next;
    service.checkers = std::move(states);
    carry_out(service, actions.staying);
    change_ways(service, old, was, actions.staying);
    follow_address(service, checkers);
    place_checkers(service);
    std::erase_if(service.set_weights, [&](const auto& set) {
      return std::ranges::none_of(next.servers, [&](const auto& each) { return each.destination.key == set.first; });
    });
  }

  /// The states of the new checkers, those of the same ones kept; ends the others.
  CheckerStates carry_over(ManagedService& service, const PoolSpec& next, const std::vector<std::size_t>& was,
                           Checkers& checkers) {
    const PoolSpec& old = *service.spec;
    const bool suspended = suspension_.rests(next);
    CheckerStates states;
    states.reserve(next.servers.size());
    std::vector<bool> stays(old.servers.size());
    for (std::size_t i = 0; i < next.servers.size(); ++i) {
      const auto& setups = next.servers[i].checkers;
      states.begin_server();
      if (was[i] == not_there) {
        for (const CheckerSetup& setup : setups) states.add(new_checker(setup, std::nullopt, suspended, checkers.run));
        continue;
      }
      stays[was[i]] = true;
      const auto& old_setups = old.servers[was[i]].checkers;
      const auto old_states = service.checkers[was[i]];
      std::vector<bool> taken(old_setups.size());
      std::vector<std::optional<CheckerState>> found(setups.size());
      for (std::size_t c = 0; c < setups.size(); ++c) {
        for (std::size_t o = 0; o < old_setups.size() && !found[c]; ++o) {
          if (taken[o] || !is_same_checker(old_setups[o], setups[c])) continue;
          taken[o] = true;
          found[c] = old_states[o];
        }
      }
      for (std::size_t o = 0; o < old_setups.size(); ++o) {
        if (!taken[o]) end_checker(old_states[o], checkers.end);
      }
      // A new checker takes the server to be well, unless that alone would bring a failed server back.
      const bool held_down =
          std::any_of(found.begin(), found.end(), [](const auto& kept) { return kept && !kept->up; });
      const bool starts_up = service.pool.is_up(was[i]) || held_down;
      for (std::size_t c = 0; c < setups.size(); ++c) {
        states.add(found[c] ? std::move(*found[c]) : new_checker(setups[c], starts_up, suspended, checkers.run));
      }
    }
    for (std::size_t o = 0; o < old.servers.size(); ++o) {
      if (stays[o]) continue;
      for (const CheckerState& checker : service.checkers[o]) end_checker(checker, checkers.end);
    }
    return states;
  }

  /// starts_up: what a reload knows; nothing: as the specification says.
  CheckerState new_checker(const CheckerSetup& setup, std::optional<bool> starts_up, bool suspended,
                           std::vector<health::CheckerToRun>& run) {
    const health::CheckerId id = places_.take();
    CheckerState state;
    state.id = id;
    state.up = starts_up.value_or(setup.spec->starts_up);
    state.was_announced = starts_up.has_value() && !*starts_up;
    if (health::is_watched(*setup.spec)) {
      watchers_.add(id, *setup.spec);
      new_watchers_.push_back(id);
      return state;
    }
    run.push_back({id, *setup.spec, suspended});
    run.back().spec.starts_up = state.up;
    return state;
  }

  void end_checker(const CheckerState& checker, std::vector<health::CheckerId>& end) {
    places_.release(checker.id);
    end.push_back(checker.id);
  }

  void place_checkers(ManagedService& service) {
    for (std::size_t i = 0; i < service.checkers.servers(); ++i) {
      for (std::size_t c = 0; c < service.checkers[i].size(); ++c) {
        const CheckerPlace place{&service, std::uint32_t(i), std::uint32_t(c)};
        const bool is_new = places_.put(service.checkers[i][c].id, place);
        // keepalived has no word for a file.
        if (!is_new || !can_rest(service, i, c) || ++activations_ > activation_lines_max) continue;
        log_activity(service, i, service.suspended ? "Deactivating" : "Activating");
      }
    }
  }

  void log_activity(const ManagedService& service, std::size_t server, std::string_view what) {
    log_(LogLevel::info,
         fmt::format("{} healthchecker for service {} for VS {}", what, service.server(server), service.name()));
  }

  /// A track_file is heard whether the address is here or not.
  static bool can_rest(const ManagedService& service, std::size_t server, std::size_t checker) {
    return !std::holds_alternative<health::FileCheckSpec>(service.spec->servers[server].checkers[checker].spec->what);
  }

  /// Its checkers rest, or run again, if that is due now. Those that have no place yet know it already.
  void follow_address(ManagedService& service, Checkers& checkers) {
    const bool rests = suspension_.rests(*service.spec);
    if (std::exchange(service.suspended, rests) == rests) return;
    for (std::size_t i = 0; i < service.checkers.servers(); ++i) {
      for (std::size_t c = 0; c < service.checkers[i].size(); ++c) {
        const CheckerState& state = service.checkers[i][c];
        if (!places_.find(state.id) || !can_rest(service, i, c)) continue;
        log_activity(service, i, rests ? "Suspending" : "Activating");
        (rests ? checkers.suspend : checkers.resume).push_back(state.id);
        // What it has missed.
        if (!rests && health::is_watched(*service.spec->servers[i].checkers[c].spec)) tell_watcher(state.id);
      }
    }
  }

  void log_gone(const ManagedService& service, const std::vector<std::size_t>& was) {
    std::vector<bool> stays(service.spec->servers.size());
    for (const std::size_t i : was) {
      if (i != not_there) stays[i] = true;
    }
    for (std::size_t i = 0; i < stays.size(); ++i) {
      if (!stays[i]) log_(LogLevel::info, fmt::format("service {} no longer exist", service.server(i)));
    }
  }

  /// in_backend for the next list of services; those that are in it and differ are changed there.
  std::vector<bool> entries_carried_over(ManagedService& service, const PoolSpec& next) {
    const auto& old = service.spec->services;
    std::vector<bool> in_backend(next.services.size());
    for (std::size_t e = 0; e < next.services.size(); ++e) {
      const auto same = std::find_if(
          old.begin(), old.end(), [&](const VirtualServiceSpec& entry) { return entry.key == next.services[e].key; });
      if (same == old.end() || !service.in_backend[std::size_t(same - old.begin())]) continue;
      in_backend[e] = true;
      if (*same != next.services[e]) accepted(service, backend_.change_service(next.services[e]));
    }
    return in_backend;
  }

  /// Real servers that stay in the table but are reached in another way, or have other limits.
  void change_ways(ManagedService& service, const PoolSpec& old, const std::vector<std::size_t>& was,
                   const health::Actions& done) {
    std::vector<bool> is_done(was.size());
    bool sorry_is_done = false;
    for (const health::Action& action : done) {
      if (const auto* added = std::get_if<health::AddServer>(&action)) is_done[added->server] = true;
      if (const auto* weighed = std::get_if<health::SetWeight>(&action)) is_done[weighed->server] = true;
      sorry_is_done = sorry_is_done || std::holds_alternative<health::AddSorryServer>(action) ||
                      std::holds_alternative<health::SetSorryServerWeight>(action);
    }
    for (std::size_t i = 0; i < was.size(); ++i) {
      if (was[i] == not_there || is_done[i] || !service.pool.in_table(i)) continue;
      const DestinationSpec& destination = service.spec->servers[i].destination;
      if (is_same_way(old.servers[was[i]].destination, destination)) continue;
      change(service, weighing(destination, service.pool.table_weight(i)));
    }
    if (service.sorry_server_in_table && !sorry_is_done && old.sorry_server &&
        !is_same_way(*old.sorry_server, *service.spec->sorry_server)) {
      change(service, weighing(*service.spec->sorry_server, service.pool.sorry_server_serves() ? 1 : 0));
    }
  }

  void take_out(ManagedService& service, std::size_t index) {
    const bool inhibited = service.spec->servers[index].inhibit_on_failure && !service.pool.is_up(index);
    log_(LogLevel::info, fmt::format("Shutting down {}service {} from VS {}", inhibited ? "(inhibited) " : "",
                                     service.server(index), service.name()));
    if (!service.pool.in_table(index)) return;
    remove(service, service.spec->servers[index].destination.key);
  }

  // --- results of checkers

  /// What it follows says so, if it says anything.
  void tell_watcher(health::CheckerId id) {
    const auto at = places_.find(id);
    if (!at || (at->service->suspended && can_rest(*at->service, at->server, at->checker))) return;
    const health::CheckerSpec& spec = *at->service->spec->servers[at->server].checkers[at->checker].spec;
    const auto says = watchers_.says(spec);
    if (!says) return;
    const auto* file = std::get_if<health::FileCheckSpec>(&spec.what);
    const health::ProbeResult result =
        file != nullptr ? health::file_result(*file, *says) : health::bfd_result(*says != 0);
    const CheckerState& state = at->service->checkers[at->server][at->checker];
    const bool up = result.verdict == health::Verdict::success;
    on_health(
        {.checker = id,
         .verdict = result.verdict,
         .reason = result.reason,
         .outcome = {.up = up, .changed = up != state.up, .first = !state.has_run, .retries = 0, .next_probe = {}},
         .latency = {},
         .ended = std::chrono::steady_clock::now(),
         .weight = result.weight});
  }

  static void remember(CheckerState& state, const health::HealthEvent& event) {
    state.up = event.outcome.up;
    state.has_run = true;
    state.reason = event.reason;
    // What is tolerated changes no weight either.
    if (event.weight && (event.verdict == health::Verdict::success || !event.outcome.up)) state.weight = event.weight;
    state.retries = event.outcome.changed ? 0 : event.outcome.retries;
    state.flaps += event.outcome.changed ? 1 : 0;
    state.latency = event.latency;
    state.last_probe = event.ended;
    state.next_probe = event.ended + event.outcome.next_probe;
  }

  // --- what the pool decides

  void carry_out(ManagedService& service, const health::Actions& actions) {
    for (const health::Action& action : actions) carry_out(service, action);
  }
  void carry_out(ManagedService& service, const health::Action& action) {
    std::visit([&](const auto& one) { carry_out(service, one); }, action);
    tell_listener(service, action);
  }

  void tell_listener(const ManagedService& service, const health::Action& action) const {
    using What = PoolEvent::What;
    if (const auto* server_up = std::get_if<health::NotifyUp>(&action)) {
      tell_listener(service, What::up, server_up->server);
    } else if (const auto* server_down = std::get_if<health::NotifyDown>(&action)) {
      tell_listener(service, What::down, server_down->server);
    } else if (std::holds_alternative<health::QuorumUp>(action)) {
      tell_listener(service, What::up);
    } else if (std::holds_alternative<health::QuorumDown>(action)) {
      tell_listener(service, What::down);
    }
  }
  void tell_listener(const ManagedService& service, PoolEvent::What what,
                     std::optional<std::size_t> server = {}) const {
    if (!listener_.wants || !listener_.wants()) return;
    PoolEvent event{.what = what,
                    .service = service.spec->services.front().key,
                    .protocol = service.spec->protocol,
                    .quorum = service.pool.quorum(),
                    .servers = service.pool.size()};
    if (server) event.server = service.spec->servers[*server].destination.key;
    // "[web]:0"
    if (const std::string& group = service.spec->group; !group.empty())
      event.group = group.substr(1, group.rfind(']') - 1);
    for (std::size_t i = 0; i < service.pool.size(); ++i) event.servers_up += service.pool.is_up(i) ? 1 : 0;
    listener_.tell(event);
  }

  void carry_out(ManagedService& service, const health::AddServer& action) {
    if (action.cause == Cause::health) log_moved(service, action.server, true);
    add(service, weighing(service.spec->servers[action.server].destination, action.weight));
  }

  void carry_out(ManagedService& service, const health::RemoveServer& action) {
    if (action.cause == Cause::health) log_moved(service, action.server, false);
    remove(service, service.spec->servers[action.server].destination.key);
  }

  void carry_out(ManagedService& service, const health::SetWeight& action) {
    if (action.cause == Cause::health) log_inhibited(service, action.server, service.pool.is_up(action.server));
    change(service, weighing(service.spec->servers[action.server].destination, action.weight));
  }

  void carry_out(ManagedService& service, const health::Withheld& action) {
    const bool up = service.pool.is_up(action.server);
    if (service.spec->servers[action.server].inhibit_on_failure) {
      log_inhibited(service, action.server, up);
    } else {
      log_moved(service, action.server, up);
    }
  }

  void log_moved(const ManagedService& service, std::size_t server, bool in) {
    log_(in ? LogLevel::info : LogLevel::warning,
         fmt::format("{} service {} {} VS {}", in ? "Adding" : "Removing", service.server(server), in ? "to" : "from",
                     service.name()));
  }
  void log_inhibited(const ManagedService& service, std::size_t server, bool up) {
    log_(up ? LogLevel::info : LogLevel::warning,
         fmt::format("{} service {} of VS {}", up ? "Enabling" : "Disabling", service.server(server), service.name()));
  }

  void carry_out(ManagedService& service, const health::WeightChanged& action) {
    log_(LogLevel::info,
         fmt::format("Changing weight from {} to {} for {} service {} of VS {}", action.from, action.to,
                     action.server_is_up ? "active" : "inactive", service.server(action.server), service.name()));
  }

  void carry_out(ManagedService& service, const health::AddSorryServer& action) {
    if (action.weight > 0) sorry_server_comes(service);
    service.sorry_server_in_table = true;
    add(service, weighing(*service.spec->sorry_server, action.weight));
  }

  void carry_out(ManagedService& service, const health::RemoveSorryServer&) {
    sorry_server_goes(service);
    service.sorry_server_in_table = false;
    remove(service, service.spec->sorry_server->key);
  }

  void carry_out(ManagedService& service, const health::SetSorryServerWeight& action) {
    if (action.weight > 0) {
      sorry_server_comes(service);
    } else {
      sorry_server_goes(service);
    }
    change(service, weighing(*service.spec->sorry_server, action.weight));
  }

  void carry_out(ManagedService& service, const health::NotifyUp& action) { tell_server(service, action.server, true); }
  void carry_out(ManagedService& service, const health::NotifyDown& action) {
    tell_server(service, action.server, false);
  }

  /// The server's own script, then the FIFOs.
  void tell_server(const ManagedService& service, std::size_t index, bool up) {
    const RealServerSpec& server = service.spec->servers[index];
    run(up ? server.notify_up : server.notify_down);
    if (!write_fifo_) return;
    write_fifo_(fmt::format("RS {} {} {}\n", service.server(index), service.name(), up ? "UP" : "DOWN"));
  }
  void tell_quorum(const ManagedService& service, bool up) {
    run(up ? service.spec->quorum_up : service.spec->quorum_down);
    if (write_fifo_) write_fifo_(fmt::format("VS {} {}\n", service.name(), up ? "UP" : "DOWN"));
  }

  void carry_out(ManagedService& service, const health::QuorumUp& action) {
    log_(LogLevel::info,
         fmt::format("Gained quorum {}+{}={} <= {} for VS {}", action.quorum, action.hysteresis,
                     std::uint64_t{action.quorum} + action.hysteresis, action.weight_sum, service.name()));
    tell_quorum(service, true);
    if (service.spec->mails_quorum) mail(quorum_alert(service.name(), action));
  }

  void carry_out(ManagedService& service, const health::QuorumDown& action) {
    if (action.at_start) {
      log_(LogLevel::warning,
           fmt::format("Starting with quorum down {}-{}={} > {} for VS {}", action.quorum, action.hysteresis,
                       std::uint64_t{action.quorum} + action.hysteresis, action.weight_sum, service.name()));
    } else {
      log_(LogLevel::warning, fmt::format("Lost quorum {}-{}={} > {} for VS {}", action.quorum, action.hysteresis,
                                          action.quorum - action.hysteresis, action.weight_sum, service.name()));
    }
    tell_quorum(service, false);
    if (service.spec->mails_quorum) mail(quorum_alert(service.name(), action));
  }

  void sorry_server_comes(const ManagedService& service) {
    log_(LogLevel::warning,
         fmt::format("{} sorry server {} to VS {}", service.spec->sorry_server_inhibit ? "Enabling" : "Adding",
                     service.sorry_server(), service.name()));
    log_(LogLevel::warning, fmt::format("Removing alive servers from the pool for VS {}", service.name()));
  }

  void sorry_server_goes(const ManagedService& service) {
    log_(LogLevel::info,
         fmt::format("{} sorry server {} from VS {}", service.spec->sorry_server_inhibit ? "Disabling" : "Removing",
                     service.sorry_server(), service.name()));
    log_(LogLevel::info, fmt::format("Adding alive servers to the pool for VS {}", service.name()));
  }

  // --- the backend: every entry of the virtual server that it has taken

  template <typename Do>
  void for_each_entry(ManagedService& service, Do&& todo) {
    for (std::size_t e = 0; e < service.in_backend.size(); ++e) {
      if (service.in_backend[e]) accepted(service, todo(service.spec->services[e].key));
    }
  }
  void add(ManagedService& service, const DestinationSpec& destination) {
    for_each_entry(service, [&](const auto& key) { return backend_.add_destination(key, destination); });
  }
  void change(ManagedService& service, const DestinationSpec& destination) {
    for_each_entry(service, [&](const auto& key) { return backend_.change_destination(key, destination); });
  }
  void remove(ManagedService& service, const DestinationKey& destination) {
    for_each_entry(service, [&](const auto& key) { return backend_.remove_destination(key, destination); });
  }

  bool accepted(ManagedService& service, const Result<>& result) {
    if (result) return true;
    service.backend_error = result.error().text();
    log_(LogLevel::error, fmt::format("{} backend refused a change of VS {}: {}", backend_.name(), service.name(),
                                      service.backend_error));
    return false;
  }

  void run(const net::SharedValue<ScriptSpec>& script) {
    if (!script) return;
    if (const auto started = run_script_(*script); !started) log_(LogLevel::error, started.error().text());
  }

  // --- mail

  void mail(Alert alert) {
    if (mail_) mail_(std::move(alert));
  }

  void mail_checker(const ManagedService& service, const CheckerPlace& at, const health::HealthEvent& event,
                    bool was_up) {
    const RealServerSpec& server = service.spec->servers[at.server];
    const bool is_up = service.pool.is_up(at.server);
    if (server.mails == ServerMails::none || (server.mails == ServerMails::changes && is_up == was_up)) return;
    if (std::holds_alternative<health::FileCheckSpec>(server.checkers[at.checker].spec->what)) return;  // as keepalived
    mail(checker_alert(*server.checkers[at.checker].spec, {service.server(at.server), service.name()}, is_up,
                       event.outcome.up, event.reason));
  }

  void mail_gone(const ManagedService& service, std::size_t index, bool stopping) {
    if (service.spec->servers[index].mails == ServerMails::none) return;
    mail(server_gone_alert({service.server(index), service.name()}, stopping));
  }
  void mail_gone(const ManagedService& service) {
    if (service.spec->mails_quorum) mail(service_gone_alert(service.name()));
  }

  Backend& backend_;
  RunScript run_script_;
  Log log_;
  SendAlert mail_;
  WriteFifo write_fifo_;
  PoolList specs_;
  std::vector<std::unique_ptr<ManagedService>> services_;  // each points to its spec
  CheckerPlaces places_;
  Watchers watchers_;
  Suspension suspension_;
  PoolListener listener_;
  std::vector<health::CheckerId> new_watchers_;  // of this apply(), not told yet
  std::size_t activations_ = 0;                  // in this apply()
};

PoolManager::PoolManager(Backend& backend, RunScript run_script, Log log, SendAlert mail, WriteFifo write_fifo)
    : impl_(std::make_unique<Impl>(backend, std::move(run_script), std::move(log), std::move(mail),
                                   std::move(write_fifo))) {}
PoolManager::~PoolManager() = default;
PoolManager::Checkers PoolManager::apply(PoolList next) { return impl_->apply(std::move(next)); }
std::vector<std::string> PoolManager::preview(const PoolList& next) const { return impl_->preview(next); }
void PoolManager::on_health(const health::HealthEvent& event) { impl_->on_health(event); }
void PoolManager::on_file(const std::string& name, std::int64_t value) {
  impl_->on_watched(Watchers::Kind::file, name, value);
}
void PoolManager::on_session(const std::string& name, bool up) {
  impl_->on_watched(Watchers::Kind::session, name, up ? 1 : 0);
}
PoolManager::Checkers PoolManager::on_address(const net::IpAddr& address, bool is_here) {
  return impl_->on_address(address, is_here);
}
Result<std::string> PoolManager::set_weight(std::string_view virtual_server, std::string_view real_server,
                                            std::optional<std::uint32_t> weight) {
  return impl_->set_weight(virtual_server, real_server, weight);
}
void PoolManager::set_listener(PoolListener listener) { impl_->set_listener(std::move(listener)); }
void PoolManager::stop() { impl_->stop(); }
std::vector<PoolStatus> PoolManager::status() const { return impl_->status(); }
PoolCounts PoolManager::counts() const { return impl_->counts(); }

}  // namespace sluice::control
