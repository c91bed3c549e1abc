// The reflector: keeps a Mirror equal to the current network namespace's links, addresses and neighbours, and tells
// listeners what changed, routes included. It reads the kernel's events on the control thread's io_context; when the
// kernel had to drop some, it asks for everything again. It never changes anything in the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "control/netlink/mirror.h"
#include "control/netlink/objects.h"
#include "net/error.h"

namespace boost::asio {
class io_context;
}

namespace sluice::control::netlink {

/// What a part of control wants to hear of; leave out the rest. Called on the control thread, after the mirror has
/// changed, once per effective change. May subscribe, unsubscribe and read the mirror; must not destroy the Reflector.
struct Listener {
  std::function<void(const Link&)> link_changed;  ///< also: appeared
  std::function<void(const Link&)> link_removed;  ///< as it was last
  std::function<void(const InterfaceAddress&)> address_added;
  std::function<void(const InterfaceAddress&)> address_removed;
  std::function<void(const Neighbour&)> neighbour_changed;  ///< state 0: removed
  std::function<void(const Prefix&)> route_changed;         ///< appeared, changed or went
  /// Any route decision may differ: rules changed, or events were lost (what was missed in the mirror itself has
  /// been told by the other functions before).
  std::function<void()> routing_changed;
};

/// Hears until it is destroyed. May outlive the Reflector.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}

 private:
  std::shared_ptr<Listener> listener_;
};

struct ReflectorOptions {
  /// Room for events that the kernel queues while control is busy: some 5000 at 4 MiB.
  std::size_t receive_buffer_bytes = 4u << 20;
};

class Reflector {
 public:
  struct Counters {
    std::uint64_t overruns = 0;  ///< how often the kernel dropped events
    std::uint64_t resyncs = 0;   ///< how often everything was read, the start included
  };

  /// Reads everything once (some milliseconds; waits for the kernel), then follows on `io`, which must outlive it.
  static Result<std::unique_ptr<Reflector>> start(boost::asio::io_context& io, ReflectorOptions options = {});
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  [[nodiscard]] const Mirror& mirror() const;
  [[nodiscard]] boost::asio::io_context& io() const;
  [[nodiscard]] Counters counters() const;
  [[nodiscard]] Subscription subscribe(Listener listener);

  /// Takes in what the kernel has told already, the effects of changes that it has acknowledged among it, instead of
  /// waiting for its turn on `io`. Tells the listeners; not to be called by one of them.
  void catch_up();

  /// Short forms of the mirror's answers. Pointers are valid until the next event is read.
  [[nodiscard]] bool is_local(const net::IpAddr& address) const { return mirror().is_local(address); }
  [[nodiscard]] const Link* link(int ifindex) const { return mirror().link(ifindex); }
  [[nodiscard]] const Link* link(std::string_view name) const { return mirror().link(name); }
  [[nodiscard]] const Link* link_with(const net::IpAddr& address) const { return mirror().link_with(address); }

 private:
  class Impl;
  explicit Reflector(std::shared_ptr<Impl> impl);

  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::control::netlink
