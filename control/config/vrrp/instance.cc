// vrrp_instance: the block's table, put together from its subjects.
#include <vector>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

using I = InstanceDraft;

/// The tracking's keywords as the instance's: they aren't a constant, so their lines are wrapped by hand.
void read_tracking(Context& context, const Statement& statement, I& draft) {
  apply<TrackingDraft>(context, tracking_keywords(), "vrrp_instance", {&statement, 1}, draft.tracking);
}

void write_tracking(Writer& writer, std::string_view name, const I& draft) {
  for (const Keyword<TrackingDraft>& line : tracking_keywords()) {
    if (line.name == name) line.write(writer, name, draft.tracking);
  }
}

const std::vector<Keyword<I>>& keywords() {
  static const std::vector<Keyword<I>> table = [] {
    std::vector<Keyword<I>> all;
    for (const InstanceKeywords part : {identity_keywords(), authentication_keywords(), unicast_keywords(),
                                        vmac_keywords(), behaviour_keywords(), address_keywords()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    for (const Keyword<TrackingDraft>& line : tracking_keywords()) {
      auto block = Field<I>::block(line.name, read_tracking, write_tracking).words(1);
      block.effect = line.effect;
      all.push_back(block);
    }
    return all;
  }();
  return table;
}

}  // namespace

void read_vrrp_instance(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "the instance's name");
  if (name == nullptr || !is_new(context, statement, context.config.vrrp_instances)) return;
  I draft;
  draft.vi.position = context.diagnostics.position(statement.place);
  draft.vi.name = name->text;
  draft.tracking.config = &context.config;
  apply<I>(context, keywords(), "vrrp_instance", statement.children, draft);
  if (!settle_instance(context, statement, draft)) return;
  warn_of_traps(context, statement, draft);
  keep_named(context, "vrrp_instance", context.config.vrrp_instances, std::move(draft.vi));
}

void write_vrrp_instances(Writer& writer, const Config& config) {
  for (const VrrpInstance& vi : config.vrrp_instances) {
    writer.open("vrrp_instance", {plain("name", vi.name)}, Occurs::repeated);
    I draft;
    draft.vi = vi;
    draft.tracking = {vi.tracking, &config, {}};
    write_all<I>(writer, keywords(), draft);
    writer.close();
  }
}

void list_vrrp_instance(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<I>(block, keywords(), out);
}

}  // namespace sluice::control::config
