// MISC_CHECK: a command's exit status.
#include <fmt/format.h>

#include "control/config/servers/checkers/checkers.h"

namespace sluice::control::config {

namespace {

/// Where 32 bits of microseconds end.
constexpr std::int64_t timeout_max_s = 4294;

using M = MiscCheck;
using F = Field<M>;

/// user may stand before misc_path.
void set_path(Context& context, const Statement& statement, M& check) {
  auto script = read_script(context, statement);
  if (!script) return;
  if (script->user) {
    context.diagnostics.notice(statement.place,
                               "what follows the command of misc_path is ignored, expected 'user "
                               "USER [GROUP]' on a line of its own");
  }
  Script& kept = check.script.ensure();
  kept.argv = std::move(script->argv);
  kept.position = script->position;
}

void set_user(Context& context, const Statement& statement, M& check) {
  const Word* user = soft_argument(context, statement, 1, "USER [GROUP]");
  if (user == nullptr) return;
  Script& script = check.script.ensure();
  script.user = user->text;
  script.group.reset();
  if (statement.words.size() > 2) script.group = statement.words[2].text;
}

void set_timeout(Context& context, const Statement& statement, M& check) {
  if (auto value = read_integer(context, statement, 1, 0, timeout_max_s)) {
    check.timeout.write(std::chrono::seconds(*value));
  }
}

constexpr auto keywords =
    joined(std::to_array<Keyword<M>>({
               F::custom("misc_path", set_path,
                         [](Writer& writer, std::string_view keyword, const M& check) {
                           writer.line(keyword, {plain("", CommandLine{check.script->argv})});
                         }),
               F::custom(
                   "user", set_user,
                   [](Writer& writer, std::string_view keyword, const M& check) {
                     if (!check.script->user) return;
                     std::vector<Arg> args = {plain("user", *check.script->user)};
                     if (check.script->group) args.push_back(plain("group", *check.script->group));
                     writer.line(keyword, args);
                   },
                   3),
               F::custom(
                   "misc_timeout", set_timeout,
                   [](Writer& writer, std::string_view keyword, const M& check) {
                     // What is inherited may have decimals, and is inherited again.
                     if (!check.timeout.written) return;
                     writer.line(keyword, {plain("", std::int64_t{check.timeout.value.count() / 1'000'000})});
                   },
                   2),
               F::flag<&M::dynamic>("misc_dynamic"),
           }),
           timing_keywords<M>);

}  // namespace

void read_misc_check(Context& context, const Statement& statement, RealServer& rs) {
  M check = read_check<M>(context, statement, keywords);
  if (!check.script || check.script->argv.empty()) {
    context.diagnostics.error(statement.place,
                              "MISC_CHECK ignored: it has no command, expected misc_path \"COMMAND "
                              "ARGUMENTS\"");
    return;
  }
  rs.checkers.emplace_back(std::move(check));
}
void write_check(Writer& writer, const M& check) { write_all<M>(writer, keywords, check); }
void list_misc_check(const std::string& block, std::vector<KeywordInfo>& out) { list_all<M>(block, keywords, out); }

}  // namespace sluice::control::config
