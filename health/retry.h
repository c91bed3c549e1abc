// When the next probe is due, and when failures are enough: the bookkeeping of one checker, without probing, without a
// clock. RetryState is keepalived's algorithm for checkers with one target; UrlCycle puts several URLs on top of it, as
// HTTP_GET does. What a probe is lives in tcp_check.h and http_get.h; the timer lives in health_thread.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sluice::health {

/// What one probe says. not_counted: it failed on this side (no socket, no such bind address), which says nothing about
/// the server; keepalived only tries again after delay_loop.
enum class Verdict : std::uint8_t { success, failure, not_counted };

struct RetryTimings {
  std::chrono::milliseconds delay_loop{std::chrono::seconds{60}};         ///< from a probe's end to the next one
  std::chrono::milliseconds delay_before_retry{std::chrono::seconds{1}};  ///< the same, while failures are tolerated
  /// Failures in a row that are tolerated: the one after them takes the server down.
  std::uint32_t retry = 1;

  bool operator==(const RetryTimings&) const = default;
};

/// keepalived's checkers start with their retries used up, so that the first failure ever is enough; but SMTP_CHECK's.
enum class FirstFailure : std::uint8_t { is_enough, is_tolerated };

/// What a probe's verdict meant.
struct Outcome {
  bool up;       ///< what the checker now holds of its server
  bool changed;  ///< `up` is not what it was
  bool first;    ///< the first complete result since the checker was made
  /// Tolerated failures up to now; when `changed` to down, how many were tolerated before.
  std::uint32_t retries;
  std::chrono::milliseconds next_probe;  ///< from now
};

/// keepalived: "success: if it was down or first run, up. Failure while up or never run: when `retry` are used up, down
/// and on after delay_loop, else again after delay_before_retry. Failure while down: after delay_loop, no retries; one
/// success brings it back."
class RetryState {
 public:
  /// starts_up: false for alpha.
  RetryState(RetryTimings timings, bool starts_up, FirstFailure first_failure = FirstFailure::is_enough)
      : timings_(timings),
        up_(starts_up),
        retries_(first_failure == FirstFailure::is_enough ? timings.retry : 0),
        counts_(first_failure == FirstFailure::is_tolerated) {}

  Outcome on(Verdict verdict);

  [[nodiscard]] bool is_up() const { return up_; }
  [[nodiscard]] bool has_run() const { return has_run_; }
  [[nodiscard]] const RetryTimings& timings() const { return timings_; }

 private:
  friend class UrlCycle;
  Outcome on_success();
  Outcome on_failure();
  [[nodiscard]] std::uint32_t tolerated() const { return counts_ ? retries_ : 0; }

  RetryTimings timings_;
  bool up_;
  bool has_run_ = false;
  std::uint32_t retries_;
  bool counts_;  // retries_ counts failures that were tolerated, and isn't only preset
};

/// Several URLs, in order, one per delay_loop. A URL that fails is asked again alone; when it takes the checker down it
/// is remembered and polled every max(delay_before_retry, delay_loop). Once it answers, all are asked from the first
/// before the checker is up, itself once more: an HTTP_GET with one URL needs two answers (observed with 2.2.7).
class UrlCycle {
 public:
  /// urls: how many, at least 1. fast_recovery: don't wait between URLs in the first cycle and in recovery.
  UrlCycle(RetryTimings timings, bool starts_up, std::size_t urls, bool fast_recovery)
      : state_(timings, starts_up), urls_(urls), fast_recovery_(fast_recovery) {}

  /// The URL that the next probe asks.
  [[nodiscard]] std::size_t url() const { return url_; }
  /// The verdict on url().
  Outcome on(Verdict verdict);

  [[nodiscard]] bool is_up() const { return state_.is_up(); }
  [[nodiscard]] bool has_run() const { return state_.has_run(); }

 private:
  Outcome on_success();
  [[nodiscard]] bool proving() const { return !state_.is_up() || !state_.has_run(); }

  RetryState state_;
  std::size_t urls_;
  bool fast_recovery_;
  std::size_t url_ = 0;
  std::optional<std::size_t> failed_url_;  // the one that took the checker down, until it answers
};

}  // namespace sluice::health
