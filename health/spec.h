// What a checker is told to do: plain values with every default and every inheritance already resolved (by control).
// One alternative of CheckerSpec per kind of checker; adding a kind touches this variant, its own file and one line in
// health_thread.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "health/body_regex.h"
#include "health/byte_pattern.h"
#include "health/dns_message.h"
#include "health/retry.h"
#include "health/script.h"
#include "net/address.h"
#include "net/shared_value.h"

namespace sluice::health {

/// A checker, for as long as control keeps it. Control hands the numbers out and never reuses one.
enum class CheckerId : std::uint64_t {};

/// How to reach what is checked.
struct Connect {
  net::IpAddr address;
  net::L4Port port;
  std::optional<net::IpAddr> bind_address;  ///< keepalived: bindto
  net::L4Port bind_port{};                  ///< 0 = any; only with bind_address
  std::string bind_interface;               ///< SO_BINDTODEVICE; empty = none
  std::uint32_t mark = 0;                   ///< SO_MARK; 0 = none (keepalived: fwmark)
  /// For each step (connecting, each read, each write), not for the whole probe.
  std::chrono::milliseconds timeout{std::chrono::seconds{5}};

  bool operator==(const Connect&) const = default;
};

struct TcpCheckSpec {
  Connect connect;

  bool operator==(const TcpCheckSpec&) const = default;
};

/// Both ends included.
struct StatusRange {
  std::uint16_t low = 200;
  std::uint16_t high = 299;

  bool operator==(const StatusRange&) const = default;
};

using Md5 = std::array<std::uint8_t, 16>;

struct UrlSpec {
  std::string path = "/";
  std::string virtual_host;                                 ///< empty: the Host header is IP:PORT
  std::vector<StatusRange> status_codes = {StatusRange{}};  ///< any of them
  std::optional<Md5> digest;
  net::SharedValue<RegexSpec> regex;  ///< of the body, over the same bytes as the digest
  std::string server_name;            ///< TLS only: for SNI; empty: none is sent
  /// TLS only: a server that closes without close_notify has failed, and we send ours.
  bool tls_compliant = false;

  bool operator==(const UrlSpec&) const = default;
};

/// keepalived's http_protocol: 1.0, 1.0 with "Connection: close" (1.0C), 1.1 (with the same).
enum class HttpVersion : std::uint8_t { http_1_0, http_1_0_close, http_1_1 };

/// What one answer may cost. An answer that goes past a limit is a failure which says so.
struct HttpLimits {
  std::uint32_t head_bytes_max = 64 * 1024;          ///< status line and headers; what common servers accept too
  std::uint64_t body_bytes_max = 64u * 1024 * 1024;  ///< digested in passing, never kept
  /// For the whole answer: connect_timeout only bounds each read, and a byte per second would keep a checker for ever.
  std::chrono::milliseconds answer_time_max{std::chrono::seconds{60}};

  bool operator==(const HttpLimits&) const = default;
};

/// keepalived's SSL block: files of the client's own material, each may be empty. The server is never verified.
struct TlsSpec {
  std::string ca;
  std::string certificate;  ///< PEM, with its chain
  std::string key;          ///< PEM
  std::string password;     ///< of the key
  /// Another number where the files may have changed: those who gave it read them again, the others go on as they were.
  std::uint64_t version = 0;

  bool operator==(const TlsSpec&) const = default;
};

/// HTTP_GET, or with `tls` SSL_GET.
struct HttpGetSpec {
  Connect connect;
  std::vector<UrlSpec> urls;  ///< at least one
  net::SharedValue<TlsSpec> tls;
  HttpVersion version = HttpVersion::http_1_0;
  bool fast_recovery = false;
  HttpLimits limits;

  bool operator==(const HttpGetSpec&) const = default;
};

struct DnsCheckSpec {
  Connect connect;
  DnsType type = DnsType::soa;
  std::string name = ".";  ///< as dns_question() takes it

  bool operator==(const DnsCheckSpec&) const = default;
};

struct UdpCheckSpec {
  Connect connect;
  std::vector<std::uint8_t> payload;  ///< empty: 32 bytes of text
  bool require_reply = false;
  std::optional<BytePattern> reply;      ///< only with require_reply; the lengths only count with it
  std::uint16_t min_reply_length = 0;    ///< bytes
  std::uint16_t max_reply_length = 255;  ///< bytes

  bool operator==(const UdpCheckSpec&) const = default;
};

struct PingCheckSpec {
  Connect connect;  ///< ports don't matter

  bool operator==(const PingCheckSpec&) const = default;
};

struct SmtpCheckSpec {
  Connect connect;
  std::string helo_name = "smtpchecker.keepalived.org";
  /// For the whole conversation: connect_timeout only bounds each wait.
  std::chrono::milliseconds conversation_time_max{std::chrono::seconds{60}};

  bool operator==(const SmtpCheckSpec&) const = default;
};

struct MiscCheckSpec {
  ScriptCommand script;
  bool dynamic = false;  ///< misc_dynamic: the exit status speaks of weight, too

  bool operator==(const MiscCheckSpec&) const = default;
};

/// Of watched.h; timings and warm-up don't matter.
struct FileCheckSpec {
  std::string file;         ///< the track_file's name
  std::int32_t weight = 1;  ///< what its value is multiplied by
  bool reverse = false;

  bool operator==(const FileCheckSpec&) const = default;
};

/// Of watched.h; timings and warm-up don't matter.
struct BfdCheckSpec {
  std::string session;  ///< the bfd_instance's name

  bool operator==(const BfdCheckSpec&) const = default;
};

struct CheckerSpec {
  std::variant<TcpCheckSpec, HttpGetSpec, DnsCheckSpec, UdpCheckSpec, PingCheckSpec, SmtpCheckSpec, MiscCheckSpec,
               FileCheckSpec, BfdCheckSpec>
      what;
  RetryTimings timings;
  /// The first probe waits a random part of this, so that probes spread.
  std::chrono::milliseconds warmup{std::chrono::seconds{60}};
  bool starts_up = true;  ///< false: alpha

  bool operator==(const CheckerSpec&) const = default;
};

/// "TCP_CHECK", "HTTP_CHECK", "ICMP CHECK": the words in keepalived's log lines.
[[nodiscard]] std::string_view log_name(const CheckerSpec& spec);
/// What it asks, for an operator: "10.0.0.11:80", the path of a script.
[[nodiscard]] std::string target_of(const CheckerSpec& spec);

/// "a1b2..." (32 hex digits, either case) as bytes; nothing if it isn't that.
[[nodiscard]] std::optional<Md5> parse_md5(std::string_view hex);
[[nodiscard]] std::string to_string(const Md5& digest);

}  // namespace sluice::health
