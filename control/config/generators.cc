// The lexer's generators: `~SEQ(i, 1, 4) real_server 10.0.0.$i 80 {` and `~LST({a,b}, {1,2}) $a $b` make a line for
// each number or member; $i keeps its last value. Several may stand on one line, the first is the slowest. What isn't
// one is a word like any other. Rules observed on keepalived 2.2.7.
#include "control/config/generators.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "control/config/characters.h"

namespace sluice::control::config {

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool has_blank(std::string_view text) {
  for (const char c : text) {
    if (is_blank(c)) return true;
  }
  return false;
}

/// Decimal, 0x hexadecimal or 0 octal; an empty word is 0.
std::optional<std::int64_t> number(std::string_view word) {
  if (word.empty()) return 0;
  const std::string text(word);
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), &end, 0);
  if (errno != 0 || end != text.c_str() + text.size()) return std::nullopt;
  return value;
}

struct Sequence {
  std::int64_t start = 0;
  std::int64_t step = 0;
  std::uint64_t count = 0;
};

/// [START, [STEP,]] END. Nothing if END can't be reached.
std::optional<Sequence> read_sequence(const std::vector<std::string_view>& words) {
  std::vector<std::int64_t> numbers;
  for (const std::string_view word : words) {
    const auto value = number(word);
    if (!value) return std::nullopt;
    numbers.push_back(*value);
  }
  if (numbers.empty() || numbers.size() > 3) return std::nullopt;
  const std::int64_t end = numbers.back();
  const std::int64_t start = numbers.size() > 1 ? numbers.front() : end < 0 ? -1 : 1;
  const std::int64_t step = numbers.size() > 2 ? numbers[1] : end < start ? -1 : 1;
  if (step == 0 || (end > start && step < 0) || (end < start && step > 0)) return std::nullopt;
  // As unsigned: the difference may be larger than any signed number.
  const std::uint64_t distance =
      end < start ? std::uint64_t(start) - std::uint64_t(end) : std::uint64_t(end) - std::uint64_t(start);
  const std::uint64_t stride = step < 0 ? 0 - std::uint64_t(step) : std::uint64_t(step);
  std::uint64_t count = distance / stride;
  if (count < ~std::uint64_t{0}) ++count;
  return Sequence{start, step, count};
}

/// Members between commas; each one a word, or words in braces. Nothing if it isn't of that shape.
std::optional<std::vector<std::vector<std::string>>> read_members(std::string_view text) {
  std::vector<std::vector<std::string>> members;
  while (true) {
    text = trimmed(text);
    std::vector<std::string> member;
    if (text.starts_with('{')) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) return std::nullopt;
      for (const std::string_view word : split(text.substr(1, end - 1), ',')) member.emplace_back(word);
      text = trimmed(text.substr(end + 1));
      if (!text.empty() && text.front() != ',') return std::nullopt;
    } else {
      const std::size_t end = text.find(',');
      member.emplace_back(trimmed(text.substr(0, end)));
      text = end == std::string_view::npos ? "" : text.substr(end);
      if (member.front().contains('}')) return std::nullopt;
    }
    for (const std::string& word : member) {
      if (has_blank(word)) return std::nullopt;
    }
    members.push_back(std::move(member));
    if (text.empty()) return members;
    text.remove_prefix(1);
  }
}

}  // namespace

bool Lexer::takes_generator(const Text& whole) {
  std::size_t at = 0;
  while (at < whole.size() && is_blank(whole[at].value)) ++at;
  if (at >= whole.size() || whole[at].value != '~' || whole[at].literal) return false;
  const std::string text = string_of(whole, at, comment_at(whole));
  std::string_view kind;
  for (const std::string_view known : {"SEQx", "SEQ", "LST"}) {
    if (kind.empty() && std::string_view(text).substr(1).starts_with(known)) kind = known;
  }
  if (kind.empty()) return false;

  const Place where = place(whole[at].column);
  const std::size_t open = text.find_first_not_of(" \t", 1 + kind.size());
  const std::size_t close = text.find(')');
  Generator generator;
  if (open != std::string::npos && text[open] == '(' && close != std::string::npos) {
    const auto argument = [&](std::size_t i) { return whole.begin() + static_cast<std::ptrdiff_t>(at + i); };
    Text arguments(argument(open + 1), argument(close));
    generator.line.assign(argument(close + 1), argument(text.size()));
    if (kind == "LST") {
      if (auto members = read_members(string_of(arguments, 0, arguments.size())); members && members->size() > 1) {
        generator.names = std::move(members->front());
        generator.rows.assign(std::make_move_iterator(members->rbegin()), std::make_move_iterator(members->rend() - 1));
        generator.left = generator.rows.size();
        for (const auto& row : generator.rows) {
          if (row.size() > generator.names.size()) {
            error(where,
                  fmt::format("~LST has {} values for {} names, line ignored", row.size(), generator.names.size()));
            return true;
          }
        }
      }
    } else {
      substitute(arguments);
      const std::string list = string_of(arguments, 0, arguments.size());
      auto words = split(list, ',');
      generator.names.emplace_back(words.front());
      words.erase(words.begin());
      if (const auto sequence = read_sequence(words)) {
        generator.value = sequence->start;
        generator.step = sequence->step;
        generator.left = sequence->count;
      }
      generator.is_hexadecimal = kind == "SEQx";
    }
  }
  if (generator.left == 0 || generator.names.front().empty()) {
    error(where, fmt::format("{} isn't understood, line ignored, expected {}",
                             quoted(std::string_view(text).substr(0, close == std::string::npos ? close : close + 1)),
                             kind == "LST" ? "~LST(NAME, VALUE ...) or ~LST({NAME, NAME}, {VALUE, VALUE} ...)"
                                           : "~SEQ(NAME, [START, [STEP,]] END), where STEP leads from START to END"));
    return true;
  }
  if (generator.left > generated_lines_max - generated_lines_) {
    error(where, fmt::format("~{} makes {} lines, line ignored, expected at most {} from all of them", kind,
                             generator.left, generated_lines_max));
    return true;
  }
  if (generator.is_hexadecimal &&
      (generator.value < 0 || generator.value + generator.step * static_cast<std::int64_t>(generator.left - 1) < 0)) {
    error(where, "~SEQx knows no negative numbers, line ignored");
    return true;
  }
  generated_lines_ += generator.left;

  Source source;
  source.file = sources_.back().file;
  source.depth = sources_.back().depth;
  source.is_file = false;
  source.place = where;
  source.generator = std::make_unique<Generator>(std::move(generator));
  sources_.push_back(std::move(source));
  return true;
}

/// The next line of the innermost source, which is a generator.
void Lexer::next_generated() {
  Generator& generator = *sources_.back().generator;
  if (generator.left == 0) {
    pop();
    return;
  }
  --generator.left;
  if (generator.rows.empty()) {
    definitions_[generator.names.front()] =
        generator.is_hexadecimal ? fmt::format("{:x}", generator.value) : fmt::format("{}", generator.value);
    if (generator.left > 0) generator.value += generator.step;  // else there may be no such number
  } else {
    std::vector<std::string>& row = generator.rows.back();
    row.resize(generator.names.size());
    for (std::size_t i = 0; i < row.size(); ++i) definitions_[generator.names[i]] = std::move(row[i]);
    generator.rows.pop_back();
  }
  if (charge(generator.line.size() + 1, sources_.back().place)) read_special(generator.line);
}

}  // namespace sluice::control::config
