// Lines of keyword tables for the usual kinds of values: each reads its words into one member of the draft and writes
// that member back. `using F = Field<GlobalDefs>; ... F::integer<&GlobalDefs::x, 1, 100>("x")`.
// A member may be a T, a std::optional<T> (written only if set) or an Inherited<T>. Internal to control/config.
#pragma once

#include <fmt/format.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "control/config/keywords.h"

namespace sluice::control::config {

// --- the three kinds of members ---

template <typename T>
struct SlotOf {
  using Type = T;
};
template <typename T>
struct SlotOf<std::optional<T>> {
  using Type = T;
};
template <typename T>
struct SlotOf<Inherited<T>> {
  using Type = T;
};

template <typename T, typename V>
void store(T& slot, V&& value) {
  slot = static_cast<T>(std::forward<V>(value));
}
template <typename T, typename V>
void store(std::optional<T>& slot, V&& value) {
  slot.emplace(static_cast<T>(std::forward<V>(value)));
}
template <typename T, typename V>
void store(Inherited<T>& slot, V&& value) {
  slot.write(static_cast<T>(std::forward<V>(value)));
}

/// Null: nothing to write.
template <typename T>
const T* load(const T& slot) {
  return &slot;
}
template <typename T>
const T* load(const std::optional<T>& slot) {
  return slot ? &*slot : nullptr;
}
template <typename T>
const T* load(const Inherited<T>& slot) {
  return &slot.value;
}

/// A word of a fixed set and what it stands for.
template <typename T>
struct Choice {
  std::string_view word;
  T value;
};

/// "a, b or c".
[[nodiscard]] std::string one_of(std::span<const std::string_view> words);
/// Complains that words[index] isn't one of them, with the likeliest; or that it is missing.
void complain_choice(Context& context, const Statement& statement, std::size_t index,
                     std::span<const std::string_view> words);

/// words[index] as one of the choices.
template <typename T, std::size_t N>
std::optional<T> read_choice(Context& context, const Statement& statement, std::size_t index,
                             const std::array<Choice<T>, N>& choices) {
  std::array<std::string_view, N> words;
  for (std::size_t i = 0; i < N; ++i) {
    words[i] = choices[i].word;
    if (index < statement.words.size() && statement.words[index].text == words[i]) return choices[i].value;
  }
  complain_choice(context, statement, index, words);
  return std::nullopt;
}

/// The first word that stands for the value.
template <typename T, std::size_t N>
std::string_view word_of(const std::array<Choice<T>, N>& choices, T value) {
  for (const Choice<T>& choice : choices) {
    if (choice.value == value) return choice.word;
  }
  return {};
}

void write_script(Writer& writer, std::string_view name, const Script& script);

template <typename Draft>
struct Field {
  using K = Keyword<Draft>;

