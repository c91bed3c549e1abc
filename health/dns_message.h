// The two DNS messages of DNS_CHECK: the question, and what an answer says of the server (RFC 1035 4.1). Pure, so it
// can be fuzzed. Only the header of an answer is judged, as keepalived does: a server that answers is well, whatever it
// knows of the name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::health {

/// RFC 1035 3.2.2, RFC 3596.
enum class DnsType : std::uint16_t { a = 1, ns = 2, cname = 5, soa = 6, mx = 15, txt = 16, aaaa = 28 };

/// "A", "aaaa". Nothing for what DNS_CHECK doesn't know.
[[nodiscard]] std::optional<DnsType> parse_dns_type(std::string_view text);

/// A recursive question of class IN. name: "www.example.org", with or without a dot at its end; "." is the root.
/// Nothing if that is no name: an empty label, one over 63 bytes, over 255 bytes in all.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> dns_question(std::uint16_t id, DnsType type,
                                                                    std::string_view name);

/// What a datagram says. is_answer false: it has another id, or isn't an answer at all, and is to be skipped.
struct DnsAnswer {
  bool is_answer = false;
  std::uint8_t rcode = 0;  ///< RFC 1035 4.1.1; 0 is success
};
[[nodiscard]] DnsAnswer read_dns_answer(std::span<const std::uint8_t> datagram, std::uint16_t id);

/// "NXDOMAIN", "SERVFAIL", "rcode 11".
[[nodiscard]] std::string rcode_words(std::uint8_t rcode);

}  // namespace sluice::health
