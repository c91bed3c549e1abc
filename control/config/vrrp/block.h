// What the blocks around VRRP have in common: a name that may be there once, one notice for the whole block, weights.
// Internal to control/config.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/fields.h"
#include "control/config/lift.h"

namespace sluice::control::config {

/// "it is defined later, in line 7: expected above its use", or that it is nowhere. kind: "vrrp_script".
[[nodiscard]] std::string where_defined(const Context& context, std::string_view kind, const std::string& name);

/// The keyword, but for `track_file` of which there are two spellings.
[[nodiscard]] inline std::string_view kind_of(const Statement& statement) {
  return statement.keyword() == "vrrp_track_file" ? std::string_view("track_file")
                                                  : std::string_view(statement.keyword());
}

/// Keeps a block under its name. Looking for one among many doesn't take longer then.
template <typename Block>
void keep_named(Context& context, std::string_view kind, std::vector<Block>& blocks, Block block) {
  context.names.emplace(fmt::format("{} {}", kind, block.name), blocks.size());
  blocks.push_back(std::move(block));
}

template <typename Block>
const Block* find_named(const Context& context, std::string_view kind, const std::vector<Block>& blocks,
                        const std::string& name) {
  const auto found = context.names.find(fmt::format("{} {}", kind, name));
  return found == context.names.end() ? nullptr : &blocks[found->second];
}

/// A second block of the same name is ignored, with an error as keepalived's. words[1] is the name.
template <typename Block>
bool is_new(Context& context, const Statement& statement, const std::vector<Block>& others) {
  const Block* other = find_named(context, statement.keyword(), others, statement.words[1].text);
  if (other == nullptr) return true;
  context.diagnostics.error(statement.place_of(1),
                            fmt::format("{} {} ignored, there is one of that name in line {}", statement.keyword(),
                                        quoted(other->name), other->position.line));
  return false;
}

/// The same where keepalived says nothing and uses the first.
template <typename Block>
bool is_first(Context& context, const Statement& statement, const std::vector<Block>& others) {
  const Block* other = find_named(context, kind_of(statement), others, statement.words[1].text);
  if (other == nullptr) return true;
  context.diagnostics.notice(
      statement.place_of(1),
      fmt::format("careful: this {} {} is never used, the one in line {} is; write another name, "
                  "or remove one of them",
                  statement.keyword(), quoted(other->name), other->position.line));
  return false;
}

template <typename Block>
void write_named(Writer& writer, std::string_view keyword, std::span<const Keyword<Block>> table,
                 const std::vector<Block>& blocks) {
  for (const Block& block : blocks) {
    writer.open(keyword, {plain("name", block.name)}, Occurs::repeated);
    write_all<Block>(writer, table, block);
    writer.close();
  }
}

/// weight N [reverse], N within +-max. words[first] is N; behind it the word, if any. noreverse_word: whether
/// `noreverse` is one, too.
std::optional<TrackWeight> read_weight(Context& context, const Statement& statement, std::size_t first, int max,
                                       bool noreverse_word, bool reverse);
void write_weight(Writer& writer, std::string_view keyword, const TrackWeight& weight);

/// The weight of a tracker's block.
template <typename Block, int Max>
constexpr Keyword<Block> weight_keyword() {
  return Field<Block>::custom(
      "weight",
      [](Context& context, const Statement& statement, Block& block) {
        if (const auto weight = read_weight(context, statement, 1, Max, false, false)) block.weight = *weight;
      },
      [](Writer& writer, std::string_view keyword, const Block& block) { write_weight(writer, keyword, block.weight); },
      3);
}

}  // namespace sluice::control::config
