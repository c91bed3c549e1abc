// A worker: one thread, one core; its ports, its connections, its view of the services, its counters. What others may
// hold of it is its Mailbox and a WorkerView; never the worker itself.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/counters.h"
#include "dataplane/flow/table.h"
#include "dataplane/packet.h"
#include "dataplane/port/port.h"
#include "dataplane/ring.h"
#include "dataplane/table/mailbox.h"
#include "dataplane/table/service_map.h"

namespace sluice::dataplane {

/// Nanoseconds of a monotonic clock; for measuring, not for timers.
using NanoClock = std::uint64_t (*)();

/// What one worker is given. Everything it points to outlives the worker.
struct WorkerConfig {
  WorkerId id{};
  unsigned workers = 1;
  std::size_t connections = 1u << 20;                         ///< capacity of this worker's connection table
  Mapping::Kind flow_memory = Mapping::Kind::private_memory;  ///< a memfd has no huge pages on most systems
  std::uint64_t hash_seed = 0;  ///< secret; the same on all workers, as it also decides who owns a NAT connection
  std::uint32_t now_s = 0;
  FramePool* pool = nullptr;
  std::vector<Port*> ports;    ///< index: PortId
  PortId host_port = no_port;  ///< the port among them that leads into the host's own stack
  Mailbox* mailbox = nullptr;
  /// Rings to and from each other worker, and their mailboxes (to wake them); index: WorkerId, own entry null.
  std::vector<Ring<Frame>*> hand_out;
  std::vector<Ring<Frame>*> hand_in;
  std::vector<const Mailbox*> peers;
  NanoClock clock = nullptr;  ///< null: engine_ns and port_ns stay 0
};

/// What other threads may read of a worker, relaxed, while it runs. Valid as long as the worker.
struct WorkerView {
  const WorkerCounters* counters;
  std::span<const DestinationCounters> destination_counters;  ///< index: DestinationId
  std::span<const Load> loads;                                ///< index: DestinationId; read with read_load()
};

class Worker {
 public:
  static Result<std::unique_ptr<Worker>> create(WorkerConfig config);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// One turn: updates, one burst from each port and each other worker, some timers. now_s: coarse monotonic seconds.
  /// Returns whether there was anything to do.
  bool poll(std::uint32_t now_s);

  /// The worker's thread is about to sleep for want of work.
  void count_sleep() { counters_.sleeps.add(1); }

  [[nodiscard]] WorkerView view() const;

  /// The connection table, for tests on the worker's thread.
  [[nodiscard]] const FlowTable& flows() const { return flows_; }

 private:
  enum class Direction : std::uint8_t { in, out };

  /// What look-up learns of a packet, step by step.
  struct Lookup {
    FlowHash hash;
    FlowIndex guess;
    Direction direction;
  };

  /// Up to burst_max packets, structure of arrays. `alive` lists those that the next step still sees.
  struct Batch {
    std::array<Frame, burst_max> frames;
    std::array<Packet, burst_max> packets;
    std::array<Lookup, burst_max> lookups;
    std::array<std::uint8_t, burst_max> alive;
    std::size_t count = 0;  // frames received
    std::size_t alive_count = 0;
    bool handed_in = false;  // they came from another worker: this one owns them
  };

  struct TransmitQueue {
    std::array<Frame, burst_max> frames;
    std::size_t count = 0;
  };

  struct ServiceSlot {
    std::unique_ptr<const Service> service;
    std::unique_ptr<Scheduler> scheduler;
  };

  /// What a port needs for sending to it.
  struct PortInfo {
    net::MacAddr mac{};
    std::uint16_t mtu = 1500;
  };

  /// So many a second, and no more.
  struct Limit {
    std::uint32_t per_second;
    std::uint32_t second = 0;
    std::uint32_t used = 0;
    bool take(std::uint32_t now_s) {
      if (second != now_s) second = now_s, used = 0;
      return used++ < per_second;
    }
  };

  Worker(WorkerConfig config, FlowTable flows, ServiceMap map, ProbeTable nat_addresses, Mapping services,
         Mapping destinations, Mapping loads, Mapping counters);

