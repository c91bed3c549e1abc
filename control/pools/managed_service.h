// What the pool manager keeps of each virtual server and its checkers, and how it finds them. Bookkeeping: what is done
// with it stands in pool_manager.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "control/pools/pool_manager.h"
#include "control/pools/service_name.h"
#include "health/pool.h"

namespace sluice::control {

/// What is known of a checker; CheckerStatus without what its specification says.
struct CheckerState {
  health::CheckerId id{};
  bool up = true;
  bool has_run = false;
  bool was_announced = false;  ///< its server was down before it came: a first failure is no news
  std::uint32_t retries = 0;
  std::uint64_t flaps = 0;
  std::chrono::microseconds latency{0};
  std::chrono::steady_clock::time_point last_probe;
  std::chrono::steady_clock::time_point next_probe;
  std::string reason;
  std::optional<health::WeightReport> weight;  ///< what it last said of its server's
};

/// The configured weight, and what the server's checkers say of it.
[[nodiscard]] inline std::uint32_t weight_of(const RealServerSpec& server, std::span<const CheckerState> checkers) {
  std::vector<health::WeightReport> reports;
  for (const CheckerState& checker : checkers) {
    if (checker.weight) reports.push_back(*checker.weight);
  }
  return health::effective_weight(server.destination.weight, reports);
}

/// By server, then as in its spec; in one piece, as there may be a hundred thousand.
class CheckerStates {
 public:
  /// The states of the next server follow by add().
  void begin_server() { ends_.push_back(ends_.empty() ? 0 : ends_.back()); }
  void add(CheckerState state) {
    states_.push_back(std::move(state));
    ++ends_.back();
  }
  void reserve(std::size_t servers) {
    ends_.reserve(servers);
    states_.reserve(servers);
  }
  [[nodiscard]] std::size_t servers() const { return ends_.size(); }
  std::span<CheckerState> operator[](std::size_t server) {
    return std::span(states_).subspan(begin(server), size(server));
  }
  std::span<const CheckerState> operator[](std::size_t server) const {
    return std::span(states_).subspan(begin(server), size(server));
  }

 private:
  [[nodiscard]] std::size_t begin(std::size_t server) const { return server == 0 ? 0 : ends_[server - 1]; }
  [[nodiscard]] std::size_t size(std::size_t server) const { return ends_[server] - begin(server); }

  std::vector<CheckerState> states_;
  std::vector<std::uint32_t> ends_;
};

[[nodiscard]] inline health::PoolConfig pool_config(const PoolSpec& spec, const CheckerStates& checkers) {
  health::PoolConfig config;
  config.servers.reserve(spec.servers.size());
  for (std::size_t i = 0; i < spec.servers.size(); ++i) {
    const RealServerSpec& server = spec.servers[i];
    health::PoolServer one{server.destination.weight, server.inhibit_on_failure, {}};
    for (const CheckerState& checker : checkers[i]) one.checkers_up.push_back(checker.up);
    config.servers.push_back(std::move(one));
  }
  config.quorum = spec.quorum;
  config.hysteresis = spec.hysteresis;
  config.has_sorry_server = spec.sorry_server.has_value();
  config.notify_up_at_start = spec.notify_up_at_start;
  config.sorry_server_inhibit = spec.sorry_server_inhibit;
  return config;
}

[[nodiscard]] inline DestinationSpec weighing(DestinationSpec destination, std::uint32_t weight) {
  destination.weight = weight;
  return destination;
}

/// The same but for the weight, which the pool decides on.
[[nodiscard]] inline bool is_same_way(const DestinationSpec& a, const DestinationSpec& b) {
  return weighing(a, b.weight) == b;
}

/// A virtual server that is managed.
struct ManagedService {
  ManagedService(const PoolSpec& from, CheckerStates states)
      : spec(&from), checkers(std::move(states)), pool(pool_config(from, checkers)), in_backend(from.services.size()) {}

  [[nodiscard]] std::string name() const { return pool_name(*spec); }
  [[nodiscard]] std::string server(std::size_t index) const {
    return server_name(spec->servers[index].destination.key, spec->protocol);
  }
  [[nodiscard]] std::string sorry_server() const { return server_name(spec->sorry_server->key, spec->protocol); }

  /// What an operator has set for it.
  [[nodiscard]] std::optional<std::uint32_t> set_weight(const DestinationKey& server) const {
    const auto set = set_weights.find(server);
    return set == set_weights.end() ? std::nullopt : std::optional(set->second);
  }
  /// That, or else what configuration and checkers make of it.
  [[nodiscard]] std::uint32_t wanted_weight(const RealServerSpec& server, std::span<const CheckerState> states) const {
    const auto set = set_weight(server.destination.key);
    return set ? *set : weight_of(server, states);
  }
  [[nodiscard]] std::uint32_t wanted_weight(std::size_t index) const {
    return wanted_weight(spec->servers[index], checkers[index]);
  }

  const PoolSpec* spec;
  CheckerStates checkers;
  health::Pool pool;
  std::vector<bool> in_backend;  // by spec->services
  bool is_served = false;        // all of in_backend
  bool suspended = false;        // ha_suspend: its checkers rest
  bool sorry_server_in_table = false;
  std::map<DestinationKey, std::uint32_t> set_weights;  // by an operator, until undone
  std::string backend_error;
};

/// Which checker an id stands for.
struct CheckerPlace {
  ManagedService* service = nullptr;  ///< none yet, or no longer
  std::uint32_t server = 0;
  std::uint32_t checker = 0;
};

/// Hands ids out, and finds what they stand for. An id is a slot, which is used again, and how often that was used, so
/// that no id comes twice.
class CheckerPlaces {
 public:
  health::CheckerId take() {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    return health::CheckerId{(std::uint64_t{slots_[slot].uses} << 32) | slot};
  }
  void release(health::CheckerId id) {
    Slot& slot = slots_[index(id)];
    slot.place = {};
    ++slot.uses;
    free_.push_back(index(id));
  }
  /// Returns whether it had no place before.
  bool put(health::CheckerId id, CheckerPlace place) {
    return std::exchange(slots_[index(id)].place, place).service == nullptr;
  }
  [[nodiscard]] std::optional<CheckerPlace> find(health::CheckerId id) const {
    if (index(id) >= slots_.size()) return std::nullopt;
    const Slot& slot = slots_[index(id)];
    if (slot.uses != std::uint64_t(id) >> 32 || slot.place.service == nullptr) return std::nullopt;
    return slot.place;
  }
  void clear() { *this = {}; }

 private:
  struct Slot {
    CheckerPlace place;
    std::uint32_t uses = 0;
  };
  static std::uint32_t index(health::CheckerId id) { return static_cast<std::uint32_t>(std::uint64_t(id)); }

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

/// For the API.
[[nodiscard]] PoolStatus status_of(const ManagedService& service);

}  // namespace sluice::control
