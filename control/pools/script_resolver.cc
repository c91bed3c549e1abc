#include "control/pools/script_resolver.h"

#include <fmt/format.h>

#include <utility>

#include "control/notify/script_security.h"

namespace sluice::control {

namespace {

/// keepalived runs scripts as this user where it exists and nobody else is named.
constexpr const char* default_script_user = "keepalived_script";

}  // namespace

std::optional<ScriptSpec> ScriptResolver::resolve(const std::optional<config::Script>& script) {
  if (!script) return std::nullopt;
  const auto complain = [&](std::string what) { complaints_.push_back({script->position.text(), std::move(what)}); };
  ScriptSpec spec{.argv = script->argv};
  auto user = user_of(*script);
  const Result<> runnable = user ? check_script(spec) : std::unexpected(user.error());
  if (!runnable) {
    complain(fmt::format("script disabled: {}", runnable.error().text()));
    return std::nullopt;
  }
  spec.user = std::move(*user);
  if (!runs_with_privileges(spec)) return spec;
  const Result<>& safe = security_of(spec.argv.front());
  if (safe) return spec;
  if (global_.enable_script_security) {
    complain(fmt::format("script disabled: unsafe to run as root, because {}", safe.error().text()));
    return std::nullopt;
  }
  complain(
      fmt::format("script {} is run as root though others could change it: {}; enable_script_security would disable it",
                  spec.argv.front(), safe.error().text()));
  return spec;
}

/// Nothing: the daemon's own user.
Result<std::optional<ScriptUser>> ScriptResolver::user_of(const config::Script& script) const {
  const auto& name = script.user ? script.user : global_.script_user;
  const auto& group = script.user ? script.group : global_.script_group;
  auto user = find_script_user(name.value_or(default_script_user), name ? group : std::nullopt);
  if (user) return std::move(*user);
  if (name || global_.enable_script_security) return std::unexpected(user.error());
  return std::nullopt;
}

const Result<>& ScriptResolver::security_of(const std::string& path) {
  const auto found = security_.find(path);
  if (found != security_.end()) return found->second;
  return security_.emplace(path, check_script_security(path)).first->second;
}

}  // namespace sluice::control
