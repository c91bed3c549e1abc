// Values in lines of options; see line.h.
#include "control/config/network/line.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sluice::control::config {

bool OptionLine::take(std::string_view expected) {
  if (at_end() || word() != expected) return false;
  ++at_;
  return true;
}

const std::string* OptionLine::value() { return value(missing_status_); }

const std::string* OptionLine::value(int missing_status) {
  if (at_ + 1 < line_.words.size()) return &line_.words[++at_].text;
  context_.diagnostics.add(Severity::error, place(),
                           fmt::format("{} lacks a value; the {} is ignored", quoted(line_.words[at_].text), what_),
                           missing_status);
  failed_ = true;
  at_ = line_.words.size();
  return nullptr;
}

void OptionLine::error(std::string message) {
  context_.diagnostics.error(place(), std::move(message));
  failed_ = true;
}

void OptionLine::warning(std::string message) { context_.diagnostics.warning(place(), std::move(message)); }

void OptionLine::refuse(const std::string& expected) {
  error(
      fmt::format("{} {}: expected {}; the {} is ignored", line_.words[at_ - 1].text, quoted(word()), expected, what_));
}

std::optional<std::uint64_t> any_number(std::string_view text, std::uint64_t max) {
  unsigned base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                           : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                                                  : base;
    if (digit >= base) return std::nullopt;
    if (value > (max - std::min<std::uint64_t>(digit, max)) / base) return std::nullopt;
    value = value * base + digit;
  }
  if (value > max) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> OptionLine::number(std::uint64_t max) {
  const std::string* text = value();
  if (text == nullptr) return std::nullopt;
  const auto result = any_number(*text, max);
  if (!result) refuse(fmt::format("a number 0..{}", max));
  return result;
}

std::optional<std::uint32_t> OptionLine::named_number(NameTable table, std::uint32_t max) {
  const std::string* text = value();
  if (text == nullptr) return std::nullopt;
  if (const auto result = any_number(*text, max)) return static_cast<std::uint32_t>(*result);
  if (const auto result = number_of(context_, table, *text); result && *result <= max) return result;
  refuse(fmt::format("a number 0..{} or a name that iproute2 knows", max));
  return std::nullopt;
}

std::optional<net::IpAddr> OptionLine::address() {
  const std::string* text = value();
  if (text == nullptr) return std::nullopt;
  const auto result = net::IpAddr::parse(*text);
  if (!result) refuse("an address such as 192.0.2.1");
  return result;
}

std::optional<Prefix> OptionLine::prefix(bool& any) {
  const std::string& text = word();
  any = text == "default" || text == "all" || text == "any";
  if (any) return std::nullopt;
  const auto slash = text.find('/');
  const auto result = net::IpAddr::parse(std::string_view(text).substr(0, slash));
  if (!result) {
    error(fmt::format("{} is neither an option nor a prefix such as 192.0.2.0/24; the {} is ignored", quoted(text),
                      what_));
    return std::nullopt;
  }
  const unsigned longest = result->is_v6() ? 128 : 32;
  if (slash == std::string::npos) return Prefix{*result, longest};
  if (const auto length = parse_number(std::string_view(text).substr(slash + 1), longest)) {
    return Prefix{*result, *length};
  }
  context_.diagnostics.error(
      place(), fmt::format("prefix length of {} is taken as {}, expected 0..{}", quoted(text), longest, longest));
  return Prefix{*result, longest};
}

std::optional<Realms> OptionLine::realms() {
  const std::string* text = value();
  if (text == nullptr) return std::nullopt;
  const auto part = [&](std::string_view word) -> std::optional<unsigned> {
    if (const auto number = any_number(word, 65535)) return static_cast<unsigned>(*number);
    return number_of(context_, NameTable::realms, std::string(word));
  };
  const auto slash = text->find('/');
  const std::string_view all = *text;
  // One alone is the destination's, as in ip route.
  const auto to = part(slash == std::string::npos ? all : all.substr(slash + 1));
  const auto from = slash == std::string::npos ? std::optional<unsigned>(0) : part(all.substr(0, slash));
  if (to && from && *to <= 65535 && *from <= 65535) return Realms{*from, *to};
  refuse("realms FROM/TO, each 0..65535 or a name that iproute2 knows");
  return std::nullopt;
}

std::optional<std::string> OptionLine::interface() {
  const std::string* text = value();
  if (text == nullptr) return std::nullopt;
  context_.interfaces.push_back({place(), *text});
  return *text;
}

void write_realms(std::vector<Arg>& args, const Realms& realms) {
  if (realms == Realms{}) return;
  args.push_back(
      option("realms", realms.from == 0 ? fmt::format("{}", realms.to) : fmt::format("{}/{}", realms.from, realms.to)));
}

bool is_track_group(Context& context, Place place, const std::string& name) {
  if (context.names.contains("track_group " + name)) return true;
  const auto later = context.definitions.find("track_group " + name);
  context.diagnostics.error(
      place,
      fmt::format("track_group {} ignored, {}", quoted(name),
                  later == context.definitions.end()
                      ? "expected the name of one that stands above"
                      : fmt::format("it is defined later, in line {}: expected above its use", later->second.line)));
  return false;
}

}  // namespace sluice::control::config
