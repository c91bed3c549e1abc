// garp_group: interfaces that share one budget of gratuitous ARPs, because one switch has to learn from all of them.
#include <algorithm>
#include <array>

#include "control/config/vrrp/block.h"

namespace sluice::control::config {

namespace {

/// keepalived's: 31 bits of microseconds.
constexpr Duration interval_max = Duration(2'147'483'647);

struct GarpDraft {
  GarpGroup group;
  bool has_interval = false;
};
using G = GarpDraft;
using F = Field<G>;

template <Duration GarpGroup::*Member>
void read_interval(Context& context, const Statement& statement, G& draft) {
  if (const auto value = read_timer(context, statement, 1, Duration(0), interval_max)) {
    draft.group.*Member = *value;
    draft.has_interval = true;
  }
}

template <Duration GarpGroup::*Member>
constexpr Keyword<G> interval(std::string_view name) {
  return F::custom(
      name, read_interval<Member>,
      [](Writer& writer, std::string_view keyword, const G& draft) {
        writer.line(keyword, {plain("", draft.group.*Member)});
      },
      2);
}

void add_interface(Context& context, const Statement& statement, std::size_t index, G& draft) {
  const std::string& name = statement.words[index].text;
  context.interfaces.push_back({statement.place_of(index), name});
  const std::size_t own = context.config.garp_groups.size();
  const auto [same, is_new] = context.names.emplace("garp interface " + name, own);
  if (is_new) {
    draft.group.interfaces.push_back(name);
  } else if (same->second < own) {
    context.diagnostics.error(statement.place_of(index),
                              fmt::format("interface {} ignored, it is in the garp_group of line {}", quoted(name),
                                          context.config.garp_groups[same->second].position.line));
  }
}

void read_interface(Context& context, const Statement& statement, G& draft) {
  if (argument(context, statement, 1, "an interface") != nullptr) add_interface(context, statement, 1, draft);
}

void read_interfaces(Context& context, const Statement& statement, G& draft) {
  for (const Statement& line : statement.children) {
    if (!is_item(context, line, statement.keyword())) continue;
    for (std::size_t i = 0; i < line.words.size(); ++i) add_interface(context, line, i, draft);
  }
  if (statement.children.empty()) {
    context.diagnostics.warning(statement.place, "interfaces is empty, expected 'interfaces { NAME... }'");
  }
}

void write_interfaces(Writer& writer, std::string_view keyword, const G& draft) {
  if (draft.group.interfaces.empty()) return;
  writer.open_list(keyword);
  for (const std::string& name : draft.group.interfaces) writer.item({plain("", name)});
  writer.close_list();
}

constexpr auto keywords = std::to_array<Keyword<G>>({
    interval<&GarpGroup::garp_interval>("garp_interval"),
    interval<&GarpGroup::gna_interval>("gna_interval"),
    F::custom("interface", read_interface, nullptr, 2),
    F::block("interfaces", read_interfaces, write_interfaces).words(1),
});

}  // namespace

void read_garp_group(Context& context, const Statement& statement) {
  G draft;
  draft.group.position = context.diagnostics.position(statement.place);
  apply<G>(context, keywords, "garp_group", statement.children, draft);
  if (!draft.has_interval) {
    context.diagnostics.error(statement.place, "garp_group ignored, expected a garp_interval or gna_interval in it");
    return;
  }
  context.config.garp_groups.push_back(std::move(draft.group));
}

void write_garp_groups(Writer& writer, const Config& config) {
  for (const GarpGroup& group : config.garp_groups) {
    writer.open("garp_group", {}, Occurs::repeated);
    write_all<G>(writer, keywords, G{group, true});
    writer.close();
  }
}

void list_garp_group(const std::string& block, std::vector<KeywordInfo>& out) { list_all<G>(block, keywords, out); }

}  // namespace sluice::control::config
