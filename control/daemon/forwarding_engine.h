// The engine with everything it stands on, put together for this host: steering program, AF_XDP ports, TUN device,
// workers, next hops, and the backend that control drives. Opened when there are virtual servers to serve; otherwise
// nothing of it exists.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "control/backend/engine_backend.h"
#include "control/config/config.h"
#include "control/daemon/engine_lock.h"
#include "control/netlink/next_hop.h"
#include "control/netlink/reflector.h"
#include "control/pools/pool_spec.h"
#include "dataplane/engine.h"
#include "dataplane/port/steer.h"
#include "net/error.h"

namespace sluice::control {

/// Control thread only.
class ForwardingEngine {
 public:
  /// reflector must outlive it. Errors name what to do. The workers run when this returns.
  static Result<std::unique_ptr<ForwardingEngine>> open(const config::Config& config, netlink::Reflector& reflector,
                                                        const dataplane::Log& log);
  /// Stops the workers, closes the ports, takes the steering program off the interfaces.
  ~ForwardingEngine();
  ForwardingEngine(const ForwardingEngine&) = delete;
  ForwardingEngine& operator=(const ForwardingEngine&) = delete;

  [[nodiscard]] EngineBackend& backend() { return *backend_; }
  [[nodiscard]] const dataplane::Engine& engine() const { return *engine_; }
  [[nodiscard]] dataplane::SteerCounters steer_counters() const { return steer_->counters(); }

  /// Interfaces that carry one of these services' addresses and aren't the engine's: it was opened without them.
  [[nodiscard]] std::vector<std::string> interfaces_missing(std::span<const PoolSpec> pools) const;

  /// What gives packets their marks from now on; the services are there already. Interfaces that rules name are looked
  /// for again when links change.
  Result<> set_classify(std::vector<config::Classify> rules);
  /// Rules that can't be followed as things are.
  [[nodiscard]] std::vector<Error> classify_complaints(std::span<const config::Classify> rules) const;

 private:
  ForwardingEngine(netlink::Reflector& reflector, EngineLock lock) : lock_(std::move(lock)), reflector_(reflector) {}
  Result<> load_steer(const config::Config& config, const dataplane::Log& log);
  Result<> open_ports(const config::Config& config, const std::vector<std::string>& interfaces,
                      const dataplane::Log& log);
  Result<> follow_network(const dataplane::Log& log);
  void take_next_hop(const net::IpAddr& address, const netlink::NextHop& next_hop, const dataplane::Log& log);
  [[nodiscard]] bool has_interface(int ifindex) const;
  Result<> look_at_mac(const netlink::Link& link);
  Result<> load_classify(const config::Config& config, const std::vector<std::string>& interfaces);
  Result<> apply_classify();

  // Destroyed from the last to the first.
  EngineLock lock_;
  netlink::Reflector& reflector_;
  std::unique_ptr<dataplane::Steer> steer_;
  std::vector<EngineInterface> interfaces_;
  std::unique_ptr<dataplane::Engine> engine_;
  std::unique_ptr<EngineBackend> backend_;
  std::unique_ptr<netlink::NextHopResolver> resolver_;
  netlink::Subscription subscription_;
  std::optional<std::vector<config::Classify>> classify_;  // nothing: not set so far
  std::set<int> told_of_;  // interfaces that real servers are reached over and the engine doesn't have
};

}  // namespace sluice::control
