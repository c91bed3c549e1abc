// The seam between the worker and the schedulers. A scheduler object is the state that one service's scheduling has
// on one worker (rr's cursor, sh's table, lblc's cache). Control allocates it together with the Service it was
// compiled for and sends both to the worker; the worker lets the new object take over what the old one remembered
// (adopt), so that an update of one destination changes only what LVS would change. Nothing here allocates on pick().
//
// Arithmetic is that of Linux IPVS (as of 6.1), so that the sequence of choices is the kernel's.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "dataplane/ids.h"
#include "dataplane/table/service.h"
#include "net/address.h"

namespace sluice::dataplane {

/// Live connections of a destination on this worker. Written by the worker only.
struct Load {
  std::uint32_t active = 0;
  std::uint32_t inactive = 0;
  bool overloaded = false;  ///< upper threshold reached: no new connections (IPVS's OVERLOAD flag)
};

/// The worker's loads, indexed by DestinationId.
using Loads = std::span<const Load>;

/// The packet that needs a destination.
struct ScheduleRequest {
  net::Endpoint client;
  net::Endpoint virtual_endpoint;  ///< destination of the packet
  std::uint32_t now_s;             ///< coarse monotonic seconds
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  /// Chooses a destination for a new connection among service.candidates, or none ("no destination available").
  /// service: the one this scheduler was made for. No allocation, bounded by the list's length.
  virtual std::optional<DestinationId> pick(const Service& service, const ScheduleRequest& request, Loads loads) = 0;

  /// Takes over what `old` remembered, when `old_service` became `service` by adding, removing or editing a
  /// destination. `old` is of the same kind. Called by the worker; doesn't allocate beyond what the constructor got.
  virtual void adopt(const Service& service, const Scheduler& old, const Service& old_service) = 0;
};

/// Makes the scheduler of service.scheduler, compiled for this list (as IPVS's init_service on it).
[[nodiscard]] std::unique_ptr<Scheduler> make_scheduler(const Service& service);

/// The name in configuration: "rr", "wlc" ...
[[nodiscard]] std::string_view to_string(SchedulerKind kind);
[[nodiscard]] std::optional<SchedulerKind> scheduler_from_name(std::string_view name);

}  // namespace sluice::dataplane
