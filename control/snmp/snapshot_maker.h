// Puts what the control thread has gathered and the configuration together as a Snapshot: finds the pool of each
// virtual server, and keeps readings of counters, of which come rates. One thread: the agent's.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/snmp/snapshot.h"

namespace sluice::control::snmp {

/// What only the control thread can get at, as things stand.
struct Gathered {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const std::map<std::string, std::string>> programs;
  VrrpStatus vrrp;
  std::vector<TrackedStatus> tracked;
  std::vector<PoolStatus> pools;
  std::vector<VirtualServiceStatus> services;
};

/// All interfaces of this network namespace.
[[nodiscard]] std::map<std::string, HostInterface> interfaces_here();

class SnapshotMaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  SnapshotMaker(std::string version, std::string host_name, Time started)
      : version_(std::move(version)), host_name_(std::move(host_name)), started_(started) {}

  [[nodiscard]] std::shared_ptr<const Snapshot> make(Gathered gathered, std::map<std::string, HostInterface> interfaces,
                                                     Time now);

 private:
  /// Readings are renewed as often as snmp_vs_stats_update_interval wants it, and forgotten with what they are of.
  struct Reading {
    TrafficCounters counters;
    Rates rates;
  };
  template <typename Key>
  class Readings {
   public:
    /// Called for everything that there is, between begin() and end().
    Traffic take(const Key& key, const TrafficCounters& now);
    void begin(Time now, std::chrono::steady_clock::duration interval);
    void end();

   private:
    std::map<Key, Reading> kept_, next_;
    Time read_at_{};
    Time now_{};
    bool renews_ = true;
  };

  void join(Snapshot& snapshot, const std::vector<VirtualServiceStatus>& services, Time now);

  std::string version_;
  std::string host_name_;
  Time started_;
  Readings<VirtualServiceKey> services_;
  Readings<std::pair<VirtualServiceKey, DestinationKey>> destinations_;
};

}  // namespace sluice::control::snmp
