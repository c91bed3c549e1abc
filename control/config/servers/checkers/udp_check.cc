// UDP_CHECK: what is sent, and what has to come back.
#include <fmt/format.h>

#include "control/config/servers/checkers/checkers.h"

namespace sluice::control::config {

namespace {

constexpr std::int64_t length_max = 65535;

struct Nibble {
  unsigned value = 0;
  unsigned mask = 0xf;
};

std::optional<Nibble> nibble(char c, bool wildcards) {
  if (c >= '0' && c <= '9') return Nibble{unsigned(c - '0')};
  if (c >= 'a' && c <= 'f') return Nibble{unsigned(c - 'a' + 10)};
  if (c >= 'A' && c <= 'F') return Nibble{unsigned(c - 'A' + 10)};
  if (wildcards && (c == 'x' || c == 'X')) return Nibble{0, 0};
  return std::nullopt;
}

/// Hexadecimal digits of all words from the second on: two make a byte, one that is left alone at the end of a word
/// is a byte of its own.
std::optional<HexPattern> read_hex(Context& context, const Statement& statement, bool wildcards) {
  HexPattern pattern;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const std::string& text = statement.words[i].text;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] == ' ' || text[at] == '\t') {
        ++at;
        continue;
      }
      const auto high = nibble(text[at], wildcards);
      const bool pair = at + 1 < text.size() && text[at + 1] != ' ' && text[at + 1] != '\t';
      const auto low = pair ? nibble(text[at + 1], wildcards) : high;
      if (!high || !low) {
        context.diagnostics.error(statement.place_of(i),
                                  fmt::format("{} {} ignored, expected hexadecimal digits{}", statement.keyword(),
                                              quoted(text), wildcards ? " or X for any" : ""));
        return std::nullopt;
      }
      const Nibble first = pair ? *high : Nibble{};  // a lone digit has a zero before it
      pattern.value.push_back(static_cast<std::uint8_t>(first.value << 4 | low->value));
      pattern.mask.push_back(static_cast<std::uint8_t>(first.mask << 4 | low->mask));
      at += pair ? 2 : 1;
    }
  }
  return pattern;
}

std::string hex_text(const std::vector<std::uint8_t>& value, const std::vector<std::uint8_t>* mask) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string byte = fmt::format("{:02x}", value[i]);
    if (mask != nullptr && ((*mask)[i] & 0xf0) == 0) byte[0] = 'X';
    if (mask != nullptr && ((*mask)[i] & 0x0f) == 0) byte[1] = 'X';
    text += byte;
  }
  return text;
}

void set_payload(Context& context, const Statement& statement, UdpCheck& check) {
  if (soft_argument(context, statement, 1, "hexadecimal digits") == nullptr) return;
  if (auto pattern = read_hex(context, statement, false)) check.exchange.ensure().payload = std::move(pattern->value);
}
void write_payload(Writer& writer, std::string_view keyword, const UdpCheck& check) {
  if (check.exchange && !check.exchange->payload.empty()) {
    writer.line(keyword, {plain("", hex_text(check.exchange->payload, nullptr))});
  }
}

void set_reply(Context& context, const Statement& statement, UdpCheck& check) {
  auto pattern = read_hex(context, statement, true);
  if (!pattern) return;
  check.require_reply = true;
  if (!pattern->value.empty()) check.exchange.ensure().reply = std::move(*pattern);
}
void write_reply(Writer& writer, std::string_view keyword, const UdpCheck& check) {
  if (!check.require_reply) return;
  if (!check.exchange || check.exchange->reply.value.empty()) return writer.line(keyword, {});
  writer.line(keyword, {plain("", hex_text(check.exchange->reply.value, &check.exchange->reply.mask))});
}

template <unsigned UdpExchange::*Member>
void set_length(Context& context, const Statement& statement, UdpCheck& check) {
  if (auto value = read_integer(context, statement, 1, 0, length_max)) {
    check.exchange.ensure().*Member = static_cast<unsigned>(*value);
  }
}
template <unsigned UdpExchange::*Member>
void write_length(Writer& writer, std::string_view keyword, const UdpCheck& check) {
  const unsigned length = check.exchange ? (*check.exchange).*Member : UdpExchange{}.*Member;
  writer.line(keyword, {plain("", std::int64_t{length})});
}

using F = Field<UdpCheck>;
constexpr auto keywords =
    joined(network_keywords<UdpCheck>, std::to_array<Keyword<UdpCheck>>({
                                           F::custom("payload", set_payload, write_payload),
                                           F::custom("require_reply", set_reply, write_reply),
                                           F::custom("min_reply_length", set_length<&UdpExchange::min_reply_length>,
                                                     write_length<&UdpExchange::min_reply_length>, 2),
                                           F::custom("max_reply_length", set_length<&UdpExchange::max_reply_length>,
                                                     write_length<&UdpExchange::max_reply_length>, 2),
                                       }));

}  // namespace

void read_udp_check(Context& context, const Statement& statement, RealServer& rs) {
  UdpCheck check = read_check<UdpCheck>(context, statement, keywords);
  if (check.exchange && check.exchange->min_reply_length > check.exchange->max_reply_length) {
    context.diagnostics.error(statement.place,
                              fmt::format("UDP_CHECK: min_reply_length {} ignored, no reply could be that long and at "
                                          "most max_reply_length {}",
                                          check.exchange->min_reply_length, check.exchange->max_reply_length));
    check.exchange->min_reply_length = 0;
  }
  if (check.exchange && *check.exchange == UdpExchange{}) check.exchange.reset();
  rs.checkers.emplace_back(std::move(check));
}
void write_check(Writer& writer, const UdpCheck& check) { write_all<UdpCheck>(writer, keywords, check); }
void list_udp_check(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<UdpCheck>(block, keywords, out);
}

}  // namespace sluice::control::config
