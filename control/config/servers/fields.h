// Lines of keyword tables that the LVS side needs beyond fields.h: shared texts, boxed scripts, arguments whose lack
// keepalived survives. Internal to control/config.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "control/config/fields.h"

namespace sluice::control::config {

/// Complains, though keepalived 2.2.7 has nothing to say: -t stays green.
inline void warn_quietly(Context& context, Place place, std::string message) {
  context.diagnostics.add(Severity::warning, place, std::move(message), exit_status_clean);
}

/// As argument(), for keywords whose lack of a value keepalived survives (-t: 5 instead of 2).
inline const Word* soft_argument(Context& context, const Statement& statement, std::size_t index,
                                 std::string_view expected) {
  if (index < statement.words.size()) return &statement.words[index];
  context.diagnostics.error(
      statement.place, fmt::format("{} lacks a value, expected {}; ignored", quoted(statement.keyword()), expected));
  return nullptr;
}

template <typename Draft>
struct ServerField {
  using K = Keyword<Draft>;

  /// KEYWORD WORD; the member is a SharedText, Inherited or not. An empty one isn't written.
  template <auto Member>
  static constexpr K text(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (const Word* word = argument(context, statement, 1, "a name")) {
                     store(draft.*Member, SharedText(word->text));
                   }
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   const SharedText* value = load(draft.*Member);
                   if (!value->empty()) writer.line(keyword, {plain("", value->str())});
                 }};
  }

  /// KEYWORD WORD into a std::string or SharedText; without the word -t answers 5.
  template <auto Member>
  static constexpr K soft_text(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (const Word* word = soft_argument(context, statement, 1, "a word")) {
                     store(draft.*Member, word->text);
                   }
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   const std::string& value = draft.*Member;
                   if (!value.empty()) writer.line(keyword, {plain("", value)});
                 }};
  }

  /// KEYWORD COMMAND [USER [GROUP]]; the member is a Boxed<Script>. A second one is refused.
  template <auto Member>
  static constexpr K script(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   std::optional<Script> script;
                   if (draft.*Member) script = *(draft.*Member);
                   const bool had = script.has_value();
                   read_script_once(context, statement, script);
                   if (!had && script) draft.*Member = std::move(*script);
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const Script* value = (draft.*Member).get()) write_script(writer, keyword, *value);
                 },
             .words_max = 0};
  }
};

template <typename K, std::size_t A, std::size_t B>
constexpr std::array<K, A + B> joined(const std::array<K, A>& a, const std::array<K, B>& b) {
  std::array<K, A + B> out{};
  for (std::size_t i = 0; i < A; ++i) out[i] = a[i];
  for (std::size_t i = 0; i < B; ++i) out[A + i] = b[i];
  return out;
}

}  // namespace sluice::control::config
