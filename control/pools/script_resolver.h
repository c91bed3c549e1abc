// Scripts of a configuration -> scripts that can be run: whose they are, whether they are there, whether somebody else
// could change what they do. What is wrong with the others is kept for the log.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "control/config/config.h"
#include "control/notify/script.h"
#include "net/error.h"
#include "net/shared_value.h"

namespace sluice::control {

/// Reads the host's users and looks at files: for start and reload. One script of ten thousand servers is looked at,
/// and held in memory, once.
class ScriptResolver {
 public:
  /// complaints: gets one per script that can't be run ("script disabled: ..."), or that shouldn't be. Both must
  /// outlive the resolver.
  ScriptResolver(const config::GlobalDefs& global, std::vector<Error>& complaints)
      : global_(global), complaints_(complaints) {}

  /// Null: none was given. Nothing: that, or it can't be run. A script with root's rights that others could change
  /// isn't run under enable_script_security, and only complained of without it, as in keepalived.
  net::SharedValue<ScriptSpec> resolve(const config::Script* script);

 private:
  /// A script as it can be run, if it can, and what there is to complain of.
  struct Looked {
    net::SharedValue<ScriptSpec> spec;
    std::string complaint;
  };
  using Identity = std::tuple<std::vector<std::string>, std::optional<std::string>, std::optional<std::string>>;

  [[nodiscard]] Looked look_at(const config::Script& script) const;
  Result<std::optional<ScriptUser>> user_of(const config::Script& script) const;

  const config::GlobalDefs& global_;
  std::vector<Error>& complaints_;
  std::map<Identity, Looked> looked_;  // by command, user and group
};

}  // namespace sluice::control
