#include "health/misc_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::health {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Task<ProbeResult> MiscCheck::probe(EventLoop& /*loop*/) {
  const auto started = steady_clock::now();
  const ScriptOutcome outcome = co_await scripts_->call(spec_.script);
  took_ = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started);
  co_return misc_result(outcome, spec_.dynamic);
}

Outcome MiscCheck::on(Verdict verdict) {
  Outcome outcome = state_.on(verdict);
  outcome.next_probe = std::max(outcome.next_probe - took_, milliseconds{0});
  return outcome;
}

ProbeResult misc_result(const ScriptOutcome& outcome, bool dynamic) {
  switch (outcome.how) {
    case ScriptOutcome::How::timed_out: return failure("timed out");
    case ScriptOutcome::How::killed: return failure(fmt::format("killed by signal {}", outcome.number));
    case ScriptOutcome::How::cannot_run: return failure(outcome.problem);
    case ScriptOutcome::How::not_started: return {Verdict::not_counted, outcome.problem};
    case ScriptOutcome::How::exited: break;
  }
  std::string reason = fmt::format("exited with status {}", outcome.number);
  if (outcome.number == 0) {
    ProbeResult result = success(std::move(reason));
    if (dynamic) result.weight = WeightReport{};
    return result;
  }
  if (!dynamic || outcome.number == 1) {
    ProbeResult result = failure(std::move(reason));
    if (dynamic) result.weight = WeightReport{};  // keepalived: whatever it said of the weight is over
    return result;
  }
  ProbeResult result = success(std::move(reason));
  result.weight = WeightReport{WeightReport::Kind::absolute, outcome.number - 2};
  return result;
}

}  // namespace sluice::health
