// Values; see values.h. Forms and ranges observed on keepalived 2.2.7.
#include "control/config/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "control/config/writer.h"

namespace sluice::control::config {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Digits at the start of `text`, saturating far above every range in use; `used` is how many.
std::int64_t leading_number(std::string_view text, std::size_t& used) {
  constexpr std::int64_t ceiling = std::int64_t{1} << 50;
  std::int64_t value = 0;
  for (used = 0; used < text.size() && is_digit(text[used]); ++used) {
    value = std::min(value * 10 + (text[used] - '0'), ceiling);
  }
  return value;
}

std::string_view trim_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

}  // namespace

const Word* argument(Context& context, const Statement& statement, std::size_t index, std::string_view expected) {
  if (index < statement.words.size()) return &statement.words[index];
  context.diagnostics.missing_argument(
      statement.place, fmt::format("{} lacks a value, expected {}; ignored", quoted(statement.keyword()), expected));
  return nullptr;
}

std::optional<std::int64_t> read_integer(Context& context, const Statement& statement, std::size_t index,
                                         std::int64_t min, std::int64_t max) {
  const std::string expected = fmt::format("a whole number {}..{}", min, max);
  const Word* word = argument(context, statement, index, expected);
  if (word == nullptr) return std::nullopt;
  std::string_view text = trim_blanks(word->text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::size_t used = 0;
  std::int64_t value = leading_number(text, used);
  if (negative) value = -value;
  const Place place = statement.place_of(index);
  if (used == 0 || value < min || value > max) {
    context.diagnostics.error(
        place, fmt::format("{} {} ignored, expected {}", statement.keyword(), quoted(word->text), expected));
    return std::nullopt;
  }
  if (used < text.size()) {
    context.diagnostics.warning(place, fmt::format("{} {} is taken as {}, expected {}", statement.keyword(),
                                                   quoted(word->text), value, expected));
  }
  return value;
}

std::optional<Duration> read_timer(Context& context, const Statement& statement, std::size_t index, Duration min,
                                   Duration max) {
  const std::string expected = fmt::format("seconds {}..{}, decimals allowed", seconds_text(min), seconds_text(max));
  const Word* word = argument(context, statement, index, expected);
  if (word == nullptr) return std::nullopt;
  const std::string_view text = trim_blanks(word->text);
  const Place place = statement.place_of(index);

  std::size_t used = 0;
  // Seconds beyond the ceiling are out of range below, whatever the fraction.
  const std::int64_t whole = std::min<std::int64_t>(leading_number(text, used), 10'000'000'000);
  std::string_view rest = text.substr(used);
  std::int64_t micros = 0;
  bool too_fine = false;
  std::size_t decimals = 0;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    std::int64_t unit = 100'000;
    for (; decimals < rest.size() && is_digit(rest[decimals]); ++decimals) {
      const int digit = rest[decimals] - '0';
      if (decimals < 6) {
        micros += digit * unit;
        unit /= 10;
      } else {
        if (decimals == 6 && digit >= 5) ++micros;
        too_fine = true;
      }
    }
    rest.remove_prefix(decimals);
  }
  const Duration value{whole * 1'000'000 + micros};
  if ((used == 0 && decimals == 0) || value < min || value > max) {
    context.diagnostics.error(
        place, fmt::format("{} {} ignored, expected {}", statement.keyword(), quoted(word->text), expected));
    return std::nullopt;
  }
  if (too_fine || !rest.empty()) {
    context.diagnostics.warning(place, fmt::format("{} {} is taken as {}, expected {}", statement.keyword(),
                                                   quoted(word->text), seconds_text(value), expected));
  }
  return value;
}

std::optional<bool> read_bool(Context& context, const Statement& statement, std::size_t index) {
  if (index >= statement.words.size()) return true;
  const std::string& text = statement.words[index].text;
  if (text == "true" || text == "on" || text == "yes") return true;
  if (text == "false" || text == "off" || text == "no") return false;
  context.diagnostics.error(
      statement.place_of(index),
      fmt::format("{} {} ignored, expected true, on, yes, false, off or no", statement.keyword(), quoted(text)));
  return std::nullopt;
}

std::optional<net::IpAddr> read_address(Context& context, const Statement& statement, std::size_t index) {
  const Word* word = argument(context, statement, index, "an IPv4 or IPv6 address");
  if (word == nullptr) return std::nullopt;
  if (const auto address = net::IpAddr::parse(word->text)) return address;
  std::string hint;
  if (const auto colon = word->text.rfind(':'); colon != std::string::npos) {
    if (net::Ipv4Addr::parse(std::string_view(word->text).substr(0, colon))) {
      hint = "; the port is a word of its own";
    }
  }
  context.diagnostics.error(statement.place_of(index), fmt::format("{} {} ignored, expected an IPv4 or IPv6 address{}",
                                                                   statement.keyword(), quoted(word->text), hint));
  return std::nullopt;
}

bool is_item(Context& context, const Statement& line, std::string_view list) {
  if (!line.has_block) return true;
  context.diagnostics.error(line.place, fmt::format("{} ignored, expected a name in {}: is a '}}' missing before it?",
                                                    quoted(line.keyword()), list));
  return false;
}

std::optional<std::uint32_t> parse_number(std::string_view digits, std::uint32_t max) {
  std::size_t used = 0;
  const std::int64_t value = leading_number(digits, used);
  if (used == 0 || used != digits.size() || value > std::int64_t{max}) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::optional<Prefix> read_prefix(Context& context, const Statement& statement, std::size_t index) {
  const Word* word = argument(context, statement, index, "a prefix such as 192.0.2.0/24");
  if (word == nullptr) return std::nullopt;
  const std::string_view text = word->text;
  const auto slash = text.find('/');
  const auto address = net::IpAddr::parse(text.substr(0, slash));
  const unsigned longest = address && address->is_v6() ? 128 : 32;
  const auto length = slash == std::string_view::npos ? std::optional<std::uint32_t>(longest)
                                                      : parse_number(text.substr(slash + 1), longest);
  if (!address || !length) {
    context.diagnostics.error(statement.place_of(index),
                              fmt::format("{}: {} is not a prefix, expected e.g. 192.0.2.0/24 or 2001:db8::/64",
                                          statement.keyword(), quoted(text)));
    return std::nullopt;
  }
  return Prefix{*address, *length};
}

std::optional<net::L4Port> read_port(Context& context, const Statement& statement, std::size_t index, bool optional) {
  const Word* word = argument(context, statement, index, "a port 1..65535");
  if (word == nullptr) return std::nullopt;
  if (optional && !word->text.empty() && word->text.find_first_not_of('0') == std::string::npos) return net::L4Port{};
  std::size_t used = 0;
  const std::int64_t value = leading_number(word->text, used);
  if (used == 0 || used != word->text.size() || value < 1 || value > 65535) {
    context.diagnostics.error(statement.place_of(index),
                              fmt::format("{}: {} is not a port, expected 1..65535 (names aren't looked up)",
                                          statement.keyword(), quoted(word->text)));
    return std::nullopt;
  }
  return net::L4Port::of(static_cast<std::uint16_t>(value));
}

std::optional<Script> read_script(Context& context, const Statement& statement) {
  std::vector<std::string> words;
  if (statement.raw.empty()) {
    for (const Word& word : statement.words) words.push_back(word.text);
  } else if (auto split = script_words(statement.raw)) {
    words = std::move(*split);
  } else {
    context.diagnostics.error(statement.place, fmt::format("{} ignored: a quote isn't closed, expected \"COMMAND "
                                                           "ARGUMENTS\" [USER [GROUP]]",
                                                           quoted(statement.keyword())));
    return std::nullopt;
  }
  if (words.size() < 2 || words[1].empty()) {
    context.diagnostics.missing_argument(
        statement.place, fmt::format("{} lacks a value, expected \"COMMAND ARGUMENTS\" [USER [GROUP]]; ignored",
                                     quoted(statement.keyword())));
    return std::nullopt;
  }
  auto argv = script_argv(words[1]);
  if (!argv || argv->empty()) {
    context.diagnostics.error(statement.place,
                              fmt::format("{} {} ignored: a quote isn't closed, or the command is empty",
                                          statement.keyword(), quoted(words[1])));
    return std::nullopt;
  }
  Script script;
  script.position = context.diagnostics.position(statement.place);
  script.argv = std::move(*argv);
  if (words.size() > 2) script.user = words[2];
  if (words.size() > 3) script.group = words[3];
  context.scripts.push_back({statement.place, script.argv.front(), {}});
  return script;
}

void read_script_once(Context& context, const Statement& statement, std::optional<Script>& script) {
  if (script) {
    context.diagnostics.error(statement.place, fmt::format("{} ignored, the block has one already (line {})",
                                                           quoted(statement.keyword()), script->position.line));
    return;
  }
  script = read_script(context, statement);
}

}  // namespace sluice::control::config
