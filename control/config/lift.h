// Tables of keywords for a part of a draft, used as lines of the whole draft's table: so that what several blocks
// share, and what belongs together in a big one, is written down once and in a file of its own. Internal to
// control/config.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/keywords.h"

namespace sluice::control::config {

template <typename T>
struct MemberOf;
template <typename Whole, typename Part>
struct MemberOf<Part Whole::*> {
  using Draft = Whole;
};

template <auto Part, const auto& Table, std::size_t I>
constexpr auto lifted_line() {
  using Draft = typename MemberOf<decltype(Part)>::Draft;
  constexpr auto& line = Table[I];
  Keyword<Draft> lifted{.name = line.name,
                        .shape = line.shape,
                        .words_max = line.words_max,
                        .effect = line.effect,
                        .reason = line.reason,
                        .alias_of = line.alias_of,
                        .is_deprecated = line.is_deprecated,
                        .list = line.list,
                        .is_lenient = line.is_lenient};
  // Asked here, not by `if constexpr`: under -fsanitize=undefined g++ 12 knows of no function whether it is null.
  lifted.read = [](Context& context, const Statement& statement, Draft& draft) {
    if (Table[I].read != nullptr) Table[I].read(context, statement, draft.*Part);
  };
  lifted.write = [](Writer& writer, std::string_view name, const Draft& draft) {
    if (Table[I].write != nullptr) Table[I].write(writer, name, draft.*Part);
  };
  return lifted;
}

/// The lines of Table (a constexpr std::array of static storage), whose draft is the member Part of a bigger one.
template <auto Part, const auto& Table>
constexpr auto lifted() {
  return []<std::size_t... I>(std::index_sequence<I...>) { return std::array{lifted_line<Part, Table, I>()...}; }
  (std::make_index_sequence<Table.size()>{});
}

/// Several tables as one, in this order.
template <typename Draft, std::size_t... N>
constexpr auto joined(const std::array<Keyword<Draft>, N>&... tables) {
  std::array<Keyword<Draft>, (N + ...)> all{};
  auto end = all.begin();
  ((end = std::copy(tables.begin(), tables.end(), end)), ...);
  return all;
}

/// Nothing in this table is acted on yet. Lines that say something else about themselves keep it.
template <typename Draft, std::size_t N>
constexpr auto all_later(std::array<Keyword<Draft>, N> table) {
  for (Keyword<Draft>& line : table) {
    if (line.effect == Effect::acts) line.effect = Effect::later;
  }
  return table;
}

/// These of the table aren't acted on yet; the others are.
template <typename Draft, std::size_t N>
constexpr auto later_of(std::array<Keyword<Draft>, N> table, std::initializer_list<std::string_view> names) {
  for (Keyword<Draft>& line : table) {
    for (const std::string_view name : names) {
      if (line.name == name && line.effect == Effect::acts) line.effect = Effect::later;
    }
  }
  return table;
}

}  // namespace sluice::control::config
