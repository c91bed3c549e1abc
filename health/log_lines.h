// What keepalived's log says of a checker, so that what operators grep for still matches: the words for each kind of
// checker, one visitor per sentence. When a line is due, and at which level, is control/pools/checker_log.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "health/spec.h"

namespace sluice::health {

/// How keepalived names them: "[10.0.0.11]:tcp:80".
struct CheckedNames {
  std::string server;
  std::string service;
};

/// The checker is up, and wasn't, or had never run.
[[nodiscard]] std::string up_line(const CheckerSpec& spec, const CheckedNames& names);
/// One success of a checker that is down, or just comes up: keepalived has such a line for each URL. Nothing: it has
/// none.
[[nodiscard]] std::optional<std::string> progress_line(const CheckerSpec& spec, const CheckedNames& names,
                                                       const std::string& reason);
/// The checker went down. retries: how many failures were tolerated before; reason: the last probe's.
[[nodiscard]] std::string down_line(const CheckerSpec& spec, const CheckedNames& names, std::uint32_t retries,
                                    const std::string& reason);
/// What keepalived says of a failed SMTP_CHECK, in its log and in mail: "Could not connect to server [10.0.0.11]:25".
[[nodiscard]] std::string smtp_failure(const SmtpCheckSpec& spec, const std::string& reason);
/// One failed probe that changes nothing, for those who log all failures.
[[nodiscard]] std::string failure_line(const CheckerSpec& spec, const CheckedNames& names, const std::string& reason);

}  // namespace sluice::health
