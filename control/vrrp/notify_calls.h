// What the outside world is told of a transition, as keepalived tells it: which scripts, with which arguments, and
// which lines for the FIFOs. Pure; who runs and writes them is vrrp_notifier.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/vrrp/vrrp_settings.h"

namespace sluice::control {

struct NotifyCall {
  const config::Script* script;        ///< of the configuration
  std::vector<std::string> arguments;  ///< after the configured ones

  bool operator==(const NotifyCall&) const = default;
};

/// In the order in which they are to start: the state's own script, then the general one. Empty for what is unknown.
[[nodiscard]] std::vector<NotifyCall> notify_calls(const config::Config& config, const VrrpNotice& notice);

/// `INSTANCE "VI_1" MASTER 100\n`. Nothing: the FIFOs don't hear of it (changes of priority, unless asked for).
[[nodiscard]] std::optional<std::string> fifo_line(const config::Config& config, const VrrpNotice& notice);

}  // namespace sluice::control
