// The checkers of real servers, every inheritance resolved.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

/// What checkers have in common. Final values: checker <- real_server <- virtual_server <- default.
struct CheckerCommon {
  Position position;
  net::IpAddr connect_ip;
  net::L4Port connect_port{};
  std::optional<net::IpAddr> bindto;
  Duration connect_timeout{};
  unsigned retry = 1;             ///< failures in a row that are forgiven before the checker goes down
  Duration delay_before_retry{};  ///< between such tries
  Duration delay_loop{};          ///< between checks
  Duration warmup{};              ///< longest random delay before the first check; 0 = none
  bool alpha = false;             ///< starts down, until a first success
  bool log_all_failures = false;

  bool operator==(const CheckerCommon&) const = default;
};

struct TcpCheck {
  CheckerCommon common;

  bool operator==(const TcpCheck&) const = default;
};

/// Inclusive, 100..599.
struct StatusRange {
  unsigned first = 200;
  unsigned last = 299;

  auto operator<=>(const StatusRange&) const = default;
};

struct Url {
  Position position;
  std::string path;                   ///< never empty
  std::vector<StatusRange> statuses;  ///< never empty; 200-299 unless configured
  std::string digest;                 ///< MD5 of the body, 32 lower-case hex digits; empty: any body
  std::string virtualhost;            ///< Host header: url <- checker <- real server <- virtual server; empty: none set

  bool operator==(const Url&) const = default;
};

/// What keepalived spells 1.0; 1.0C (1.0 with a "Connection: close" line); 1.1 (which has that line too).
enum class HttpProtocol : std::uint8_t { http_1_0, http_1_0_close, http_1_1 };

/// HTTP_GET. SSL_GET has ssl set; such checkers aren't built yet, so parse() never leaves one in a Config.
struct HttpGet {
  CheckerCommon common;
  bool ssl = false;
  std::vector<Url> urls;    ///< in order; never empty
  std::string virtualhost;  ///< the checker's default, already applied to urls
  HttpProtocol http_protocol = HttpProtocol::http_1_0;
  bool fast_recovery = false;  ///< no delay between URLs while recovering

  bool operator==(const HttpGet&) const = default;
};

using Checker = std::variant<TcpCheck, HttpGet>;

/// The part that every kind of checker has.
[[nodiscard]] const CheckerCommon& common_of(const Checker& checker);

}  // namespace sluice::control::config
