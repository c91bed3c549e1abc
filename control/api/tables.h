// What sluicectl prints: the control socket's JSON as tables for people. Pure text to text, unknown members are
// ignored, so that either side may be newer. Services and connections look as ipvsadm shows them (`-L -n`, `-L -n -c`),
// because that is what operators and their scripts read.
#pragma once

#include <string>
#include <string_view>

#include "net/error.h"

namespace sluice::control::api {

/// GET /services as `ipvsadm -L -n`: its header lines, columns and order (IPv4 before IPv6; TCP, UDP, SCTP; address,
/// port), and a column more for health. Destinations that were taken out begin with "  x " instead of "  -> ", so
/// that counting arrows counts what is in the table.
/// An error if it isn't what the daemon serves.
[[nodiscard]] Result<std::string> services_table(std::string_view json);

/// GET /connections as `ipvsadm -L -n -c`, in the daemon's order.
[[nodiscard]] Result<std::string> connections_table(std::string_view json);

/// GET /stats. all: drop reasons that never happened too.
[[nodiscard]] Result<std::string> stats_table(std::string_view json, bool all);

/// GET /vrrp: a line per instance, and what holds those back that are in FAULT. all: timers, counters and every reason for
/// which advertisements were dropped, too.
[[nodiscard]] Result<std::string> vrrp_table(std::string_view json, bool all);

/// GET /bfd: a line per session. all: its two sides, discriminators, counters and why packets were dropped, too.
[[nodiscard]] Result<std::string> bfd_table(std::string_view json, bool all);

/// GET /health: a line per checker. failing: only those that fail, tolerated or not.
[[nodiscard]] Result<std::string> health_table(std::string_view json, bool failing);

/// POST /reload and /diff.
struct Changes {
  bool ok = false;         ///< the file is good; for /reload: and is in force
  std::string complaints;  ///< a line each
  std::string changes;     ///< a line each; never empty
};
[[nodiscard]] Result<Changes> changes(std::string_view json);

/// The same JSON over several lines, members in the daemon's order.
[[nodiscard]] Result<std::string> indented(std::string_view json);

}  // namespace sluice::control::api
