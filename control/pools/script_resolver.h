// Scripts of a configuration -> scripts that can be run: whose they are, whether they are there, whether somebody else
// could change what they do. What is wrong with the others is kept for the log.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/notify/script.h"
#include "net/error.h"

namespace sluice::control {

/// Reads the host's users and looks at files: for start and reload. One script of ten thousand servers is looked at
/// once.
class ScriptResolver {
 public:
  /// complaints: gets one per script that can't be run ("script disabled: ..."), or that shouldn't be. Both must
  /// outlive the resolver.
  ScriptResolver(const config::GlobalDefs& global, std::vector<Error>& complaints)
      : global_(global), complaints_(complaints) {}

  /// Nothing: none was given, or it can't be run. A script with root's rights that others could change isn't run under
  /// enable_script_security, and only complained of without it, as in keepalived.
  std::optional<ScriptSpec> resolve(const std::optional<config::Script>& script);

 private:
  Result<std::optional<ScriptUser>> user_of(const config::Script& script) const;
  const Result<>& security_of(const std::string& path);

  const config::GlobalDefs& global_;
  std::vector<Error>& complaints_;
  std::map<std::string, Result<>> security_;  // by path
};

}  // namespace sluice::control
