// Complaints about keywords; see keywords.h.
#include "control/config/keywords.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "control/config/fields.h"

namespace sluice::control::config {

namespace {

/// Longer words are no misspelling of anything.
constexpr std::size_t suggestion_bytes_max = 40;

/// Levenshtein, with the swap of two neighbours as one edit: that is how people mistype.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    before = std::exchange(previous, current);
  }
  return previous[b.size()];
}

struct Synonym {
  std::string_view block;  ///< empty: any
  std::string_view wrong;
  std::string_view right;
};

/// Seen in the field, refused by keepalived, and too far from the right word for the edit distance.
constexpr std::array<Synonym, 6> synonyms = {{
    {"real_server", "lb_kind", "lvs_method"},
    {"TCP_CHECK", "nb_get_retry", "retry"},
    {"", "nb_get_retry", "retry"},
    {"global_defs", "lvs_id", "router_id"},
    {"vrrp_instance", "lvs_sync_daemon_inteface", "lvs_sync_daemon_interface"},
    {"global_defs", "enable_snmp", "enable_snmp_vrrp"},
}};

std::string_view likeliest(std::string_view word, std::string_view block, std::span<const std::string_view> known) {
  for (const Synonym& synonym : synonyms) {
    if (synonym.wrong == word && (synonym.block.empty() || synonym.block == block) &&
        std::find(known.begin(), known.end(), synonym.right) != known.end()) {
      return synonym.right;
    }
  }
  if (word.size() < 2 || word.size() > suggestion_bytes_max) return {};
  std::string_view best;
  std::size_t best_distance = word.size() <= 4 ? 2 : word.size() / 3 + 1;  // fewer edits than this
  for (const std::string_view name : known) {
    const std::size_t difference = name.size() > word.size() ? name.size() - word.size() : word.size() - name.size();
    if (difference >= best_distance) continue;
    const std::size_t distance = edit_distance(word, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace

void complain_unknown(Context& context, const Statement& statement, std::string_view block,
                      std::span<const std::string_view> known) {
  if (context.diagnostics.is_full()) return context.diagnostics.warning(statement.place, "unknown keyword");
  const std::string where = block.empty() ? "at the top level" : fmt::format("in {}", block);
  const std::string_view guess = likeliest(statement.keyword(), block, known);
  context.diagnostics.warning(statement.place,
                              fmt::format("unknown keyword {} {}{}, {} ignored", quoted(statement.keyword()), where,
                                          guess.empty() ? "" : fmt::format(" (did you mean '{}'?)", guess),
                                          statement.has_block ? "the whole block is" : "the line is"));
}

void note_effect(Context& context, const Statement& statement, Effect effect, std::string_view reason) {
  if (effect == Effect::none) {
    context.diagnostics.notice(statement.place,
                               fmt::format("{} has no effect: {}", quoted(statement.keyword()), reason));
  } else if (effect == Effect::later) {
    context.diagnostics.notice(statement.place,
                               fmt::format("{} is accepted, but not acted on yet{}{}", quoted(statement.keyword()),
                                           reason.empty() ? "" : ": ", reason));
  }
}

void note_deprecated(Context& context, const Statement& statement, std::string_view canonical) {
  context.diagnostics.warning(statement.place, fmt::format("{} is an old spelling of '{}', which it is taken as",
                                                           quoted(statement.keyword()), canonical));
}

void note_extra_words(Context& context, const Statement& statement, unsigned words_max) {
  const std::string word = quoted(statement.words[words_max].text);
  if (statement.has_block) {  // keepalived complains about that
    context.diagnostics.warning(
        statement.place_of(words_max),
        fmt::format("{} ignored, expected '{{' right behind {}", word, quoted(statement.words[words_max - 1].text)));
    return;
  }
  context.diagnostics.notice(statement.place_of(words_max),
                             fmt::format("{} and what follows it is ignored, one keyword per line", word));
}

void complain_missing(Context& context, const Statement& statement) {
  context.diagnostics.error(statement.place,
                            fmt::format("{} ignored, expected a value behind it", quoted(statement.keyword())));
}

void complain_block(Context& context, const Statement& statement, std::string_view block) {
  context.diagnostics.error(statement.place,
                            fmt::format("unexpected '{{' after {}, what it encloses is read as part of {}",
                                        quoted(statement.keyword()), block.empty() ? "the top level" : block));
}

std::string one_of(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

void complain_choice(Context& context, const Statement& statement, std::size_t index,
                     std::span<const std::string_view> words) {
  const Word* word = argument(context, statement, index, one_of(words));
  if (word == nullptr) return;
  const std::string_view guess = likeliest(word->text, statement.keyword(), words);
  context.diagnostics.error(
      statement.place_of(index),
      fmt::format("{} {} ignored, expected {}{}", statement.keyword(), quoted(word->text), one_of(words),
                  guess.empty() ? "" : fmt::format(" (did you mean '{}'?)", guess)));
}

void write_script(Writer& writer, std::string_view name, const Script& script) {
  std::vector<Arg> args = {plain("command", CommandLine{script.argv})};
  if (script.user) args.push_back(plain("user", *script.user));
  if (script.group) args.push_back(plain("group", *script.group));
  writer.line(name, args);
}

}  // namespace sluice::control::config
