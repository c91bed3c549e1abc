// A block's vocabulary is one table: keyword -> what to do. Adding a keyword is one line of its block's table.
// Words that aren't in it are complained about with the likeliest one that is. Internal to control/config.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "control/config/values.h"

namespace sluice::control::config {

enum class Shape : std::uint8_t { line, block };

/// Draft is what the block fills in.
template <typename Draft>
struct Keyword {
  std::string_view name;
  /// Null: keepalived knows the keyword, Sluice doesn't act on it yet; noted once per occurrence.
  void (*handle)(Context& context, const Statement& statement, Draft& draft) = nullptr;
  Shape shape = Shape::line;
  /// Words that mean something, the keyword included; more are ignored, as in keepalived, and noted. 0: any number.
  unsigned words_max = 2;
};

/// Complains about a keyword that no table has. block: for the message, e.g. "real_server".
void complain_unknown(Context& context, const Statement& statement, std::string_view block,
                      std::span<const std::string_view> known);
void note_accepted(Context& context, const Statement& statement);
void note_extra_words(Context& context, const Statement& statement, unsigned words_max);
/// A '{' after a keyword that has none: as in keepalived, what it encloses is read as part of the block around it.
void complain_block(Context& context, const Statement& statement, std::string_view block);

/// Runs the handler of every statement of a block, in order.
template <typename Draft>
void apply(Context& context, std::span<const Keyword<Draft>> table, std::string_view block,
           const std::vector<Statement>& statements, Draft& draft) {
  for (const Statement& statement : statements) {
    const Keyword<Draft>* found = nullptr;
    for (const Keyword<Draft>& keyword : table) {
      if (keyword.name == statement.keyword()) found = &keyword;
    }
    if (found == nullptr) {
      std::vector<std::string_view> names;
      for (const Keyword<Draft>& keyword : table) names.push_back(keyword.name);
      complain_unknown(context, statement, block, names);
      continue;
    }
    const bool stray_block = statement.has_block && found->shape == Shape::line;
    if (stray_block) complain_block(context, statement, block);
    if (found->handle == nullptr) {
      note_accepted(context, statement);
    } else {
      if (found->words_max != 0 && statement.words.size() > found->words_max) {
        note_extra_words(context, statement, found->words_max);
      }
      found->handle(context, statement, draft);
    }
    if (stray_block) apply(context, table, block, statement.children, draft);
  }
}

/// For keywords inside a block that was noted as a whole.
template <typename Draft>
void known(Context&, const Statement&, Draft&) {}

// Each of the file's parts.
void read_global_defs(Context& context, const Statement& statement);
void read_virtual_server(Context& context, const Statement& statement);
void read_vrrp_instance(Context& context, const Statement& statement);
void read_vrrp_script(Context& context, const Statement& statement);
void read_vrrp_sync_group(Context& context, const Statement& statement);
void read_dataplane(Context& context, const Statement& statement);

}  // namespace sluice::control::config
