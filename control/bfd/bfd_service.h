// BFD as the director sees it: started, reloaded and stopped here. What sessions have to say goes to the vrrp thread at
// once, from the bfd thread, because a fail-over waits for it; and to the control thread, which logs it and hands it to
// whoever else wants to know.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "control/bfd/bfd_settings.h"
#include "control/bfd/bfd_thread.h"
#include "control/config/config.h"
#include "control/vrrp/vrrp_settings.h"

namespace sluice::control {

class BfdService {
 public:
  /// Both are called on the control thread. changed: of sessions that are for checkers; empty: nobody wants to know.
  struct Hooks {
    std::function<void(const BfdLine&)> log;
    std::function<void(const BfdNews&)> changed = {};
  };

  /// The sessions run when this returns. io, the control thread's, outlives it.
  BfdService(boost::asio::io_context& io, const config::Config& config, Hooks hooks);
  /// As stop().
  ~BfdService();
  BfdService(const BfdService&) = delete;
  BfdService& operator=(const BfdService&) = delete;

  void reload(const config::Config& config);
  /// What runs.
  [[nodiscard]] const BfdInstances& instances() const { return instances_; }

  /// What VRRP is to begin with. A session that isn't Up is down, also one that never was: keepalived.
  [[nodiscard]] std::vector<TrackedStatus> tracked() const;
  /// From now on `sink` is called on the bfd thread with every change that is for VRRP, after it was called with all
  /// there is. It must not block. Empty: no longer; when this returns, no call is under way.
  void tell_vrrp(std::function<void(TrackedStatus)> sink);
  /// All there is, once more: after VRRP was given a tracked() that may have been old when it got there.
  void publish();

  /// done is called on the control thread, later.
  void status(std::function<void(BfdStatus)> done);
  void stop();

 private:
  struct Shared;

  boost::asio::io_context& io_;
  BfdInstances instances_;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<BfdThread> thread_;
};

/// The same where BFD doesn't run (--no_bfd): nothing is ever Up.
[[nodiscard]] std::vector<TrackedStatus> tracked_without_bfd(const config::Config& config);

}  // namespace sluice::control
