// The thread that runs every virtual router. It is asked by messages and answers by messages; when it may, it has
// real-time priority, because an advertisement that is late costs the address.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "control/vrrp/virtual_routers.h"
#include "control/vrrp/vrrp_settings.h"
#include "net/error.h"

namespace sluice::control {

struct VrrpThreadOptions {
  /// Of SCHED_RR; nothing: the lowest there is. Without the right to it, normal scheduling and a line in the log.
  std::optional<unsigned> realtime_priority;
};

class VrrpThread {
 public:
  /// Starts the thread and waits until the instances run. The hooks are called on it.
  static Result<std::unique_ptr<VrrpThread>> start(VrrpSettings settings, VrrpHooks hooks, VrrpThreadOptions options);
  /// As stop().
  ~VrrpThread();
  VrrpThread(const VrrpThread&) = delete;
  VrrpThread& operator=(const VrrpThread&) = delete;

  void reload(VrrpSettings settings);
  void on_tracked(TrackedStatus status);
  /// done is called on the vrrp thread: it posts.
  void status(std::function<void(VrrpStatus)> done);
  /// Gives up all addresses, then ends the thread; notices of it come before this returns.
  void stop();

 private:
  class Impl;
  explicit VrrpThread(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::control
