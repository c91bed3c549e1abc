// FILE_CHECK and BFD_CHECK, which follow what a block of another kind watches.
#include <fmt/format.h>

#include "control/config/servers/checkers/checkers.h"

namespace sluice::control::config {

namespace {

constexpr std::int64_t weight_max = 2147483647;

void set_weight(Context& context, const Statement& statement, FileCheck& check) {
  if (soft_argument(context, statement, 1, "WEIGHT [reverse|noreverse]") == nullptr) return;
  const auto weight = read_integer(context, statement, 1, -weight_max, weight_max);
  if (!weight) return;
  check.weight = static_cast<std::int32_t>(*weight);
  check.reverse = false;
  if (statement.words.size() < 3) return;
  static constexpr std::array<Choice<bool>, 2> directions = {{{"reverse", true}, {"noreverse", false}}};
  if (const auto reverse = read_choice(context, statement, 2, directions)) check.reverse = *reverse;
}

constexpr auto file_keywords = std::to_array<Keyword<FileCheck>>({
    ServerField<FileCheck>::text<&FileCheck::track_file>("track_file"),
    Field<FileCheck>::custom(
        "weight", set_weight,
        [](Writer& writer, std::string_view keyword, const FileCheck& check) {
          if (!check.weight) return;
          std::vector<Arg> args = {plain("weight", std::int64_t{*check.weight})};
          if (check.reverse) args.push_back(flag("reverse"));
          writer.line(keyword, args);
        },
        3),
});

void set_name(Context& context, const Statement& statement, BfdCheck& check) {
  const Word* word = argument(context, statement, 1, "the name of a bfd_instance");
  if (word == nullptr) return;
  if (!check.name.empty()) {
    context.diagnostics.error(statement.place_of(1), fmt::format("name {} ignored, BFD_CHECK has {} already",
                                                                 quoted(word->text), quoted(check.name.str())));
    return;
  }
  check.name = SharedText(word->text);
}

constexpr auto bfd_keywords = std::to_array<Keyword<BfdCheck>>({
    Field<BfdCheck>::custom(
        "name", set_name,
        [](Writer& writer, std::string_view keyword, const BfdCheck& check) {
          writer.line(keyword, {plain("", check.name.str())});
        },
        2),
    Field<BfdCheck>::boolean<&CheckerCommon::alpha>("alpha"),
});

}  // namespace

void read_file_check(Context& context, const Statement& statement, RealServer& rs) {
  FileCheck check = read_check<FileCheck>(context, statement, file_keywords);
  if (check.track_file.empty()) {
    context.diagnostics.error(statement.place, "FILE_CHECK ignored, expected track_file NAME in it");
    return;
  }
  rs.checkers.emplace_back(std::move(check));
}
void write_check(Writer& writer, const FileCheck& check) { write_all<FileCheck>(writer, file_keywords, check); }
void list_file_check(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<FileCheck>(block, file_keywords, out);
}

void read_bfd_check(Context& context, const Statement& statement, RealServer& rs) {
  BfdCheck check = read_check<BfdCheck>(context, statement, bfd_keywords);
  if (check.name.empty()) {
    context.diagnostics.error(statement.place, "BFD_CHECK ignored, expected the name of a bfd_instance in it");
    return;
  }
  rs.checkers.emplace_back(std::move(check));
}
void write_check(Writer& writer, const BfdCheck& check) { write_all<BfdCheck>(writer, bfd_keywords, check); }
void list_bfd_check(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<BfdCheck>(block, bfd_keywords, out);
}

}  // namespace sluice::control::config
