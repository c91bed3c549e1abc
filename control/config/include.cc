// The lexer's `include`: a pattern with braces, relative to the directory of the including file. That nothing matches,
// or can't be read, is an error only if include_check, the form of the keyword or -e ask for it.
#include "control/config/include.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "control/config/characters.h"
#include "control/config/file.h"
#include "control/config/file_pattern.h"
#include "control/config/generators.h"

namespace sluice::control::config {

namespace {

struct Form {
  std::string_view name;
  IncludeChecks checks;
};

/// Observed on 2.2.7: each of them insists on files that can be read, includew on those of includem as well.
constexpr std::array<Form, 6> forms = {{
    {"include", {}},
    {"includer", {.read = true}},
    {"includem", {.read = true, .match = true}},
    {"includew", {.read = true, .match = true, .wildcard_match = true}},
    {"includeb", {.read = true, .brace_match = true}},
    {"includea", {.read = true, .match = true, .wildcard_match = true, .brace_match = true}},
}};

std::string real_path(const std::string& path) {
  char* const found = realpath(path.c_str(), nullptr);
  if (found == nullptr) return path;
  std::string name = found;
  free(found);  // NOLINT: realpath's is malloc's
  return name;
}

}  // namespace

bool is_include(std::string_view word) {
  return word.starts_with("include") &&
         std::any_of(forms.begin(), forms.end(), [&](const Form& form) { return form.name == word; });
}

IncludePattern cut_pattern(std::string_view rest) {
  std::size_t at = 0;
  while (at < rest.size() && is_blank(rest[at])) ++at;
  if (at < rest.size() && rest[at] == '"') {
    const std::size_t close = std::min(rest.find('"', at + 1), rest.size());
    return {std::string(rest.substr(at + 1, close - at - 1)), at, std::min(close + 1, rest.size())};
  }
  std::size_t end = at;
  for (std::size_t depth = 0; end < rest.size(); ++end) {
    if (rest[end] == '{') ++depth;
    if (rest[end] == '}' && depth-- == 0) break;
  }
  return {std::string(trimmed(rest.substr(at, end - at))), at, end};
}

/// line[at] is its first word. False if that isn't an include.
bool Lexer::take_include(const Text& line, std::size_t at) {
  std::size_t end = at;
  while (end < line.size() && !is_blank(line[end].value)) ++end;
  const std::string form = string_of(line, at, end);
  if (!is_include(form)) return false;
  const IncludePattern pattern = cut_pattern(string_of(line, end, comment_at(line)));
  const std::size_t pattern_at = std::min(end + pattern.at, line.size() - 1);
  sources_.back().rest.assign(line.begin() + static_cast<std::ptrdiff_t>(end + pattern.used), line.end());
  include(form, pattern.text, line[at].column, line[pattern_at].column);
  return true;
}

void Lexer::include(std::string_view form, const std::string& pattern, std::uint32_t form_column,
                    std::uint32_t pattern_column) {
  if (!options_.follow_includes) return;
  const std::size_t depth = sources_.back().depth + 1;
  if (is_replay_) {
    push_files(included_[includes_++], depth);
    return;
  }
  ++includes_;
  included_.emplace_back();
  if (pattern.empty()) {
    error(place(form_column), fmt::format("'{}' has no value, expected a file name or pattern", form));
    return;
  }
  const auto* const known = std::find_if(forms.begin(), forms.end(), [&](const Form& f) { return f.name == form; });
  const IncludeChecks checks = form == "include" ? checks_ : known->checks;
  included_.back() = find_included(pattern, place(pattern_column), checks);
  push_files(included_.back(), depth);
}

/// Opens what matches, and complains about what doesn't.
std::vector<std::uint32_t> Lexer::find_included(const std::string& pattern, Place from, IncludeChecks checks) {
  std::vector<std::uint32_t> files;
  if (sources_.back().depth >= include_depth_max) {
    error(from, fmt::format("include of {} ignored: files include each other more than {} deep ({})", quoted(pattern),
                            include_depth_max, chain_of(from)));
    return files;
  }
  const FileMatches matches =
      match_files(pattern.front() == '/' ? pattern : directory_of(sources_.back().file) + "/" + pattern);
  if (matches.is_cut) {
    error(from, fmt::format("{} asks for too much, only the first matches are included", quoted(pattern)));
  }
  if (matches.files.empty()) {
    const bool is_checked = matches.has_wildcard ? checks.wildcard_match
                            : matches.has_braces ? checks.brace_match
                                                 : checks.match;
    complain_include(is_checked, from, fmt::format("no file matches {}", quoted(pattern)));
  } else if (!matches.missing.empty() && matches.has_braces && !matches.has_wildcard) {
    complain_include(checks.brace_match, from,
                     fmt::format("no file matches {} of {}", quoted(matches.missing.front()), quoted(pattern)));
  }
  for (const std::string& path : matches.files) {
    if (const auto file = open_file(path, from, checks.read)) files.push_back(*file);
  }
  return files;
}

std::optional<std::uint32_t> Lexer::open_file(const std::string& path, Place from, bool is_checked) {
  if (++files_opened_ > include_files_max) {
    if (files_opened_ == include_files_max + 1) {
      error(from, fmt::format("more than {} files included, the rest is ignored", include_files_max));
    }
    return std::nullopt;
  }
  const std::string real = real_path(path);
  for (Place outer = from; outer.line != 0; outer = diagnostics_.place_of_include(outer.file)) {
    if (real_paths_.size() <= outer.file) real_paths_.resize(outer.file + 1);
    if (real_paths_[outer.file].empty()) real_paths_[outer.file] = real_path(diagnostics_.file_name(outer.file));
    if (real_paths_[outer.file] != real) continue;
    error(from, fmt::format("include of {} ignored: that file is being read, it would include itself without end ({})",
                            quoted(path), chain_of(from)));
    return std::nullopt;
  }
  auto text = read_config_file(path);
  if (!text) {
    complain_include(is_checked, from, fmt::format("not included: {}", text.error().text()));
    return std::nullopt;
  }
  if (bytes_read_ + text->size() > file_bytes_max) {
    error(from, fmt::format("{} is ignored: files of more than {} MiB in all", quoted(path), file_bytes_max >> 20));
    return std::nullopt;
  }
  bytes_read_ += text->size();
  return diagnostics_.add_file(path, std::make_shared<const std::string>(std::move(*text)), from);
}

/// Who includes whom, innermost first.
std::string Lexer::chain_of(Place from) const {
  std::string chain = fmt::format("{}:{}", diagnostics_.file_name(from.file), from.line);
  if (const std::string outer = diagnostics_.included_from(from.file); !outer.empty()) chain += ", " + outer;
  if (chain.size() > include_chain_bytes_max) chain = chain.substr(0, include_chain_bytes_max) + " ...";
  return chain;
}

void Lexer::complain_include(bool is_checked, Place place, std::string message) {
  if (is_replay_) return;
  diagnostics_.add(is_checked ? Severity::error : Severity::notice, place, std::move(message),
                   is_checked ? exit_status_include : exit_status_clean);
}

void Lexer::set_include_checks(const std::vector<Word>& words, Place where) {
  if (words.size() == 1) checks_ = {true, true, true, true};
  bool is_first = true;
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string_view word = words[i].text;
    const char sign = word.empty() ? ' ' : word.front();
    if (sign == '+' || sign == '-') {
      word.remove_prefix(1);
    } else if (is_first) {
      checks_ = {};
    }
    is_first = false;
    const bool value = sign != '-';
    if (word == "read" || word == "readable") {
      checks_.read = value;
    } else if (word == "match") {
      checks_.match = value;
    } else if (word == "wildcard_match") {
      checks_.wildcard_match = value;
    } else if (word == "brace_match") {
      checks_.brace_match = value;
    } else {
      error({where.file, where.line, words[i].column},
            fmt::format("include_check {} ignored, expected read, match, wildcard_match or brace_match, each with + or "
                        "- before it to change it alone",
                        quoted(words[i].text)));
      continue;
    }
    if (value) checks_.read = true;
  }
}

std::string Lexer::directory_of(std::uint32_t file) const {
  const std::string& name = diagnostics_.file_name(file);
  const auto slash = name.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : name.substr(0, slash);
}

}  // namespace sluice::control::config
