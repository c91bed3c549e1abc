#include "health/retry.h"

#include <algorithm>

namespace sluice::health {

Outcome RetryState::on(Verdict verdict) {
  switch (verdict) {
    case Verdict::success: return on_success();
    case Verdict::failure: return on_failure();
    case Verdict::not_counted: break;
  }
  return {up_, false, false, tolerated(), timings_.delay_loop};
}

Outcome RetryState::on_success() {
  const bool changed = !up_;
  const bool first = !has_run_;
  up_ = true;
  has_run_ = true;
  counts_ = true;
  retries_ = 0;
  return {true, changed, first, 0, timings_.delay_loop};
}

Outcome RetryState::on_failure() {
  if (!up_ && has_run_) return {false, false, false, 0, timings_.delay_loop};
  if (retries_ < timings_.retry) {
    ++retries_;
    return {up_, false, false, retries_, timings_.delay_before_retry};
  }
  const Outcome outcome{false, up_, !has_run_, tolerated(), timings_.delay_loop};
  up_ = false;
  has_run_ = true;
  counts_ = true;
  retries_ = 0;
  return outcome;
}

Outcome UrlCycle::on(Verdict verdict) {
  if (verdict == Verdict::success) return on_success();
  Outcome outcome = state_.on(verdict);
  if (verdict == Verdict::failure && !outcome.up && state_.has_run()) {
    failed_url_ = url_;
    outcome.next_probe = std::max(state_.timings().delay_before_retry, state_.timings().delay_loop);
  }
  return outcome;
}

Outcome UrlCycle::on_success() {
  const bool asked_alone = failed_url_.has_value();
  const std::size_t answered = url_;
  failed_url_.reset();
  const bool begin_again = asked_alone;
  const bool complete = !begin_again && answered + 1 == urls_;
  url_ = begin_again || complete ? 0 : answered + 1;
  if (complete) return state_.on_success();

  state_.retries_ = 0;
  const auto wait = fast_recovery_ && proving() ? std::chrono::milliseconds{0} : state_.timings().delay_loop;
  return {state_.is_up(), false, false, 0, wait};
}

}  // namespace sluice::health
