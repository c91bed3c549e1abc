// vrrp_sync_group: instances that are master together or not at all.
#include <algorithm>
#include <array>
#include <vector>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

struct GroupDraft {
  SyncGroup group;
  TrackingDraft tracking;
  bool has_members = false;
};
using G = GroupDraft;
using F = Field<G>;
using S = SyncGroup;

void read_members(Context& context, const Statement& statement, G& draft) {
  if (draft.has_members) {
    context.diagnostics.error(statement.place, "group ignored, the block has one already");
    return;
  }
  draft.has_members = true;
  for (const Statement& line : statement.children) {
    if (!is_item(context, line, statement.keyword())) continue;
    for (std::size_t i = 0; i < line.words.size(); ++i) {
      const std::string& name = line.words[i].text;
      draft.group.instances.push_back(name);
      // Where the member stands, for what is found out at the end.
      context.definitions.insert_or_assign(fmt::format("group {} {}", draft.group.name, name), line.place_of(i));
    }
  }
  if (draft.group.instances.empty()) {
    context.diagnostics.warning(statement.place, "group is empty, expected names of vrrp_instances in it");
  }
}

void write_members(Writer& writer, std::string_view keyword, const G& draft) {
  writer.open_list(keyword);
  for (const std::string& name : draft.group.instances) writer.item({plain("", name)});
  writer.close_list();
}

void read_tracking(Context& context, const Statement& statement, G& draft) {
  apply<TrackingDraft>(context, tracking_keywords(), "vrrp_sync_group", {&statement, 1}, draft.tracking);
}

void write_tracking(Writer& writer, std::string_view name, const G& draft) {
  for (const Keyword<TrackingDraft>& line : tracking_keywords()) {
    if (line.name == name) line.write(writer, name, draft.tracking);
  }
}

constexpr auto tracking_weight = Field<S>::flag<&S::sync_group_tracking_weight>("sync_group_tracking_weight");

constexpr auto group_lines = std::to_array<Keyword<S>>({
    Field<S>::boolean<&S::smtp_alert>("smtp_alert"),
    Field<S>::boolean<&S::notify_priority_changes>("notify_priority_changes"),
    tracking_weight,
    tracking_weight.deprecated("global_tracking"),
});
constexpr auto notify_keywords = lifted<&S::notify, notify_lines>();
constexpr auto lines = joined(std::to_array<Keyword<G>>({F::block("group", read_members, write_members).words(1)}),
                              lifted<&G::group, group_lines>(), lifted<&G::group, notify_keywords>());

const std::vector<Keyword<G>>& keywords() {
  static const std::vector<Keyword<G>> table = [] {
    std::vector<Keyword<G>> all(lines.begin(), lines.end());
    for (const Keyword<TrackingDraft>& line : tracking_keywords()) {
      auto block = Field<G>::block(line.name, read_tracking, write_tracking).words(1);
      block.effect = line.effect;
      all.push_back(block);
    }
    return all;
  }();
  return table;
}

}  // namespace

void read_vrrp_sync_group(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "the group's name");
  if (name == nullptr || !is_new(context, statement, context.config.sync_groups)) return;
  G draft;
  draft.group.position = context.diagnostics.position(statement.place);
  draft.group.name = name->text;
  draft.tracking.config = &context.config;
  apply<G>(context, keywords(), "vrrp_sync_group", statement.children, draft);
  const MailSettings& mail = context.config.global.mail;
  draft.group.smtp_alert.inherit(mail.smtp_alert_vrrp.value_or(mail.smtp_alert.value_or(false)));
  draft.group.notify_priority_changes.inherit(context.config.global.fifos.vrrp_priority_changes);
  draft.group.tracking = std::move(draft.tracking.tracking);
  keep_named(context, "vrrp_sync_group", context.config.sync_groups, std::move(draft.group));
}

void write_vrrp_sync_groups(Writer& writer, const Config& config) {
  for (const SyncGroup& group : config.sync_groups) {
    writer.open("vrrp_sync_group", {plain("name", group.name)}, Occurs::repeated);
    write_all<G>(writer, keywords(), G{group, {group.tracking, &config, {}}, true});
    writer.close();
  }
}

void list_vrrp_sync_group(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<G>(block, keywords(), out);
}

}  // namespace sluice::control::config
