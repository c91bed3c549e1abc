// From the configuration's classify rules to the engine's: names of interfaces become ports and VLAN tags. What the
// engine can't do is left out and said. Pure; the links are read from the mirror.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "control/backend/engine_backend.h"
#include "control/config/model/dataplane.h"
#include "control/netlink/mirror.h"
#include "dataplane/classify/rule.h"
#include "net/error.h"

namespace sluice::control {

struct ClassifyRules {
  std::vector<dataplane::ClassifyRule> rules;  ///< in the same order
  std::vector<Error> complaints;               ///< rules that were left out, and why
};

/// interfaces: the engine's; index is PortId. An interface of a rule may also be a VLAN on one of them.
[[nodiscard]] ClassifyRules classify_rules(std::span<const config::Classify> rules,
                                           std::span<const EngineInterface> interfaces, const netlink::Mirror& mirror);

/// What differs, a line for each rule that went ("- classify ...") or came ("+ classify ...").
[[nodiscard]] std::vector<std::string> classify_changes(std::span<const config::Classify> old,
                                                        std::span<const config::Classify> next);

}  // namespace sluice::control
