// The Backend that forwards in user space: turns changes of services and real servers into updates for the workers and
// entries for the steering program, keeps real servers' next hops current, and adds up the workers' counters.
// Identities (ServiceId, DestinationId) are given out here. Control thread only; never blocks.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/backend/backend.h"
#include "control/backend/chained_index.h"
#include "control/backend/mark_rules.h"
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
  EngineBackend(const EngineBackend&) = delete;
  EngineBackend& operator=(const EngineBackend&) = delete;

  /// What a batch touches goes to the workers at its end, each service and real server once: first the real servers
  /// that come or change, then the services, then the real servers that went. A service that is removed and added again
  /// in one batch is changed. Without a batch each call is one.
  void begin() override { ++batch_depth_; }
  void commit() override;
  Result<> add_service(const VirtualServiceSpec& spec) override;
  Result<> change_service(const VirtualServiceSpec& spec) override;
  Result<> remove_service(const VirtualServiceKey& key) override;
  Result<> add_destination(const VirtualServiceKey& service, const DestinationSpec& spec) override;
  Result<> change_destination(const VirtualServiceKey& service, const DestinationSpec& spec) override;
  Result<> remove_destination(const VirtualServiceKey& service, const DestinationKey& key) override;
  [[nodiscard]] std::vector<VirtualServiceStatus> services() const override;
  [[nodiscard]] std::string name() const override { return "engine"; }

  /// What gives packets their marks from now on; in order, the first that matches decides. Connections of rules that
  /// go are still served for MarkRules::kept_s. Until the first call the steering program keeps what it has.
  Result<> set_classify(std::vector<dataplane::ClassifyRule> rules);

  void next_hop_changed(const net::IpAddr& address, const netlink::NextHop& next_hop);
  void port_changed(const EngineInterface& interface, net::MacAddr mac, std::uint32_t mtu);

  /// At most `limit` connections, handed to `done` from within a later collect().
  void connections(std::size_t limit, std::function<void(ConnectionList)> done);

  /// Frees what the workers have given back, and finishes dumps. Returns whether something is still under way: call it
  /// again soon. Call it now and then in any case: it lets removed real servers go when they have been idle.
  bool collect();

 private:
  static constexpr std::uint32_t trash_idle_s = 120;  ///< as IPVS keeps a removed destination

  /// The way to an address, for all real servers that have it.
  struct Way {
    net::IpAddr address;
    netlink::NextHop next_hop;
    std::uint32_t first = ChainedIndex::none;  ///< DestinationIds, by next_on_way; none: this entry is free
    std::uint32_t next_in_index = ChainedIndex::none;
  };

  // There may be a hundred thousand of these.
  struct DestinationEntry {
    VirtualServiceKey service;
    DestinationSpec spec;
    dataplane::ServiceId service_id{};
    bool is_used = false;   ///< false: the id is free
    bool in_table = false;  ///< false: removed, kept while connections refer to it ("trash")
    bool is_dirty = false;  ///< in dirty_destinations_
    std::uint32_t idle_since_s = 0;
    std::uint32_t way = 0;                           ///< index in ways_
    std::uint32_t next_on_way = ChainedIndex::none;  ///< DestinationId
    std::uint32_t next_in_index = ChainedIndex::none;
  };
  struct ServiceEntry {
    VirtualServiceSpec spec;
    dataplane::ServiceId id{};
    dataplane::SchedulerKind scheduler{};
    bool is_dirty = false;                               ///< in dirty_services_
    bool is_leaving = false;                             ///< removed in this batch
    std::vector<dataplane::DestinationId> destinations;  ///< newest first
    TrafficCounters gone;                                ///< of destinations that were let go
  };

  // How the indices reach into the entries.
  struct ByIdentity {
    EngineBackend& backend;
    [[nodiscard]] std::size_t hash_of(std::uint32_t id) const;
    std::uint32_t& next_of(std::uint32_t id) const { return backend.destinations_[id].next_in_index; }
  };
  struct ByAddress {
    EngineBackend& backend;
    [[nodiscard]] std::size_t hash_of(std::uint32_t way) const { return backend.ways_[way].address.hash(); }
    std::uint32_t& next_of(std::uint32_t way) const { return backend.ways_[way].next_in_index; }
  };
  [[nodiscard]] static std::size_t hash_of(const VirtualServiceKey& service, const DestinationKey& destination);

  struct Dump {
    std::size_t limit = 0;
    std::size_t waiting = 0;
    ConnectionList list;
    std::function<void(ConnectionList)> done;
  };

  template <typename Make>
  void post_all(Make&& make);
  Result<ServiceEntry*> find_service(const VirtualServiceKey& key);
  void touch(ServiceEntry& entry);
  void touch(dataplane::DestinationId id);
  void flush();
  void flush_destinations(bool in_table);
  void flush_services();
  void post_service(const ServiceEntry& entry);
  [[nodiscard]] DestinationEntry& entry_of(dataplane::DestinationId id) { return destinations_[dataplane::index(id)]; }
  [[nodiscard]] const DestinationEntry& entry_of(dataplane::DestinationId id) const {
    return destinations_[dataplane::index(id)];
  }
  /// In the table or in the trash.
  [[nodiscard]] std::optional<dataplane::DestinationId> find(const VirtualServiceKey& service,
                                                             const DestinationKey& key);
  [[nodiscard]] Way* find_way(const net::IpAddr& address);
  Result<> revive(dataplane::DestinationId id, const ServiceEntry& service, const DestinationSpec& spec);
  [[nodiscard]] bool is_taken(std::uint32_t mark) const;
  Result<> steer_service(const VirtualServiceKey& key);
  Result<> steer_marks();
  void post_classifier();
  Result<> steer_replies(const VirtualServiceKey& service, const DestinationKey& destination);
  void stop_steering_replies(const VirtualServiceKey& service, const DestinationKey& destination);
  Result<> change_steering(const DestinationEntry& entry, ForwardingMethod method);
  void put_on_way(dataplane::DestinationId id);
  void take_off_way(dataplane::DestinationId id);
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
  ServiceEntry* last_found_ = nullptr;  ///< changes often come in rows for one service
  std::set<dataplane::ServiceId> free_services_;
  std::uint32_t services_made_ = 0;

  std::deque<DestinationEntry> destinations_;  ///< index: DestinationId
  std::vector<dataplane::DestinationId> free_destinations_;
  ChainedIndex identities_;  ///< by service and address: in the table or in the trash
  /// What an id had counted before it was used again.
  std::unordered_map<dataplane::DestinationId, TrafficCounters> bases_;
  std::deque<Way> ways_;
  std::vector<std::uint32_t> free_ways_;
  ChainedIndex addresses_;  ///< of ways_
  std::set<dataplane::DestinationId> trash_;
  std::uint32_t trash_seen_s_ = 0;  ///< when it was last looked at

  unsigned batch_depth_ = 0;
  std::vector<ServiceEntry*> dirty_services_;
  std::vector<dataplane::DestinationId> dirty_destinations_;

  MarkRules mark_rules_;
  bool has_classify_ = false;  ///< set_classify() was called

  std::vector<std::unique_ptr<Dump>> dumps_;  ///< the first is under way, the others wait their turn
};

}  // namespace sluice::control
