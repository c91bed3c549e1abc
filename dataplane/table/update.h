// What control tells a worker: values that change one thing each. An update carries everything the worker will need,
// allocated beforehand; what it replaces travels back inside it, and control frees it.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "dataplane/classify/classifier.h"
#include "dataplane/flow/record.h"
#include "dataplane/flow/tcp_state.h"
#include "dataplane/sched/scheduler.h"
#include "dataplane/table/destination.h"
#include "dataplane/table/service.h"

namespace sluice::dataplane {

/// Adds the service, or puts this list in place of the one it has. Comes back holding the old list and scheduler.
struct SetService {
  std::unique_ptr<const Service> service;
  std::unique_ptr<Scheduler> scheduler;
};

/// The service is gone; its destinations are removed by updates of their own. Comes back holding what it was.
struct RemoveService {
  ServiceId id;
  std::unique_ptr<const Service> service;
  std::unique_ptr<Scheduler> scheduler;
};

struct SetDestination {
  DestinationId id;
  Destination destination;
};

/// Many at once: destinations[i] is of ids[i].
struct SetDestinations {
  static constexpr std::size_t most = 64;  ///< a piece that doesn't keep packets waiting

  std::vector<DestinationId> ids;
  std::vector<Destination> destinations;
};

/// What a worker knows of a port: its MAC is the source of what is sent back to clients.
struct SetPort {
  PortId id;
  net::MacAddr mac;
  std::uint16_t mtu = 1500;  ///< bytes of IPv4 packet
};

/// What gives packets marks; null: nothing does. Comes back holding what did before.
struct SetClassifier {
  std::unique_ptr<const Classifier> classifier;
};

struct SetTimeouts {
  Timeouts timeouts;
};

/// A copy of connections, taken in pieces between bursts: from `next` on, until `room` are there or the table ends
/// (then next is no_flow). `flows` has its capacity reserved by control.
struct DumpFlows {
  FlowIndex next{0};
  std::size_t room = 0;
  std::vector<FlowRecord> flows;
  std::uint32_t now_s = 0;  ///< filled in: the worker's clock at the last record
};

using Update = std::variant<SetService, RemoveService, SetDestination, SetDestinations, SetPort, SetClassifier,
                            SetTimeouts, DumpFlows>;

}  // namespace sluice::dataplane
