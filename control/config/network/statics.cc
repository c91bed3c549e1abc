// static_ipaddress, static_routes, static_rules and track_group: what is there whoever is master, and who cares.
#include <fmt/format.h>

#include <array>

#include "control/config/network/line.h"
#include "control/config/vrrp/block.h"

namespace sluice::control::config {

namespace {

using G = TrackGroup;
using F = Field<G>;

/// NAME... per line.
void read_members(Context& context, const Statement& statement, G& group) {
  for (const Statement& line : statement.children) {
    for (const Word& word : line.words) group.instances.push_back(word.text);
  }
  if (group.instances.empty()) {
    context.diagnostics.warning(statement.place,
                                fmt::format("the group of track_group {} is empty, expected vrrp_instances' names "
                                            "between its braces",
                                            quoted(group.name)));
  }
}

void write_members(Writer& writer, std::string_view keyword, const G& group) {
  if (group.instances.empty()) return;
  writer.open_list(keyword);
  for (const std::string& name : group.instances) writer.item({plain("", name)});
  writer.close_list();
}

constexpr auto keywords = std::to_array<Keyword<G>>({
    F::block("group", read_members, write_members).words(1),
});

template <typename T>
void write_block(Writer& writer, std::string_view keyword, const std::vector<T>& items,
                 void (*write)(Writer&, const T&)) {
  if (items.empty()) return;
  writer.open_list(keyword);
  for (const T& item : items) write(writer, item);
  writer.close_list();
}

}  // namespace

void read_static_ipaddress(Context& context, const Statement& statement) {
  for (const Statement& line : statement.children) {
    auto address = read_interface_address(context, line, true);
    if (!address) continue;
    address->interface = address->dev.empty() ? context.config.global.default_interface : address->dev;
    context.config.static_network.addresses.push_back(std::move(*address));
  }
}

void read_static_routes(Context& context, const Statement& statement) {
  for (const Statement& line : statement.children) {
    if (auto route = read_route(context, line, true)) context.config.static_network.routes.push_back(std::move(*route));
  }
}

void read_static_rules(Context& context, const Statement& statement) {
  for (const Statement& line : statement.children) {
    if (auto rule = read_rule(context, line, true)) context.config.static_network.rules.push_back(std::move(*rule));
  }
}

void write_static_network(Writer& writer, const Config& config) {
  write_block(writer, "static_ipaddress", config.static_network.addresses, write_interface_address);
  write_block(writer, "static_routes", config.static_network.routes, write_route);
  write_block(writer, "static_rules", config.static_network.rules, write_rule);
}

void read_track_group(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "the group's name");
  if (name == nullptr || !is_new(context, statement, context.config.track_groups)) return;
  G group{context.diagnostics.position(statement.place), name->text, {}};
  apply<G>(context, keywords, "track_group", statement.children, group);
  keep_named(context, "track_group", context.config.track_groups, std::move(group));
}

void write_track_groups(Writer& writer, const Config& config) {
  write_named<G>(writer, "track_group", keywords, config.track_groups);
}

void list_track_group(const std::string& block, std::vector<KeywordInfo>& out) { list_all<G>(block, keywords, out); }

}  // namespace sluice::control::config
