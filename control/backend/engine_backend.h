// The Backend that forwards in user space: turns changes of services and real servers into updates for the workers and
// entries for the steering program, keeps real servers' next hops current, and adds up the workers' counters.
// Identities (ServiceId, DestinationId) are given out here. Control thread only; never blocks.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/backend/backend.h"
#include "control/netlink/route_decision.h"
#include "dataplane/engine.h"
#include "dataplane/port/steer.h"

namespace sluice::control {

/// A port of the engine as control knows it.
struct EngineInterface {
  std::string name;
  int ifindex = 0;
};

/// What the engine backend needs from its surroundings.
struct EngineBackendHooks {
  /// Have next_hop_changed() called for this address from now on, first soon; counted.
  std::function<void(const net::IpAddr&)> watch;
  std::function<void(const net::IpAddr&)> unwatch;
  /// Coarse monotonic seconds.
  std::function<std::uint32_t()> now_s;
};

/// One line of `ipvsadm -Lc`.
struct ConnectionStatus {
  net::Protocol protocol;
  std::string state;
  std::uint32_t expires_s;
  net::Endpoint client;
  net::Endpoint virtual_endpoint;
  net::Endpoint destination;
  std::size_t worker;
};

struct ConnectionList {
  std::vector<ConnectionStatus> connections;
  std::uint64_t total = 0;  ///< in the tables, of all workers
};

class EngineBackend final : public Backend {
 public:
  /// interfaces: index is PortId. steer: null when nothing is to be steered (tests). All outlive the backend.
  EngineBackend(dataplane::Engine& engine, dataplane::Steer* steer, std::vector<EngineInterface> interfaces,
                EngineBackendHooks hooks);

  Result<> add_service(const VirtualServiceSpec& spec) override;
  Result<> change_service(const VirtualServiceSpec& spec) override;
  Result<> remove_service(const VirtualServiceKey& key) override;
  Result<> add_destination(const VirtualServiceKey& service, const DestinationSpec& spec) override;
  Result<> change_destination(const VirtualServiceKey& service, const DestinationSpec& spec) override;
  Result<> remove_destination(const VirtualServiceKey& service, const DestinationKey& key) override;
  [[nodiscard]] std::vector<VirtualServiceStatus> services() const override;
  [[nodiscard]] std::string name() const override { return "engine"; }

  void next_hop_changed(const net::IpAddr& address, const netlink::NextHop& next_hop);
  void port_changed(const EngineInterface& interface, net::MacAddr mac, std::uint32_t mtu);

  /// At most `limit` connections, handed to `done` from within a later collect().
  void connections(std::size_t limit, std::function<void(ConnectionList)> done);

  /// Frees what the workers have given back, and finishes dumps. Returns whether something is still under way: call it
  /// again soon. Call it now and then in any case: it lets removed real servers go when they have been idle.
  bool collect();

 private:
  static constexpr std::uint32_t trash_idle_s = 120;  ///< as IPVS keeps a removed destination

  struct DestinationEntry {
    VirtualServiceKey service;
    DestinationSpec spec;
    dataplane::ServiceId service_id{};
    bool in_table = false;  ///< false: removed, kept while connections refer to it ("trash")
    std::uint32_t idle_since_s = 0;
    netlink::NextHop next_hop;
    TrafficCounters base;  ///< what the id had counted before this entry got it
  };
  struct ServiceEntry {
    VirtualServiceSpec spec;
    dataplane::ServiceId id{};
    dataplane::SchedulerKind scheduler{};
    std::vector<dataplane::DestinationId> destinations;  ///< newest first
    TrafficCounters gone;                                ///< of destinations that were let go
  };
  using DestinationIdentity = std::pair<VirtualServiceKey, DestinationKey>;

  struct Dump {
    std::size_t limit = 0;
    std::size_t waiting = 0;
    ConnectionList list;
    std::function<void(ConnectionList)> done;
  };

  template <typename Make>
  void post_all(Make&& make);
  Result<ServiceEntry*> find_service(const VirtualServiceKey& key);
  void post_service(const ServiceEntry& entry);
  void post_destination(dataplane::DestinationId id);
  [[nodiscard]] dataplane::Destination compile(const DestinationEntry& entry) const;
  [[nodiscard]] std::string next_hop_text(const DestinationEntry& entry) const;
  std::optional<dataplane::DestinationId> take_destination_id();
  [[nodiscard]] TrafficCounters count(dataplane::DestinationId id) const;
  [[nodiscard]] dataplane::Load load(dataplane::DestinationId id) const;
  void take_out(dataplane::DestinationId id);
  void let_go_of_idle();
  void start_dump();
  void finish(std::size_t worker, dataplane::DumpFlows dump);

  dataplane::Engine& engine_;
  dataplane::Steer* steer_;
  std::vector<EngineInterface> interfaces_;
  EngineBackendHooks hooks_;

  std::map<VirtualServiceKey, ServiceEntry> services_;
  std::set<dataplane::ServiceId> free_services_;
  std::uint32_t services_made_ = 0;

  std::vector<std::optional<DestinationEntry>> destinations_;  ///< index: DestinationId; empty: the id is free
  std::vector<dataplane::DestinationId> free_destinations_;
  std::map<DestinationIdentity, dataplane::DestinationId> identities_;  ///< in the table or in the trash
  std::map<net::IpAddr, std::set<dataplane::DestinationId>> by_address_;
  std::set<dataplane::DestinationId> trash_;

  std::vector<std::unique_ptr<Dump>> dumps_;  ///< the first is under way, the others wait their turn
};

}  // namespace sluice::control
