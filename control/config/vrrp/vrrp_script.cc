// vrrp_script: a command whose exit status counts in elections.
#include <algorithm>
#include <array>

#include "control/config/vrrp/block.h"

namespace sluice::control::config {

namespace {

/// keepalived's, in seconds; 2.2.7 takes whole seconds only, later ones thousandths.
constexpr Duration period_max = std::chrono::seconds(4294);

struct ScriptDraft {
  VrrpScript block;
  std::optional<Duration> timeout;
  std::optional<std::string> user;
  std::optional<std::string> group;
};
using S = ScriptDraft;
using F = Field<S>;

/// A later line takes the place of an earlier one, as in keepalived.
void read_command(Context& context, const Statement& statement, S& draft) {
  auto script = read_script(context, statement);
  if (!script) return;
  draft.block.readable_file.clear();
  draft.block.script = std::move(*script);
  const std::vector<std::string>& argv = draft.block.script.argv;
  if (!argv.front().starts_with('<')) return;
  // "</PATH": no command.
  context.scripts.pop_back();
  draft.block.readable_file = argv.front() == "<" && argv.size() > 1 ? argv[1] : argv.front().substr(1);
  draft.block.script.argv.clear();
}

void write_command(Writer& writer, std::string_view keyword, const S& draft) {
  if (draft.block.readable_file.empty()) {
    writer.line(keyword, {plain("command", CommandLine{draft.block.script.argv})});
  } else {
    writer.line(keyword, {plain("command", CommandLine{{"<" + draft.block.readable_file}})});
  }
}

/// Decimal seconds; 0 is taken as 1, with a complaint.
std::optional<Duration> read_period(Context& context, const Statement& statement) {
  const auto value = read_timer(context, statement, 1, Duration(0), period_max);
  if (!value || value->count() > 0) return value;
  context.diagnostics.warning(statement.place_of(1), statement.keyword() + " '0' is taken as 1 second");
  return std::chrono::seconds(1);
}

void read_interval(Context& context, const Statement& statement, S& draft) {
  if (const auto value = read_period(context, statement)) draft.block.interval = *value;
}

void read_timeout(Context& context, const Statement& statement, S& draft) {
  if (const auto value = read_period(context, statement)) draft.timeout = *value;
}

/// user USER [[:]GROUP].
void read_user(Context& context, const Statement& statement, S& draft) {
  const Word* user = argument(context, statement, 1, "USER [GROUP]");
  if (user == nullptr) return;
  draft.user = user->text;
  draft.group.reset();
  if (statement.words.size() > 2) draft.group = statement.words[2].text;
}

void write_user(Writer& writer, std::string_view keyword, const S& draft) {
  const Script& script = draft.block.script;
  if (!script.user) return;
  std::vector<Arg> args = {plain("user", *script.user)};
  if (script.group) args.push_back(plain("group", *script.group));
  writer.line(keyword, args);
}

constexpr auto block_lines = std::to_array<Keyword<VrrpScript>>({
    weight_keyword<VrrpScript, track_weight_max>(),
    Field<VrrpScript>::integer<&VrrpScript::rise, 1, 2147483647>("rise"),
    Field<VrrpScript>::integer<&VrrpScript::fall, 1, 2147483647>("fall"),
    Field<VrrpScript>::flag<&VrrpScript::init_fail>("init_fail"),
});

constexpr auto own_lines = std::to_array<Keyword<S>>({
    F::custom("script", read_command, write_command),
    F::custom(
        "interval", read_interval,
        [](Writer& writer, std::string_view keyword, const S& draft) {
          writer.line(keyword, {plain("", draft.block.interval)});
        },
        2),
    F::custom(
        "timeout", read_timeout,
        [](Writer& writer, std::string_view keyword, const S& draft) {
          writer.line(keyword, {plain("", draft.block.timeout)});
        },
        2),
    F::custom("user", read_user, write_user, 3),
});

constexpr auto keywords = joined(own_lines, lifted<&S::block, block_lines>());

}  // namespace

void read_vrrp_script(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "the script's name");
  if (name == nullptr || !is_first(context, statement, context.config.vrrp_scripts)) return;
  S draft;
  draft.block.position = context.diagnostics.position(statement.place);
  draft.block.name = name->text;
  const std::size_t scripts = context.scripts.size();
  apply<S>(context, keywords, "vrrp_script", statement.children, draft);
  for (std::size_t i = scripts; i < context.scripts.size(); ++i) context.scripts[i].vrrp_script = name->text;
  if (draft.block.script.argv.empty() && draft.block.readable_file.empty()) {
    context.diagnostics.error(statement.place,
                              fmt::format("vrrp_script {} ignored, expected a script in it", quoted(name->text)));
    return;
  }
  draft.block.timeout = draft.timeout.value_or(draft.block.interval);
  if (draft.user) {
    draft.block.script.user = draft.user;
    draft.block.script.group = draft.group;
  }
  keep_named(context, "vrrp_script", context.config.vrrp_scripts, std::move(draft.block));
}

void write_vrrp_scripts(Writer& writer, const Config& config) {
  for (const VrrpScript& script : config.vrrp_scripts) {
    writer.open("vrrp_script", {plain("name", script.name)}, Occurs::repeated);
    write_all<S>(writer, keywords, S{script, {}, {}, {}});
    writer.close();
  }
}

void list_vrrp_script(const std::string& block, std::vector<KeywordInfo>& out) { list_all<S>(block, keywords, out); }

}  // namespace sluice::control::config
