// A one-worker director in memory, for golden tests, fuzzing and benches: port 0 faces clients, port 1 the servers,
// port 2 is the host's own stack. It plays control: keeps the services and posts updates as control would.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/port/memory.h"
#include "dataplane/testing/packet_builder.h"
#include "dataplane/worker.h"

namespace sluice::dataplane::testing {

inline constexpr PortId client_side{0}, server_side{1}, host_side{2};

struct DirectorOptions {
  std::size_t connections = 4096;
  std::size_t frames = 512;
  bool with_host_port = true;
  Mapping::Kind flow_memory = Mapping::Kind::private_memory;
  NanoClock clock = nullptr;
};

class Director {
 public:
  explicit Director(DirectorOptions options = {});
  ~Director();

  ServiceId add_service(net::Protocol protocol, net::Endpoint address, SchedulerKind scheduler = SchedulerKind::rr);
  /// Of packets with this mark.
  ServiceId add_service(std::uint32_t mark, SchedulerKind scheduler = SchedulerKind::rr);
  void classify(const std::vector<ClassifyRule>& rules);
  /// Reached through the server side at MAC 02:00:00:00:02:<last byte of the address>, MTU 1500. Newest first in the
  /// list.
  DestinationId add_destination(ServiceId service, net::Endpoint address, ForwardMethod method,
                                std::uint32_t weight = 1);
  /// Changes what the worker knows of a destination.
  void edit(DestinationId id, const std::function<void(Destination&)>& change);
  void set_weight(DestinationId id, std::uint32_t weight);
  void remove_destination(DestinationId id);
  void remove_service(ServiceId id);

  MemoryPort& port(PortId id) { return *ports_[index(id)]; }
  Worker& worker() { return *worker_; }
  MemoryPool& pool() { return pool_; }
  Mailbox& mailbox() { return *mailbox_; }
  std::uint32_t now_s = 1000;

  /// Polls until there is nothing to do.
  void run();
  /// Receives one packet on `port`, runs, and returns everything that was transmitted, by port.
  std::vector<std::pair<PortId, Bytes>> send(PortId port, const Bytes& packet);
  [[nodiscard]] std::uint64_t dropped(DropReason reason) const;

  /// What must hold at rest: counters add up, no frame is lost, the table is whole. Empty, or what is broken.
  [[nodiscard]] std::string broken_law() const;

 private:
  struct KnownService {
    Service service;
    std::vector<DestinationId> destinations;
  };
  ServiceId add_service(const ServiceKey& key, SchedulerKind scheduler);
  void post_service(const Service& service);

  MemoryPool pool_;
  std::vector<std::unique_ptr<MemoryPort>> ports_;
  std::unique_ptr<Mailbox> mailbox_;
  std::unique_ptr<Worker> worker_;
  std::vector<Service> services_;
  std::vector<Destination> destinations_;
};

}  // namespace sluice::dataplane::testing
