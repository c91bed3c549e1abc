#include "control/pools/checker_log.h"

#include <fmt/format.h>

#include "health/log_lines.h"

namespace sluice::control {

std::optional<std::string> checker_line(const CheckerSetup& checker, const health::CheckedNames& names,
                                        const health::HealthEvent& event) {
  const health::Outcome& outcome = event.outcome;
  const bool news = outcome.changed || outcome.first;
  switch (event.verdict) {
    case health::Verdict::success:
      // keepalived has no word for a file that only weighs.
      if (!news || (!outcome.changed && std::holds_alternative<health::FileCheckSpec>(checker.spec->what))) {
        return std::nullopt;
      }
      return up_line(*checker.spec, names);
    case health::Verdict::failure:
      if (news) return down_line(*checker.spec, names, outcome.retries, event.reason);
      if (!checker.log_all_failures) return std::nullopt;
      return failure_line(*checker.spec, names, event.reason);
    case health::Verdict::not_counted:
      return fmt::format("{} on service {}: {}. Rescheduling.", health::log_name(*checker.spec), names.server,
                         event.reason);
  }
  return std::nullopt;
}

}  // namespace sluice::control
