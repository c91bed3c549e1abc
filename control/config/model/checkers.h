// The checkers of real servers, every inheritance resolved.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/config/model/common.h"
#include "control/config/model/compact.h"

namespace sluice::control::config {

/// What all checkers have that run again and again. Final values: checker <- real_server <- virtual_server <- default.
struct CheckerCommon {
  Position position;
  Inherited<Duration> delay_loop;          ///< between checks
  Inherited<Duration> delay_before_retry;  ///< between tries after a failure
  Inherited<Duration> warmup;              ///< longest random delay before the first check; 0 = none
  Inherited<unsigned> retry = 1u;          ///< failures in a row that are forgiven before the checker goes down
  Inherited<bool> alpha;                   ///< starts down, until a first success
  Inherited<bool> log_all_failures;

  bool operator==(const CheckerCommon&) const = default;
};

/// Where a probe starts; most leave that to the host.
struct ProbeSource {
  std::optional<net::IpAddr> address;  ///< bindto; of the family of connect_ip
  net::L4Port port{};                  ///< bind_port; zero: any. Only with an address
  std::string interface;               ///< bind_if; empty: any
  std::uint32_t fwmark = 0;            ///< of the socket; 0: none

  bool operator==(const ProbeSource&) const = default;
};

/// Checkers that talk to the server over the network.
struct NetworkCheck : CheckerCommon {
  Inherited<net::IpAddr> connect_ip;
  Inherited<net::L4Port> connect_port;  ///< zero: nothing gave one, there is nothing to connect to (not PING)
  Inherited<Duration> connect_timeout;
  Boxed<ProbeSource> source;

  bool operator==(const NetworkCheck&) const = default;
};

struct TcpCheck : NetworkCheck {
  bool operator==(const TcpCheck&) const = default;
};

struct PingCheck : NetworkCheck {
  bool operator==(const PingCheck&) const = default;
};

/// Inclusive, 100..599.
struct StatusRange {
  unsigned first = 200;
  unsigned last = 299;

  auto operator<=>(const StatusRange&) const = default;
};

/// A Perl-compatible (PCRE2) pattern that the body has to match.
struct UrlRegex {
  std::string pattern;               ///< a double quote in it stands as \x22
  bool no_match = false;             ///< it must not match
  std::vector<std::string> options;  ///< of regex_option_names, in their order, once each
  std::uint64_t min_offset = 0;      ///< bytes of the body; the match starts within [min, max]
  std::uint64_t max_offset = 0;      ///< 0: no limit
  std::uint64_t stack_start = 0;     ///< bytes; 0: PCRE2's own stack
  std::uint64_t stack_max = 0;

  bool operator==(const UrlRegex&) const = default;
};

/// keepalived's words for PCRE2's options.
inline constexpr std::array<std::string_view, 24> regex_option_names = {"allow_empty_class", "alt_bsux",
                                                                        "auto_callout",      "caseless",
                                                                        "dollar_endonly",    "dotall",
                                                                        "dupnames",          "extended",
                                                                        "firstline",         "match_unset_backref",
                                                                        "multiline",         "never_ucp",
                                                                        "never_utf",         "no_auto_capture",
                                                                        "no_auto_possess",   "no_dotstar_anchor",
                                                                        "no_start_optimize", "ucp",
                                                                        "ungreedy",          "utf",
                                                                        "never_backslash_c", "alt_circumflex",
                                                                        "alt_verbnames",     "use_offset_limit"};

struct Url {
  Position position;
  std::string path;                   ///< never empty
  std::vector<StatusRange> statuses;  ///< never empty; 200-299 unless configured
  std::string digest;                 ///< MD5 of the body, 32 lower-case hex digits; empty: any body
  /// Host header, and TLS' server name: url <- checker <- real server <- virtual server; empty: none set.
  Inherited<SharedText> virtualhost;
  Inherited<bool> tls_compliant;  ///< send close_notify; url <- checker
  Boxed<UrlRegex> regex;

  bool operator==(const Url&) const = default;
};

/// What keepalived spells 1.0; 1.0C (1.0 with a "Connection: close" line); 1.1 (which has that line too).
enum class HttpProtocol : std::uint8_t { http_1_0, http_1_0_close, http_1_1 };

/// HTTP_GET, or SSL_GET.
struct HttpGet : NetworkCheck {
  std::vector<Url> urls;              ///< in order; never empty
  Inherited<SharedText> virtualhost;  ///< the checker's default, already applied to urls
  SharedText sni_name;                ///< TLS' server name; empty: the url's virtualhost
  HttpProtocol http_protocol = HttpProtocol::http_1_0;
  bool ssl = false;
  bool enable_sni = false;
  bool fast_recovery = false;  ///< no delay between URLs while recovering
  bool tls_compliant = false;

  bool operator==(const HttpGet&) const = default;
};

struct SmtpCheck : NetworkCheck {
  SharedText helo_name = default_helo_name();

  [[nodiscard]] static SharedText default_helo_name();
  bool operator==(const SmtpCheck&) const = default;
};

/// Types of records, by their numbers on the wire (RFC 1035, RFC 3596).
enum class DnsType : std::uint16_t { a = 1, ns = 2, cname = 5, soa = 6, mx = 15, txt = 16, aaaa = 28 };

struct DnsCheck : NetworkCheck {
  DnsType type = DnsType::soa;
  SharedText name = ".";  ///< without a dot at the end, but for the root

  bool operator==(const DnsCheck&) const = default;
};

/// A byte fits if (byte & mask) == value.
struct HexPattern {
  std::vector<std::uint8_t> value;
  std::vector<std::uint8_t> mask;  ///< 0xff, 0xf0, 0x0f or 0 each; as long as value

  bool operator==(const HexPattern&) const = default;
};

struct UdpExchange {
  std::vector<std::uint8_t> payload;  ///< empty: keepalived's own 32 bytes of text
  HexPattern reply;                   ///< what the reply has to begin with; empty: anything
  unsigned min_reply_length = 0;      ///< bytes
  unsigned max_reply_length = 255;

  bool operator==(const UdpExchange&) const = default;
};

struct UdpCheck : NetworkCheck {
  bool require_reply = false;  ///< false: only an ICMP error is a failure
  Boxed<UdpExchange> exchange;

  bool operator==(const UdpCheck&) const = default;
};

struct MiscCheck : CheckerCommon {
  Boxed<Script> script;         ///< always there once parsed
  Inherited<Duration> timeout;  ///< misc_timeout <- the virtual server's delay_loop
  bool dynamic = false;         ///< exit statuses 2..255 set the weight

  bool operator==(const MiscCheck&) const = default;
};

/// FILE_CHECK: a track_file's value. Follows events, so that of CheckerCommon it has the position only.
struct FileCheck : CheckerCommon {
  SharedText track_file;
  std::optional<std::int32_t> weight;  ///< none: the track_file's
  bool reverse = false;

  bool operator==(const FileCheck&) const = default;
};

/// BFD_CHECK: a BFD session's state. Follows events, so that of CheckerCommon it has position and alpha only.
struct BfdCheck : CheckerCommon {
  SharedText name;  ///< of the bfd_instance

  bool operator==(const BfdCheck&) const = default;
};

using Checker =
    std::variant<TcpCheck, HttpGet, SmtpCheck, DnsCheck, UdpCheck, PingCheck, MiscCheck, FileCheck, BfdCheck>;

/// The part that every kind of checker has.
[[nodiscard]] const CheckerCommon& common_of(const Checker& checker);
/// "TCP_CHECK": the keyword.
[[nodiscard]] std::string_view keyword_of(const Checker& checker);

}  // namespace sluice::control::config
