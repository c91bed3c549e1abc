// track_interface, track_script, track_file, track_process, track_bfd: NAME [weight N [reverse|noreverse]] per line.
#include <algorithm>
#include <cstdlib>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

using T = TrackingDraft;
using F = Field<T>;
using List = std::vector<Tracked> Tracking::*;

/// What may be tracked, by name, and the weight that it brings along.
struct Kind {
  List list;
  std::string_view block;  ///< where such things are defined; empty: an interface
  int weight_max;          ///< one more is taken as track_weight_max where it differs from that
  bool clamps;
  bool noreverse;
};

constexpr Kind interfaces{&Tracking::interfaces, "", track_weight_max, true, false};
constexpr Kind scripts{&Tracking::scripts, "vrrp_script", track_weight_max, true, true};
constexpr Kind files{&Tracking::files, "track_file", track_weight_max + 1, false, true};
constexpr Kind processes{&Tracking::processes, "vrrp_track_process", track_weight_max + 1, false, true};
constexpr Kind bfds{&Tracking::bfds, "bfd_instance", track_weight_max, false, true};

template <typename Block>
std::optional<TrackWeight> weight_of(const Context& context, std::string_view kind, const std::vector<Block>& blocks,
                                     const std::string& name) {
  const Block* found = find_named(context, kind, blocks, name);
  return found == nullptr ? std::nullopt : std::optional(found->weight);
}

/// Nothing: there is no such thing (yet).
std::optional<TrackWeight> default_weight(const Context& context, const Kind& kind, const std::string& name) {
  const Config& config = context.config;
  if (kind.list == &Tracking::scripts) return weight_of(context, kind.block, config.vrrp_scripts, name);
  if (kind.list == &Tracking::files) return weight_of(context, kind.block, config.track_files, name);
  if (kind.list == &Tracking::processes) return weight_of(context, kind.block, config.track_processes, name);
  if (kind.list == &Tracking::bfds) return weight_of(context, kind.block, config.bfd_instances, name);
  return TrackWeight{};
}

/// The same for a finished configuration.
std::optional<TrackWeight> written_weight(const Config& config, const Kind& kind, const std::string& name) {
  const auto of = [&](const auto& blocks) -> std::optional<TrackWeight> {
    for (const auto& block : blocks) {
      if (block.name == name) return block.weight;
    }
    return std::nullopt;
  };
  if (kind.list == &Tracking::scripts) return of(config.vrrp_scripts);
  if (kind.list == &Tracking::files) return of(config.track_files);
  if (kind.list == &Tracking::processes) return of(config.track_processes);
  if (kind.list == &Tracking::bfds) return of(config.bfd_instances);
  return TrackWeight{};
}

/// +-254 is taken as +-253 where keepalived does so.
std::optional<TrackWeight> read_line_weight(Context& context, const Statement& line, const Kind& kind, bool reverse) {
  if (line.words.size() < 3) {
    context.diagnostics.error(line.place_of(1), "weight ignored, expected 'weight N' with N within -253..253");
    return std::nullopt;
  }
  auto weight = read_weight(context, line, 2, kind.weight_max + (kind.clamps ? 1 : 0), kind.noreverse, reverse);
  if (weight && kind.clamps && std::abs(weight->value) > track_weight_max) {
    weight->value = weight->value > 0 ? track_weight_max : -track_weight_max;
    context.diagnostics.warning(line.place_of(2),
                                fmt::format("weight {} is taken as {}, expected -{}..{}", quoted(line.words[2].text),
                                            weight->value, track_weight_max, track_weight_max));
  }
  return weight;
}

template <const Kind& kind>
void read_list(Context& context, const Statement& statement, T& draft) {
  std::vector<Tracked>& list = draft.tracking.*kind.list;
  if (!statement.has_block) {
    context.diagnostics.error(statement.place, fmt::format("{} ignored, expected {} {{ NAME ... }}",
                                                           quoted(statement.keyword()), statement.keyword()));
    return;
  }
  for (const Statement& line : statement.children) {
    if (!is_item(context, line, statement.keyword())) continue;
    const std::string& name = line.keyword();
    if (kind.list == &Tracking::scripts) context.tracked_scripts.insert(name);
    const auto initial = default_weight(context, kind, name);
    if (!initial) {
      context.diagnostics.error(line.place, fmt::format("{} {} ignored, {}", statement.keyword(), quoted(name),
                                                        where_defined(context, kind.block, name)));
      continue;
    }
    if (!draft.places.emplace(fmt::format("{} {}", statement.keyword(), name), line.place).second) {
      context.diagnostics.error(line.place,
                                fmt::format("{} {} ignored, it is there already", statement.keyword(), quoted(name)));
      continue;
    }
    if (kind.block.empty()) context.interfaces.push_back({line.place, name});
    Tracked tracked{context.diagnostics.position(line.place), name, *initial};
    if (line.words.size() > 1 && line.words[1].text != "weight") {
      context.diagnostics.error(line.place_of(1), fmt::format("{} option {} ignored, expected weight",
                                                              statement.keyword(), quoted(line.words[1].text)));
    } else if (line.words.size() > 1) {
      if (const auto weight = read_line_weight(context, line, kind, initial->reverse)) tracked.weight = *weight;
    }
    list.push_back(std::move(tracked));
  }
}

/// A checker's session is none of VRRP's.
void read_bfds(Context& context, const Statement& statement, T& draft) {
  read_list<bfds>(context, statement, draft);
  std::erase_if(draft.tracking.bfds, [&](const Tracked& tracked) {
    const BfdInstance* bfd = find_named(context, bfds.block, context.config.bfd_instances, tracked.name);
    if (bfd == nullptr || bfd->for_vrrp) return false;
    const auto place = draft.places.find("track_bfd " + tracked.name);
    context.diagnostics.error(
        place == draft.places.end() ? statement.place : place->second,
        fmt::format("track_bfd {} ignored, its bfd_instance is for checkers only", quoted(tracked.name)));
    return true;
  });
}

template <const Kind& kind>
void write_list(Writer& writer, std::string_view keyword, const T& draft) {
  const std::vector<Tracked>& list = draft.tracking.*kind.list;
  if (list.empty()) return;
  writer.open_list(keyword);
  for (const Tracked& tracked : list) {
    const TrackWeight initial = written_weight(*draft.config, kind, tracked.name).value_or(TrackWeight{});
    std::vector<Arg> args = {plain("name", tracked.name)};
    if (tracked.weight != initial) {
      args.push_back(option("weight", std::int64_t{tracked.weight.value}));
      if (tracked.weight.reverse) args.push_back(flag("reverse"));
      if (!tracked.weight.reverse && initial.reverse) args.push_back(flag("noreverse"));
    }
    writer.item(args);
  }
  writer.close_list();
}

template <const Kind& kind>
constexpr Keyword<T> list(std::string_view name) {
  return F::block(name, read_list<kind>, write_list<kind>);
}

constexpr auto keywords = std::to_array<Keyword<T>>({
    list<interfaces>("track_interface"),
    list<scripts>("track_script"),
    list<files>("track_file"),
    list<processes>("track_process"),
    F::block("track_bfd", read_bfds, write_list<bfds>),
});

}  // namespace

std::span<const Keyword<TrackingDraft>> tracking_keywords() { return keywords; }

}  // namespace sluice::control::config
