// Plays LVS around one scheduler, for tests: destinations named 'A'..'Z' join at the list's head, change and leave one
// at a time; connections come, become inactive, end. Counts and upper thresholds follow IPVS (connections of a removed
// destination stay, and it comes back with them). What is expected stays with the tests.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane::test {

/// Connections of a destination, upper and lower; 0: none.
struct Thresholds {
  std::uint32_t upper = 0;
  std::uint32_t lower = 0;
};

inline constexpr char nobody = '-';

class Bench {
 public:
  /// options: fills in what configuration says besides the kind (sh_port, sh_fallback).
  explicit Bench(SchedulerKind kind, Service options = {}) : service_(std::move(options)), loads_(ids) {
    service_.scheduler = kind;
    service_.candidates.clear();
    scheduler_ = make_scheduler(service_);
  }
  /// One after the other, each with its weight: {{'A', 3}, {'B', 2}}.
  Bench(SchedulerKind kind, const std::vector<std::pair<char, std::uint32_t>>& servers, Service options = {})
      : Bench(kind, std::move(options)) {
    for (const auto& [name, weight] : servers) add(name, weight);
  }

  void add(char name, std::uint32_t weight = 1, Thresholds thresholds = {}) {
    set_thresholds(name, thresholds);
    Service next = service_;
    next.candidates.insert(next.candidates.begin(), Candidate{id_of(name), weight});
    become(std::move(next));
  }
  void edit(char name, std::uint32_t weight, Thresholds thresholds = {}) {
    set_thresholds(name, thresholds);
    Service next = service_;
    std::ranges::find(next.candidates, id_of(name), &Candidate::destination)->weight = weight;
    become(std::move(next));
  }
  void remove(char name) {
    Service next = service_;
    std::erase_if(next.candidates, [&](const Candidate& candidate) { return candidate.destination == id_of(name); });
    become(std::move(next));
  }

  /// A new connection, active from now on; its number is how many succeeded before. Returns its server or nobody.
  char connect(net::Endpoint client = {net::Ipv4Addr::of(10, 0, 1, 1), net::L4Port::of(30000)},
               net::Ipv4Addr to = net::Ipv4Addr::of(10, 0, 0, 1)) {
    const auto chosen = scheduler_->pick(service_, {client, {to, net::L4Port::of(80)}, now_s}, loads_);
    if (!chosen.has_value()) return nobody;
    const char name = name_of(*chosen);
    connections_.push_back(name);
    Load& load = loads_[index(*chosen)];
    load.active += 1;
    const Thresholds limit = thresholds_of(name);
    if (limit.upper != 0 && load.active + load.inactive >= limit.upper) load.overloaded = true;
    return name;
  }
  /// The servers of so many connections in a row, as one word.
  std::string connect_times(std::size_t times) {
    std::string servers;
    for (std::size_t i = 0; i < times; ++i) servers += connect();
    return servers;
  }
  /// The connection turns inactive (FIN seen).
  void finish(std::size_t connection) {
    Load& load = loads_[index(id_of(connections_[connection]))];
    load.active -= 1;
    load.inactive += 1;
  }
  /// An inactive connection's time is over.
  void end(std::size_t connection) {
    const char name = connections_[connection];
    Load& load = loads_[index(id_of(name))];
    load.inactive -= 1;
    const std::uint64_t left = std::uint64_t{load.active} + load.inactive;
    const Thresholds limit = thresholds_of(name);
    const bool stays = limit.lower != 0 ? left >= limit.lower : limit.upper != 0 && 4 * left >= 3 * limit.upper;
    if (!stays) load.overloaded = false;
  }

  [[nodiscard]] const Service& service() const { return service_; }
  [[nodiscard]] Loads loads() const { return loads_; }
  [[nodiscard]] Load& load(char name) { return loads_[index(id_of(name))]; }
  [[nodiscard]] char server_of(std::size_t connection) const { return connections_[connection]; }
  [[nodiscard]] bool has(char name) const {
    return std::ranges::find(service_.candidates, id_of(name), &Candidate::destination) != service_.candidates.end();
  }
  [[nodiscard]] static char name_of(DestinationId id) { return static_cast<char>('Z' - (index(id) - 5) / 3); }
  /// Neither dense nor in list order, so that an id taken for a position shows.
  [[nodiscard]] static DestinationId id_of(char name) {
    return DestinationId(5 + 3 * static_cast<unsigned>('Z' - name));
  }

  std::uint32_t now_s = 1000;

 private:
  static constexpr std::size_t ids = 5 + 3 * 26;

  [[nodiscard]] Thresholds& thresholds_of(char name) { return thresholds_[static_cast<std::size_t>(name - 'A')]; }

  void set_thresholds(char name, Thresholds thresholds) {
    if (thresholds.upper == 0 || thresholds.upper > thresholds_of(name).upper) load(name).overloaded = false;
    thresholds_of(name) = thresholds;
  }

  void become(Service next) {
    auto scheduler = make_scheduler(next);
    scheduler->adopt(next, *scheduler_, service_);
    service_ = std::move(next);
    scheduler_ = std::move(scheduler);
  }

  Service service_;
  std::unique_ptr<Scheduler> scheduler_;
  std::vector<Load> loads_;  // by DestinationId
  std::array<Thresholds, 26> thresholds_{};
  std::vector<char> connections_;
};

/// What a table row calls "C B A": its letters only.
inline std::string letters(std::string_view row) {
  std::string result;
  std::ranges::copy_if(row, std::back_inserter(result), [](char c) { return c != ' ' && c != '/'; });
  return result;
}

}  // namespace sluice::dataplane::test
