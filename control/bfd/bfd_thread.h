// The thread that runs every BFD session. It is asked by messages and answers by messages; when it may, it has
// real-time priority, because who answers late is taken for dead.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "control/bfd/bfd_sessions.h"
#include "control/bfd/bfd_settings.h"

namespace sluice::control {

struct BfdThreadOptions {
  /// Of SCHED_RR; nothing: the lowest there is. Without the right to it, normal scheduling and a line in the log.
  std::optional<unsigned> realtime_priority;
};

class BfdThread {
 public:
  /// Starts the thread and waits until the sessions run. The hooks are called on it.
  BfdThread(BfdInstances instances, BfdHooks hooks, BfdThreadOptions options);
  /// As stop().
  ~BfdThread();
  BfdThread(const BfdThread&) = delete;
  BfdThread& operator=(const BfdThread&) = delete;

  void reload(BfdInstances instances);
  /// Every session's state goes to the hook `changed`.
  void publish();
  /// done is called on the bfd thread: it posts.
  void status(std::function<void(BfdStatus)> done);
  /// Tells all neighbors (AdminDown), then ends the thread.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::control
