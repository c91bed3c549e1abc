// regex and its options: the pattern that a page's body has to match. Kept as it is; whether it compiles is left to
// who runs it.
#include <fmt/format.h>

#include <algorithm>

#include "control/config/servers/checkers/url.h"

namespace sluice::control::config {

namespace {

constexpr std::int64_t size_max = std::int64_t{1} << 40;

/// A double quote in a pattern, escaped or not, becomes \x22, which the language can write within double quotes; and
/// no lonely backslash is left at the end.
std::string without_quotes(const std::string& pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '"') {
      out += "\\x22";
    } else if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      ++i;
      out += pattern[i] == '"' ? "\\x22" : std::string("\\") + pattern[i];
    } else {
      out += pattern[i] == '\\' ? "\\\\" : std::string(1, pattern[i]);
    }
  }
  return out;
}

std::optional<std::uint64_t> read_size(Context& context, const Statement& statement, std::size_t index) {
  if (auto value = read_integer(context, statement, index, 0, size_max)) return static_cast<std::uint64_t>(*value);
  return std::nullopt;
}

}  // namespace

void set_regex(Context& context, const Statement& statement, Url& url) {
  std::vector<std::string> words;
  if (statement.raw.empty()) {
    for (const Word& word : statement.words) words.push_back(word.text);
  } else if (auto split = script_words(statement.raw)) {
    words = std::move(*split);
  }
  if (words.size() < 2 || words[1].empty()) {
    context.diagnostics.missing_argument(statement.place, "'regex' lacks a value, expected \"PATTERN\"; ignored");
    return;
  }
  url.regex.ensure().pattern = without_quotes(words[1]);
}

void set_regex_no_match(Context&, const Statement&, Url& url) { url.regex.ensure().no_match = true; }

void set_regex_options(Context& context, const Statement& statement, Url& url) {
  if (argument(context, statement, 1, "options of PCRE2 such as caseless") == nullptr) return;
  std::vector<std::string>& options = url.regex.ensure().options;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const std::string& name = statement.words[i].text;
    if (std::find(regex_option_names.begin(), regex_option_names.end(), name) == regex_option_names.end()) {
      warn_quietly(context, statement.place_of(i),
                   fmt::format("regex_options {} ignored, expected {}", quoted(name), one_of(regex_option_names)));
    } else if (std::find(options.begin(), options.end(), name) == options.end()) {
      options.push_back(name);
    }
  }
  const auto place = [](const std::string& name) {
    return std::find(regex_option_names.begin(), regex_option_names.end(), name);
  };
  std::sort(options.begin(), options.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

void set_regex_min_offset(Context& context, const Statement& statement, Url& url) {
  if (auto value = read_size(context, statement, 1)) url.regex.ensure().min_offset = *value;
}

void set_regex_max_offset(Context& context, const Statement& statement, Url& url) {
  if (auto value = read_size(context, statement, 1)) url.regex.ensure().max_offset = *value;
}

void set_regex_stack(Context& context, const Statement& statement, Url& url) {
  const auto start = read_size(context, statement, 1);
  const auto most = start ? read_size(context, statement, 2) : std::nullopt;
  if (!most) return;
  if (*start == 0 || *most < *start) {
    warn_quietly(context, statement.place_of(1), "regex_stack ignored, expected START MAX in bytes, 1 <= START <= MAX");
    return;
  }
  url.regex.ensure().stack_start = *start;
  url.regex.ensure().stack_max = *most;
}

void write_regex(Writer& writer, std::string_view keyword, const Url& url) {
  if (url.regex) writer.line(keyword, {plain("", url.regex->pattern)});
}
void write_regex_no_match(Writer& writer, std::string_view keyword, const Url& url) {
  if (url.regex && url.regex->no_match) writer.line(keyword, {});
}
void write_regex_options(Writer& writer, std::string_view keyword, const Url& url) {
  if (!url.regex || url.regex->options.empty()) return;
  std::vector<Arg> args;
  for (const std::string& name : url.regex->options) args.push_back(plain("", name));
  writer.line(keyword, args);
}
void write_regex_min_offset(Writer& writer, std::string_view keyword, const Url& url) {
  if (url.regex && url.regex->min_offset != 0) {
    writer.line(keyword, {plain("", static_cast<std::int64_t>(url.regex->min_offset))});
  }
}
void write_regex_max_offset(Writer& writer, std::string_view keyword, const Url& url) {
  if (url.regex && url.regex->max_offset != 0) {
    writer.line(keyword, {plain("", static_cast<std::int64_t>(url.regex->max_offset))});
  }
}
void write_regex_stack(Writer& writer, std::string_view keyword, const Url& url) {
  if (!url.regex || url.regex->stack_max == 0) return;
  writer.line(keyword, {plain("start", static_cast<std::int64_t>(url.regex->stack_start)),
                        plain("max", static_cast<std::int64_t>(url.regex->stack_max))});
}

void finish_regex(Context& context, Url& url) {
  if (!url.regex) return;
  const Place place = context.diagnostics.place(url.position);
  if (url.regex->pattern.empty()) {
    warn_quietly(context, place, "options of a regex ignored: the url has none, expected regex \"PATTERN\"");
    url.regex.reset();
    return;
  }
  if (url.regex->max_offset != 0 && url.regex->max_offset < url.regex->min_offset) {
    warn_quietly(context, place,
                 fmt::format("regex_max_offset {} ignored, expected at least regex_min_offset {}: nothing could match",
                             url.regex->max_offset, url.regex->min_offset));
    url.regex->max_offset = 0;
  }
}

}  // namespace sluice::control::config
