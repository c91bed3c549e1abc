// The lexer's `@id` conditions, `$NAME=` definitions and their replacement.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "control/config/characters.h"
#include "control/config/generators.h"
#include "control/config/lexer.h"

namespace sluice::control::config {

/// `@id REST` stands only where id is the config-id, `@^id REST` only where it isn't. The prefix becomes blanks.
bool Lexer::passes_condition(Text& line, bool& found) {
  auto at = std::find_if(line.begin(), line.end(), [](Char c) { return !is_blank(c.value); });
  if (at == line.end() || at->value != '@' || at->literal) return true;
  found = true;
  const auto start = at++;
  const bool is_negated = at != line.end() && at->value == '^';
  if (is_negated) ++at;
  std::string id;
  while (at != line.end() && !is_blank(at->value)) id += (at++)->value;
  std::for_each(start, at, [](Char& c) { c.value = ' '; });
  return (id == options_.config_id) != is_negated;
}

/// `$NAME=VALUE`, alone on its line; a backslash at the end continues it on the next.
bool Lexer::takes_definition(const Text& line) {
  std::size_t at = 0;
  while (at < line.size() && is_blank(line[at].value)) ++at;
  if (at + 1 >= line.size() || line[at].value != '$' || !is_name_start(line[at + 1].value)) return false;
  std::size_t end = at + 1;
  while (end < line.size() && is_name(line[end].value)) ++end;
  if (end >= line.size() || line[end].value != '=') return false;

  const std::string name = string_of(line, at + 1, end);
  const bool has_more = line.back().value == '\\';
  Text value(line.begin() + static_cast<std::ptrdiff_t>(end) + 1, line.end());
  if (has_more) {
    value.pop_back();
    open_definition_ = name;
  }
  definitions_[name] = trimmed(string_of(value, 0, comment_at(value)));
  return true;
}

/// Blank lines and blanks at a line's start are left out: `$A= \` starts with its second line.
void Lexer::continue_definition(std::string_view bytes) {
  const bool has_more = bytes.ends_with('\\');
  if (has_more) bytes.remove_suffix(1);
  bytes = trimmed(bytes);
  std::string& value = definitions_[open_definition_];
  if (value.size() + bytes.size() > definition_bytes_max) {
    error(place(1), fmt::format("definition {} is cut here, expected at most {} bytes", quoted(open_definition_),
                                definition_bytes_max));
    open_definition_.clear();
    return;
  }
  if (!value.empty() && !bytes.empty()) value += '\n';
  value += bytes;
  if (!has_more) open_definition_.clear();
}

/// `$G w$i` where $G is a ~SEQ or ~LST: the rest of the line is not replaced before the generator has its turn.
void Lexer::expand_leading_name(Text& line) {
  std::size_t at = 0;
  while (at < line.size() && is_blank(line[at].value)) ++at;
  if (at + 1 >= line.size() || line[at].value != '$') return;
  const bool is_braced = line[at + 1].value == '{';
  const std::size_t name_at = at + (is_braced ? 2 : 1);
  std::size_t end = name_at;
  while (end < line.size() && is_name(line[end].value)) ++end;
  if (is_braced ? end >= line.size() || line[end].value != '}' : end < line.size() && !is_blank(line[end].value))
    return;
  const std::string name = string_of(line, name_at, end);
  const auto found = definitions_.find(name);
  if (found == definitions_.end() || !found->second.starts_with('~')) return;

  const std::string_view value = found->second;
  const Char reference = line[at];
  Text after(line.begin() + static_cast<std::ptrdiff_t>(end + (is_braced ? 1 : 0)), line.end());
  line.clear();
  if (!charge(value.size(), place(reference.column))) return;
  const std::size_t line_end = value.find('\n');
  if (line_end != std::string_view::npos) {
    std::reverse(after.begin(), after.end());
    if (!expand_lines(name, value.substr(line_end + 1), reference, after)) return;
  }
  line = text_of(value.substr(0, line_end), reference.column);
  line.insert(line.end(), after.begin(), after.end());
}

/// Replaces $NAME and ${NAME}, in values too. A definition of several lines becomes a source of its own, read after
/// this line.
void Lexer::substitute(Text& line) {
  if (std::none_of(line.begin(), line.end(), [](Char c) { return c.value == '$'; })) return;
  Text input(line.rbegin(), line.rend());  // a stack: what is to be read next is last
  Text output;
  std::size_t left = substitutions_max;
  const auto peek = [&](std::size_t ahead) {
    return ahead < input.size() ? input[input.size() - 1 - ahead].value : '\0';
  };
  const auto pass = [&] {
    output.push_back(input.back());
    input.pop_back();
  };
  line.clear();

  while (!input.empty()) {
    const Char reference = input.back();
    if (output.size() > line_bytes_max) {
      error(place(reference.column),
            fmt::format("line is ignored, replacing its $NAMEs made more than {} bytes of it", line_bytes_max));
      return;
    }
    const bool is_braced = peek(1) == '{';
    std::size_t end = is_braced ? 2 : 1;
    std::string name;
    if (reference.value == '$' && !reference.literal) {
      while (is_name(peek(end))) name += peek(end++);
    }
    if (name.empty()) {
      pass();
      continue;
    }
    std::string arguments;
    if (is_braced) {
      if (peek(end) == ' ') {
        while (end < input.size() && peek(end) != '}') arguments += peek(end++);
      }
      if (peek(end) != '}') {
        pass();
        continue;
      }
      ++end;
    } else if (end < input.size() && !is_blank(peek(end)) && peek(end) != ',' && peek(end) != ')') {
      pass();
      continue;
    }

    const Place where = place(reference.column);
    bool is_literal = false;
    const auto value = value_of(name, arguments, is_literal, where);
    if (!value) {  // undefined names stay as they are
      pass();
      continue;
    }
    if (left-- == 0) {
      error(where, fmt::format("line is ignored: more than {} replacements in it, does {} refer to itself?",
                               substitutions_max, quoted(name)));
      output.clear();
      return;
    }
    if (!charge(value->size() + 1, where)) return;
    input.resize(input.size() - end);
    std::string_view first = *value;
    if (const std::size_t line_end = first.find('\n'); line_end != std::string_view::npos) {
      if (!expand_lines(name, first.substr(line_end + 1), reference, input)) return;
      first = first.substr(0, line_end);
    }
    for (auto c = first.rbegin(); c != first.rend(); ++c) input.push_back({*c, is_literal, reference.column});
  }
  line = std::move(output);
}

/// Makes the second and further lines of a definition a source: on top of the stack, where what is left of the line
/// after a brace is kept too, and read before its text. input: what follows the reference.
bool Lexer::expand_lines(const std::string& name, std::string_view value, Char reference, Text& input) {
  const Place where = place(reference.column);
  const Text rest(input.rbegin(), input.rend());
  const std::string after = string_of(rest, 0, comment_at(rest));
  if (!trimmed(after).empty()) {
    error(where, fmt::format("line is ignored: {} has several lines, expected nothing after it", quoted(name)));
    return false;
  }
  if (expansions_left_ == 0) {
    error(where, fmt::format("definition {} is expanded too often, does it refer to itself?", quoted(name)));
    return false;
  }
  --expansions_left_;
  input.clear();
  Source source;
  source.file = sources_.back().file;
  source.depth = sources_.back().depth;
  source.owned = std::make_shared<const std::string>(value);
  source.text = *source.owned;
  source.is_file = false;
  source.place = where;
  sources_.push_back(std::move(source));
  return true;
}

std::optional<std::string> Lexer::value_of(std::string_view name, std::string_view arguments, bool& is_literal,
                                           Place where) {
  arguments = trimmed(arguments);
  if (arguments.empty()) {
    if (const auto found = definitions_.find(name); found != definitions_.end()) return found->second;
    is_literal = name == "_HASH" || name == "_BANG";
    if (is_literal) return name == "_HASH" ? "#" : "!";
    if (name == "_PWD") return directory_of(sources_.back().file);
    if (name == "_INSTANCE") return options_.config_id;
  }
  if (name == "_RANDOM") return random_number(arguments);
  if (name == "_ENV" && !arguments.empty()) {
    const char* const value = std::getenv(std::string(arguments).c_str());
    if (value != nullptr && std::string_view(value).find('\n') == std::string_view::npos) return value;
    error(where, fmt::format("environment variable {} {}, nothing is put in its place", quoted(arguments),
                             value == nullptr ? "isn't set" : "has several lines"));
    return "";
  }
  return std::nullopt;
}

/// arguments: "", "MIN" or "MIN MAX"; 0..32767 unless given, as in keepalived.
std::optional<std::string> Lexer::random_number(std::string_view arguments) {
  std::uint32_t bounds[2] = {0, 32767};
  for (std::uint32_t& bound : bounds) {
    arguments = trimmed(arguments);
    if (arguments.empty()) break;
    const auto [end, status] = std::from_chars(arguments.data(), arguments.data() + arguments.size(), bound);
    if (status != std::errc{}) return std::nullopt;
    arguments.remove_prefix(static_cast<std::size_t>(end - arguments.data()));
    if (!arguments.empty() && !is_blank(arguments.front())) return std::nullopt;
  }
  if (bounds[0] > bounds[1]) std::swap(bounds[0], bounds[1]);
  const std::uint64_t choices = std::uint64_t{bounds[1]} - bounds[0] + 1;
  return fmt::format("{}", bounds[0] + random_() % choices);
}

/// False, and the end of all reading, once definitions and generators have made too much text.
bool Lexer::charge(std::size_t bytes, Place where) {
  if (expanded_bytes_ > expanded_bytes_max) return false;
  expanded_bytes_ += bytes;
  if (expanded_bytes_ <= expanded_bytes_max) return true;
  error(where, fmt::format("definitions and generators make more than {} MiB of text, the rest is ignored",
                           expanded_bytes_max >> 20));
  return false;
}

}  // namespace sluice::control::config
