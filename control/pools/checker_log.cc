#include "control/pools/checker_log.h"

#include <fmt/format.h>

namespace sluice::control {

namespace {

struct SuccessLine {
  const std::string& server;
  std::string operator()(const health::TcpCheckSpec&) const {
    return fmt::format("TCP connection to {} success.", server);
  }
  std::string operator()(const health::HttpGetSpec&) const {
    return fmt::format("Remote Web server {} succeed on service.", server);
  }
};

/// One failed probe, whatever it means.
struct FailureLine {
  const std::string& server;
  std::string operator()(const health::TcpCheckSpec&) const {
    return fmt::format("TCP connection to {} failed.", server);
  }
  std::string operator()(const health::HttpGetSpec&) const { return fmt::format("HTTP request to {} failed.", server); }
};

}  // namespace

std::optional<std::string> checker_line(const CheckerSetup& checker, const std::string& server,
                                        const health::HealthEvent& event) {
  const auto& what = checker.spec.what;
  const health::Outcome& outcome = event.outcome;
  const bool news = outcome.changed || outcome.first;
  switch (event.verdict) {
    case health::Verdict::success:
      if (!news) return std::nullopt;
      return std::visit(SuccessLine{server}, what);
    case health::Verdict::failure:
      if (news) {
        const auto after = outcome.retries == 0 ? std::string() : fmt::format(" after {} retries", outcome.retries);
        return fmt::format("{} on service {} failed{}. ({})", health::log_name(checker.spec), server, after,
                           event.reason);
      }
      if (!checker.log_all_failures) return std::nullopt;
      return fmt::format("{} ({})", std::visit(FailureLine{server}, what), event.reason);
    case health::Verdict::not_counted:
      return fmt::format("{} on service {}: {}. Rescheduling.", health::log_name(checker.spec), server, event.reason);
  }
  return std::nullopt;
}

}  // namespace sluice::control
