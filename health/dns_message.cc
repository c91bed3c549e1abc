#include "health/dns_message.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::health {

namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t name_bytes_max = 255;  // with the length bytes and the root
constexpr std::uint8_t is_response = 0x80;   // QR, in the header's third byte
constexpr std::uint8_t recursion_desired = 0x01;

void append(std::vector<std::uint8_t>& bytes, std::uint16_t number) {
  bytes.push_back(static_cast<std::uint8_t>(number >> 8));
  bytes.push_back(static_cast<std::uint8_t>(number));
}

}  // namespace

std::optional<DnsType> parse_dns_type(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, DnsType>, 7> types{{{"A", DnsType::a},
                                                                       {"NS", DnsType::ns},
                                                                       {"CNAME", DnsType::cname},
                                                                       {"SOA", DnsType::soa},
                                                                       {"MX", DnsType::mx},
                                                                       {"TXT", DnsType::txt},
                                                                       {"AAAA", DnsType::aaaa}}};
  constexpr auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  for (const auto& [word, type] : types) {
    if (std::equal(text.begin(), text.end(), word.begin(), word.end(), [&](char x, char y) { return upper(x) == y; })) {
      return type;
    }
  }
  return std::nullopt;
}

std::optional<std::vector<std::uint8_t>> dns_question(std::uint16_t id, DnsType type, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::vector<std::uint8_t> bytes;
  append(bytes, id);
  append(bytes, recursion_desired << 8);
  append(bytes, 1);  // one question
  for (int i = 0; i < 3; ++i) append(bytes, 0);

  for (bool more = !name.empty(); more;) {
    const auto dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (label.empty() || label.size() > label_bytes_max) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(label.size()));
    bytes.insert(bytes.end(), label.begin(), label.end());
    more = dot != std::string_view::npos;
    if (more) name.remove_prefix(dot + 1);
  }
  bytes.push_back(0);
  if (bytes.size() - header_bytes > name_bytes_max) return std::nullopt;

  append(bytes, static_cast<std::uint16_t>(type));
  append(bytes, 1);  // class IN
  return bytes;
}

DnsAnswer read_dns_answer(std::span<const std::uint8_t> datagram, std::uint16_t id) {
  if (datagram.size() < header_bytes) return {};
  if ((datagram[0] << 8 | datagram[1]) != id || (datagram[2] & is_response) == 0) return {};
  return {true, static_cast<std::uint8_t>(datagram[3] & 0xf)};
}

std::string rcode_words(std::uint8_t rcode) {
  constexpr std::array<std::string_view, 6> names{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
  if (rcode < names.size()) return std::string(names[rcode]);
  return "rcode " + std::to_string(rcode);
}

}  // namespace sluice::health
