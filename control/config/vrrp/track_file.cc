// track_file: a file whose number changes priorities.
#include <array>

#include "control/config/vrrp/block.h"

namespace sluice::control::config {

namespace {

using T = TrackFile;
using F = Field<T>;

/// One more than of other trackers: a number that is negative can still take an instance down.
constexpr int weight_max = track_weight_max + 1;

/// init_file [VALUE] [overwrite], in any order.
void read_init(Context& context, const Statement& statement, T& file) {
  TrackFileInit init;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const std::string& word = statement.words[i].text;
    if (word == "overwrite") {
      init.overwrite = true;
    } else if (!word.empty() && (word.front() == '-' || (word.front() >= '0' && word.front() <= '9'))) {
      if (const auto value = read_integer(context, statement, i, -2147483648, 2147483647)) {
        init.value = static_cast<std::int32_t>(*value);
      }
    } else {
      context.diagnostics.error(statement.place_of(i), fmt::format("init_file option {} ignored, expected a number or "
                                                                   "overwrite",
                                                                   quoted(word)));
    }
  }
  file.init = init;
}

void write_init(Writer& writer, std::string_view keyword, const T& file) {
  if (!file.init) return;
  std::vector<Arg> args = {plain("value", std::int64_t{file.init->value})};
  if (file.init->overwrite) args.push_back(flag("overwrite"));
  writer.line(keyword, args);
}

void read_path(Context& context, const Statement& statement, T& file) {
  const Word* path = argument(context, statement, 1, "a path");
  if (path == nullptr) return;
  if (!file.path.empty()) {
    context.diagnostics.error(statement.place, "file ignored, the block has one already");
    return;
  }
  file.path = path->text;
}

constexpr auto keywords = std::to_array<Keyword<T>>({
    F::custom(
        "file", read_path,
        [](Writer& writer, std::string_view keyword, const T& file) { writer.line(keyword, {plain("", file.path)}); },
        2)
        .lenient(),
    weight_keyword<T, weight_max>(),
    F::custom("init_file", read_init, write_init, 3),
});

}  // namespace

void read_track_file(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "the track file's name");
  if (name == nullptr || !is_first(context, statement, context.config.track_files)) return;
  T file;
  file.position = context.diagnostics.position(statement.place);
  file.name = name->text;
  apply<T>(context, keywords, "track_file", statement.children, file);
  if (file.path.empty()) {
    context.diagnostics.error(statement.place,
                              fmt::format("track_file {} ignored, expected 'file PATH' in it", quoted(file.name)));
    return;
  }
  keep_named(context, "track_file", context.config.track_files, std::move(file));
}

void write_track_files(Writer& writer, const Config& config) {
  write_named<T>(writer, "track_file", keywords, config.track_files);
}

void list_track_file(const std::string& block, std::vector<KeywordInfo>& out) { list_all<T>(block, keywords, out); }

}  // namespace sluice::control::config
