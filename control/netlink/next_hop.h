// Next hops of watched addresses (real servers, sorry servers): resolved by the kernel's own routes and neighbours,
// kept resolved, and followed. Reads the reflector's mirror, asks the kernel through RouteQuery, decides with
// choose_next_hop(). What is done with a next hop is the backend's work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "control/netlink/reflector.h"
#include "control/netlink/route_decision.h"
#include "net/error.h"

namespace sluice::control::netlink {

/// On the control thread's io_context, as the Reflector it follows, which must outlive it.
///
/// When is something asked again, and how much of it?
///   neighbour event         the watches of this neighbour (index), no request to the kernel
///   route event             the watches within its prefix
///   address removed, link up or down, rule, next-hop object, lost events: all watches, 64 per turn of the loop
///   nothing at all          every watch each 30 s: a learned path MTU comes and goes without an event
/// A neighbour that is REACHABLE or PERMANENT costs nothing. STALE: the kernel is told to probe it at once (it falls
/// stale some 30 s after the last confirmation), and on failure to ask everybody. Absent or FAILED: asked again
/// every second, as the kernel does while packets want to go there.
class NextHopResolver {
 public:
  /// Called whenever a watched address's next hop has changed, and only then; never from within watch() or
  /// unwatch(), both of which it may call. Must not destroy the resolver.
  using Callback = std::function<void(const net::IpAddr& address, const NextHop& next_hop)>;

  static Result<std::unique_ptr<NextHopResolver>> start(Reflector& reflector, Callback on_change);
  ~NextHopResolver();
  NextHopResolver(const NextHopResolver&) = delete;
  NextHopResolver& operator=(const NextHopResolver&) = delete;

  /// Counted: as many unwatch() as watch() end it. A newly watched address is unresolved ("not asked yet") until the
  /// loop's next turn; the first answer comes through the callback.
  void watch(const net::IpAddr& address);
  void unwatch(const net::IpAddr& address);
  /// The latest value; null when not watched. Valid until the loop's next turn.
  [[nodiscard]] const NextHop* find(const net::IpAddr& address) const;

  struct Counters {
    std::size_t watched = 0;
    std::uint64_t route_queries = 0;
    std::uint64_t neighbour_requests = 0;
  };
  [[nodiscard]] Counters counters() const;

 private:
  class Impl;
  explicit NextHopResolver(std::shared_ptr<Impl> impl);

  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::control::netlink