  // The packet's way, in order.
  void process(Batch& batch);
  template <bool has_rules>  // what only classify rules need costs nobody else anything
  void find_buckets(Batch& batch);
  void find_records(Batch& batch);
  void forward_all(Batch& batch);

  // One packet.
  [[nodiscard]] bool is_steady(const FlowRecord& record, const Packet& packet) const;
  [[nodiscard, gnu::always_inline]] bool forward_steady_in(Frame& frame, Packet& packet, const Lookup& lookup);
  [[nodiscard, gnu::always_inline]] bool forward_steady_out(Frame& frame, Packet& packet, const Lookup& lookup);
  [[gnu::noinline]] void forward_in(Frame& frame, Packet& packet, const Lookup& lookup);
  [[gnu::noinline]] void forward_out(Frame& frame, Packet& packet, const Lookup& lookup);
  [[nodiscard]] bool is_from_client(const Frame& frame, const Packet& packet) const;
  void make_room();
  [[nodiscard]] std::optional<ServiceId> find_service(const Frame& frame, const Packet& packet) const;
  FlowIndex open_flow(Frame& frame, Packet& packet, const Lookup& lookup);
  void send_to_destination(Frame& frame, Packet& packet, const FlowRecord& record, const Destination& destination);
  [[gnu::always_inline]] void rewrite_in(Frame& frame, Packet& packet, const FlowRecord& record,
                                         const Destination& destination);
  void send_to_client(Frame& frame, Packet& packet, const FlowRecord& record);
  void pass_to_host(const Frame& frame);
  void pass_error_to_host(const Frame& frame, const Packet& packet);
  void answer(Frame& frame, Packet& packet, net::Ipv4Addr source, std::uint8_t type, std::uint8_t code,
              std::uint16_t mtu, DropReason reason);

  // Connections.
  void advance_state(FlowIndex flow, FlowDirection direction, const Packet& packet);
  void bind(FlowRecord& record);
  void unbind(const FlowRecord& record);
  bool expire(std::size_t budget);

  // Frames leaving.
  void drop(const Frame& frame, DropReason reason);
  [[gnu::always_inline]] void queue(const Frame& frame, PortId port, Counter& counted);
  [[gnu::noinline]] void send_queue(PortId port);
  void hand_over(const Frame& frame, std::size_t owner);

  // Control's updates.
  bool take_updates();
  void apply(SetService& update);
  void apply(RemoveService& update);
  void apply(DestinationId id, const Destination& update);
  std::size_t apply(const SetDestinations& update);
  bool continue_dump();

  void count_nat_address(const Destination& destination, bool comes);

  WorkerConfig config_;
  std::uint32_t now_s_;
  WorkerCounters counters_;
  FlowTable flows_;
  ServiceMap service_map_;
  std::unique_ptr<const Classifier> classifier_;  // null: packets have no marks
  ProbeTable nat_addresses_;                      // address -> destinations that have it and are reached by NAT
  Timeouts timeouts_;
  Limit icmp_limit_{1000};   // as Linux' icmp_msgs_per_sec
  Limit host_limit_{10000};  // a write to the host's stack costs a system call; a flood must not stop forwarding
  std::uint32_t hand_ = 0;  // the record that make_room() looks at next
  std::uint16_t ip_id_ = 0;  // of outer headers that may be fragmented

  // Lazily mapped arrays, zero at first; the spans index them. ServiceSlot is two null pointers when zero.
  Mapping service_memory_, destination_memory_, load_memory_, counter_memory_;
  std::span<ServiceSlot> services_;
  std::span<Destination> destinations_;
  std::span<Load> loads_;
  std::span<DestinationCounters> destination_counters_;

  std::vector<PortInfo> port_infos_;
  std::vector<TransmitQueue> transmit_queues_;
  std::array<Frame, burst_max> to_release_;
  std::size_t to_release_count_ = 0;
  std::bitset<ports_max> handed_over_to_;  // workers to wake after this burst
  Batch batch_;
  Update* dump_ = nullptr;  // a DumpFlows in progress
};

}  // namespace sluice::dataplane
