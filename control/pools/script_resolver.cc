#include "control/pools/script_resolver.h"

#include <fmt/format.h>

#include <utility>

#include "control/notify/script_security.h"

namespace sluice::control {

namespace {

/// keepalived runs scripts as this user where it exists and nobody else is named.
constexpr const char* default_script_user = "keepalived_script";

}  // namespace

net::SharedValue<ScriptSpec> ScriptResolver::resolve(const config::Script* script) {
  if (script == nullptr) return {};
  const auto [known, is_new] = looked_.try_emplace({script->argv, script->user, script->group});
  Looked& looked = known->second;
  if (is_new) looked = look_at(*script);
  if (!looked.complaint.empty()) complaints_.push_back({script->position.text(), looked.complaint});
  return looked.spec;
}

ScriptResolver::Looked ScriptResolver::look_at(const config::Script& script) const {
  ScriptSpec spec{.argv = script.argv};
  auto user = user_of(script);
  const Result<> runnable = user ? check_script(spec) : std::unexpected(user.error());
  if (!runnable) return {{}, fmt::format("script disabled: {}", runnable.error().text())};
  spec.user = std::move(*user);
  if (!runs_with_privileges(spec)) return {std::move(spec), ""};
  const Result<> safe = check_script_security(spec.argv.front());
  if (safe) return {std::move(spec), ""};
  if (global_.enable_script_security) {
    return {{}, fmt::format("script disabled: unsafe to run as root, because {}", safe.error().text())};
  }
  std::string warning =
      fmt::format("script {} is run as root though others could change it: {}; enable_script_security would disable it",
                  spec.argv.front(), safe.error().text());
  return {std::move(spec), std::move(warning)};
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

}  // namespace sluice::control