  /// KEYWORD alone: on. Written only if on.
  template <auto Member>
  static constexpr K flag(std::string_view name) {
    return K{.name = name,
             .read = [](Context&, const Statement&, Draft& draft) { store(draft.*Member, true); },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const bool* value = load(draft.*Member); value != nullptr && *value) writer.line(keyword, {});
                 },
             .words_max = 1};
  }

  /// KEYWORD [true|on|yes|false|off|no].
  template <auto Member>
  static constexpr K boolean(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (auto value = read_bool(context, statement, 1)) store(draft.*Member, *value);
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const bool* value = load(draft.*Member)) writer.line(keyword, {plain("", *value)});
                 }};
  }

  /// KEYWORD N, Min <= N <= Max.
  template <auto Member, std::int64_t Min, std::int64_t Max>
  static constexpr K integer(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (auto value = read_integer(context, statement, 1, Min, Max)) store(draft.*Member, *value);
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const auto* value = load(draft.*Member)) {
                     writer.line(keyword, {plain("", static_cast<std::int64_t>(*value))});
                   }
                 }};
  }

  /// KEYWORD SECONDS, whole; the member is a std::chrono::seconds.
  template <auto Member, std::int64_t Min, std::int64_t Max>
  static constexpr K seconds(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (auto value = read_integer(context, statement, 1, Min, Max)) {
                     store(draft.*Member, std::chrono::seconds(*value));
                   }
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const std::chrono::seconds* value = load(draft.*Member)) {
                     writer.line(keyword, {plain("", std::int64_t{value->count()})});
                   }
                 }};
  }

  /// KEYWORD SECONDS, decimals allowed; range in microseconds, the member is a Duration.
  template <auto Member, std::int64_t MinUs, std::int64_t MaxUs>
  static constexpr K timer(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (auto value = read_timer(context, statement, 1, Duration(MinUs), Duration(MaxUs))) {
                     store(draft.*Member, *value);
                   }
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const Duration* value = load(draft.*Member)) writer.line(keyword, {plain("", *value)});
                 }};
  }

  /// KEYWORD WORD. An empty one isn't written.
  template <auto Member>
  static constexpr K text(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (const Word* word = argument(context, statement, 1, "a word")) {
                     store(draft.*Member, std::string(word->text));
                   }
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   const std::string* value = load(draft.*Member);
                   if (value != nullptr && !value->empty()) writer.line(keyword, {plain("", *value)});
                 }};
  }

  /// KEYWORD WORD, one of Choices (a std::array<Choice<T>, N> at namespace scope).
  template <auto Member, const auto& Choices>
  static constexpr K choice(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (auto value = read_choice(context, statement, 1, Choices)) store(draft.*Member, *value);
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const auto* value = load(draft.*Member)) {
                     writer.line(keyword, {plain("", std::string(word_of(Choices, *value)))});
                   }
                 }};
  }

  /// KEYWORD ADDRESS; the member is an optional.
  template <auto Member>
  static constexpr K address(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (auto value = read_address(context, statement, 1)) store(draft.*Member, *value);
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const net::IpAddr* value = load(draft.*Member)) writer.line(keyword, {plain("", value->text())});
                 }};
  }

  /// KEYWORD PORT; port zero isn't written.
  template <auto Member>
  static constexpr K port(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (auto value = read_port(context, statement, 1, false)) store(draft.*Member, *value);
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   const net::L4Port* value = load(draft.*Member);
                   if (value != nullptr && !value->is_zero()) {
                     writer.line(keyword, {plain("", std::int64_t{value->host()})});
                   }
                 }};
  }

  /// KEYWORD COMMAND [USER [GROUP]]; the member is an optional. A second one is refused.
  template <auto Member>
  static constexpr K script(std::string_view name) {
    return K{.name = name,
             .read = [](Context& context, const Statement& statement,
                        Draft& draft) { read_script_once(context, statement, draft.*Member); },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if (const Script* value = load(draft.*Member)) write_script(writer, keyword, *value);
                 },
             .words_max = 0};
  }

  /// KEYWORD WORD..., all that follow; again: added. The member is a std::vector<std::string>.
  template <auto Member>
  static constexpr K words(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   if (argument(context, statement, 1, "one or more words") == nullptr) return;
                   for (std::size_t i = 1; i < statement.words.size(); ++i) {
                     (draft.*Member).push_back(statement.words[i].text);
                   }
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if ((draft.*Member).empty()) return;
                   std::vector<Arg> args;
                   for (const std::string& word : draft.*Member) args.push_back(plain("", word));
                   writer.line(keyword, args);
                 },
             .words_max = 0};
  }

  /// KEYWORD { WORD... }, any number per line; the member is a std::vector<std::string>.
  template <auto Member>
  static constexpr K word_list(std::string_view name) {
    return K{.name = name,
             .read =
                 [](Context& context, const Statement& statement, Draft& draft) {
                   for (const Statement& line : statement.children) {
                     if (!is_item(context, line, statement.keyword())) continue;
                     for (const Word& word : line.words) (draft.*Member).push_back(word.text);
                   }
                 },
             .write =
                 [](Writer& writer, std::string_view keyword, const Draft& draft) {
                   if ((draft.*Member).empty()) return;
                   writer.open_list(keyword);
                   for (const std::string& word : draft.*Member) writer.item({plain("", word)});
                   writer.close_list();
                 },
             .shape = Shape::block,
             .words_max = 1};
  }

  /// KEYWORD { ... } with a handler of its own. list: what its block's keywords are, if it has any.
  static constexpr K block(std::string_view name, typename K::Read read, typename K::Write write,
                           typename K::List list = nullptr) {
    return K{.name = name, .read = read, .write = write, .shape = Shape::block, .words_max = 0, .list = list};
  }

  /// KEYWORD ... with a handler of its own.
  static constexpr K custom(std::string_view name, typename K::Read read, typename K::Write write = nullptr,
                            unsigned words_max = 0) {
    return K{.name = name, .read = read, .write = write, .words_max = words_max};
  }
};

}  // namespace sluice::control::config
