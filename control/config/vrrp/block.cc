// Common ground of the blocks around VRRP; see block.h.
#include "control/config/vrrp/block.h"

#include <array>

namespace sluice::control::config {

namespace {

/// Blocks that others name.
constexpr auto named_blocks =
    std::to_array<std::string_view>({"vrrp_script", "track_file", "vrrp_track_file", "vrrp_track_process",
                                     "bfd_instance", "track_group", "vrrp_instance", "vrrp_sync_group"});

}  // namespace

void note_vrrp_definitions(Context& context, std::span<const Statement> statements) {
  for (const Statement& statement : statements) {
    if (statement.keyword() == "global_defs") {
      for (const Statement& line : statement.children) {
        if (line.keyword() == "lvs_sync_daemon") context.definitions.emplace("lvs_sync_daemon ", line.place);
      }
    }
    if (statement.words.size() < 2) continue;
    for (const std::string_view block : named_blocks) {
      if (statement.keyword() != block) continue;
      const std::string_view kind = block == "vrrp_track_file" ? "track_file" : block;
      context.definitions.emplace(fmt::format("{} {}", kind, statement.words[1].text), statement.place);
    }
  }
}

std::string where_defined(const Context& context, std::string_view kind, const std::string& name) {
  const auto later = context.definitions.find(fmt::format("{} {}", kind, name));
  if (later == context.definitions.end()) return fmt::format("expected the name of a {} that stands above", kind);
  return fmt::format("its {} stands in line {}: move it above its use", kind, later->second.line);
}

std::optional<TrackWeight> read_weight(Context& context, const Statement& statement, std::size_t first, int max,
                                       bool noreverse_word, bool reverse) {
  const auto value = read_integer(context, statement, first, -max, max);
  if (!value) return std::nullopt;
  TrackWeight weight{static_cast<int>(*value), reverse};
  if (statement.words.size() > first + 1) {
    const std::string& word = statement.words[first + 1].text;
    if (word == "reverse") {
      weight.reverse = true;
    } else if (noreverse_word && word == "noreverse") {
      weight.reverse = false;
    } else {
      context.diagnostics.error(statement.place_of(first + 1),
                                fmt::format("weight option {} ignored, expected reverse{}", quoted(word),
                                            noreverse_word ? " or noreverse" : ""));
    }
  }
  return weight;
}

void write_weight(Writer& writer, std::string_view keyword, const TrackWeight& weight) {
  std::vector<Arg> args = {plain("value", std::int64_t{weight.value})};
  if (weight.reverse) args.push_back(flag("reverse"));
  writer.line(keyword, args);
}

}  // namespace sluice::control::config
