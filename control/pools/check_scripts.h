// MISC_CHECK's scripts: asked for by the health thread, run by the control thread, which alone handles processes. A
// runner of their own, so that checks that hang don't keep notify scripts from running.
#pragma once

#include <memory>

#include "control/notify/script.h"
#include "health/script.h"

namespace sluice::control {

/// Control thread only, but for what runner() gives.
class CheckScripts {
 public:
  /// io, the control thread's, must outlive it.
  explicit CheckScripts(boost::asio::io_context& io);
  /// As ~ScriptRunner: ends what runs. The health thread should be gone by then.
  ~CheckScripts();
  CheckScripts(const CheckScripts&) = delete;
  CheckScripts& operator=(const CheckScripts&) = delete;

  /// For health::HealthOptions: may be called from any thread while io lives; once this is gone it does nothing.
  [[nodiscard]] health::RunScript runner();

 private:
  class Impl;
  boost::asio::io_context& io_;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::control
