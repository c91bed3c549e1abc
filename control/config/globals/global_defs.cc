// global_defs: what concerns the whole process. The subjects with many keywords are in files of their own.
#include <algorithm>
#include <array>

#include "control/config/fields.h"
#include "control/config/globals/parts.h"

namespace sluice::control::config {

namespace {

using G = GlobalDefs;
using F = Field<G>;

constexpr std::int64_t script_timeout_max = 1000;

/// script_user USER [[:]GROUP].
void read_script_user(Context& context, const Statement& statement, G& global) {
  const Word* word = argument(context, statement, 1, "USER [GROUP]");
  if (word == nullptr) return;
  global.script_user = word->text;
  global.script_group.reset();
  if (statement.words.size() > 2) global.script_group = statement.words[2].text;
}

void write_script_user(Writer& writer, std::string_view keyword, const G& global) {
  if (!global.script_user) return;
  std::vector<Arg> args = {plain("user", *global.script_user)};
  if (global.script_group) args.push_back(plain("group", *global.script_group));
  writer.line(keyword, args);
}

void read_dynamic_interfaces(Context& context, const Statement& statement, G& global) {
  static constexpr std::array<Choice<DynamicInterfaces>, 1> kinds = {
      {{"allow_if_changes", DynamicInterfaces::allow_if_changes}}};
  if (statement.words.size() < 2) {
    global.dynamic_interfaces = DynamicInterfaces::yes;
  } else if (const auto kind = read_choice(context, statement, 1, kinds)) {
    global.dynamic_interfaces = *kind;
  }
}

void write_dynamic_interfaces(Writer& writer, std::string_view keyword, const G& global) {
  if (global.dynamic_interfaces == DynamicInterfaces::yes) writer.line(keyword, {});
  if (global.dynamic_interfaces == DynamicInterfaces::allow_if_changes) {
    writer.line(keyword, {plain("", std::string("allow_if_changes"))});
  }
}

constexpr auto own_keywords = std::to_array<Keyword<G>>({
    F::text<&G::router_id>("router_id").lenient(),
    F::custom("script_user", read_script_user, write_script_user, 3).lenient(),
    F::flag<&G::enable_script_security>("enable_script_security"),
    F::boolean<&G::use_symlink_paths>("use_symlink_paths").later(),
    F::boolean<&G::set_supplementary_groups>("set_supplementary_groups").later(),
    F::script<&G::startup_script>("startup_script").lenient(),
    F::seconds<&G::startup_script_timeout, 1, script_timeout_max>("startup_script_timeout"),
    F::script<&G::shutdown_script>("shutdown_script").lenient(),
    F::seconds<&G::shutdown_script_timeout, 1, script_timeout_max>("shutdown_script_timeout"),
    F::boolean<&G::rs_init_notifies>("rs_init_notifies"),
    F::boolean<&G::checker_log_all_failures>("checker_log_all_failures"),
    F::custom("dynamic_interfaces", read_dynamic_interfaces, write_dynamic_interfaces, 2),
    F::text<&G::default_interface>("default_interface").lenient(),
});

using Table = std::vector<Keyword<G>>;

const Table& keywords() {
  static const Table table = [] {
    Table all;
    for (const GlobalKeywords part :
         {GlobalKeywords(own_keywords), mail_keywords(), fifo_keywords(), lvs_keywords(), vrrp_default_keywords(),
          process_tuning_keywords(), socket_buffer_keywords(), monitoring_keywords(), file_keywords()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return table;
}

/// vrrp_min_garp and the lower_prio values depend on others that may come later.
void settle(VrrpDefaults& vrrp) {
  GarpSettings& garp = vrrp.garp;
  if (vrrp.min_garp) {
    garp.master_delay.inherit(std::chrono::seconds(0));
    garp.master_repeat.inherit(1);
    garp.master_refresh_repeat.inherit(1);
  }
  garp.lower_prio_delay.inherit(garp.master_delay);
  // Its own range is smaller.
  garp.lower_prio_repeat.inherit(std::min<std::uint32_t>(garp.master_repeat, 2147483647));
}

}  // namespace

void read_global_defs(Context& context, const Statement& statement) {
  // The same keyword again, here or in another global_defs, isn't noted again.
  for (const Statement& line : statement.children) {
    const bool noted = !context.noted_globals.insert(line.keyword()).second;
    const bool muted = context.diagnostics.mute_notices(noted);
    apply<G>(context, keywords(), "global_defs", {&line, 1}, context.config.global);
    context.diagnostics.mute_notices(muted);
  }
  settle(context.config.global.vrrp);
}

void write_global_defs(Writer& writer, const Config& config) {
  writer.open("global_defs", {});
  write_all<G>(writer, keywords(), config.global);
  writer.close();
}

void list_global_defs(const std::string& block, std::vector<KeywordInfo>& out) { list_all<G>(block, keywords(), out); }

}  // namespace sluice::control::config
