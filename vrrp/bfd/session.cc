#include "vrrp/bfd/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sluice::vrrp::bfd {

Session::Session(SessionConfig config, std::uint32_t discriminator, std::uint64_t seed)
    : config_(std::move(config)),
      discriminator_(discriminator),
      random_(static_cast<std::minstd_rand::result_type>(seed)),
      min_tx_used_(config_.min_tx),
      min_rx_used_(config_.min_rx) {}

// --- what comes in ---------------------------------------------------------------------------------------------------

Actions Session::start(Time now) {
  Actions actions;
  last_change_ = now;
  if (!sends_periodically()) return actions;
  send(false, actions);
  last_sent_ = now;
  arm_transmit(now);
  return actions;
}

// RFC 5880 6.8.6, in its order; what needs no session was looked at by decode() and find_session().
Actions Session::on_packet(Time now, const ControlPacket& packet) {
  Actions actions;
  if (state_ == State::admin_down) return actions;
  ++counters_.received;
  const Microseconds interval_before = transmit_interval();
  const Microseconds detection_before = detection_time();
  const bool sent_before = sends_periodically();
  remote_discriminator_ = packet.my_discriminator;
  remote_state_ = packet.state;
  remote_diagnostic_ = packet.diagnostic;
  remote_demand_ = packet.demand;
  remote_min_rx_ = packet.required_min_rx;
  remote_min_tx_ = packet.desired_min_tx;
  remote_detect_mult_ = packet.detect_mult;
  if (packet.final && polling_) end_poll();

  const State before = state_;
  const auto down = [&] { go(now, State::down, Diagnostic::neighbor_signaled_down, actions); };
  if (packet.state == State::admin_down) {
    if (state_ != State::down) down();
  } else if (state_ == State::down) {
    if (packet.state == State::down) go(now, State::init, Diagnostic::none, actions);
    if (packet.state == State::init) go(now, State::up, Diagnostic::none, actions);
  } else if (state_ == State::init) {
    if (packet.state == State::init || packet.state == State::up) go(now, State::up, Diagnostic::none, actions);
  } else if (packet.state == State::down) {
    down();
  }

  last_heard_ = now;
  if (detection_time() != detection_before) {
    actions.push_back(Log{fmt::format("({}) Detection time is {} us (was {} us)", config_.name,
                                      detection_time().count(), detection_before.count()),
                          true});
  }
  // The answer to a poll doesn't wait for its turn, and neither does news of the state (6.8.7).
  if (packet.poll || state_ != before) {
    if (packet.poll || sends_periodically()) send(packet.poll, actions);
  }
  if (state_ != before) last_sent_ = now;
  const bool is_new_pace =
      transmit_interval() != interval_before || state_ != before || sends_periodically() != sent_before;
  if (is_new_pace || !transmit_at_) arm_transmit(now);
  return actions;
}

Actions Session::on_timer(Time now) {
  Actions actions;
  if (last_heard_ && now >= *last_heard_ + detection_time()) expire(now, actions);
  if (transmit_at_ && now >= *transmit_at_) {
    if (sends_periodically()) send(false, actions);
    last_sent_ = now;
    arm_transmit(now);
  }
  return actions;
}

Actions Session::reload(Time now, SessionConfig config) {
  Actions actions;
  if (state_ == State::admin_down || config == config_) {
    config_ = std::move(config);
    return actions;
  }
  const bool has_new_intervals = config.min_tx != config_.min_tx || config.min_rx != config_.min_rx;
  config_ = std::move(config);
  if (state_ != State::up) {
    min_tx_used_ = config_.min_tx;
    min_rx_used_ = config_.min_rx;
  } else if (has_new_intervals) {
    // 6.8.3: slower sending waits for the neighbor to know, and so does hurrying it. The other ways hold at once.
    min_tx_used_ = std::min(min_tx_used_, config_.min_tx);
    min_rx_used_ = std::max(min_rx_used_, config_.min_rx);
    poll(actions);
    send(false, actions);
    last_sent_ = now;
  }
  arm_transmit(now);
  return actions;
}

Actions Session::stop(Time now) {
  Actions actions;
  if (state_ == State::admin_down) return actions;
  go(now, State::admin_down, Diagnostic::administratively_down, actions);
  // Should it be lost, the neighbor's detection time says the same a little later.
  if (sends_periodically()) send(false, actions);
  transmit_at_.reset();
  last_heard_.reset();
  return actions;
}

std::optional<Time> Session::deadline() const {
  if (!last_heard_) return transmit_at_;
  const Time detect_at = *last_heard_ + detection_time();
  return transmit_at_ ? std::min(*transmit_at_, detect_at) : detect_at;
}

// --- steps -----------------------------------------------------------------------------------------------------------

void Session::go(Time now, State to, Diagnostic why, Actions& actions) {
  const State from = std::exchange(state_, to);
  diagnostic_ = why;
  last_change_ = now;
  polling_ = false;
  min_tx_used_ = config_.min_tx;
  min_rx_used_ = config_.min_rx;
  actions.push_back(StateChange{from, to, diagnostic_, remote_diagnostic_});
  if (from == State::up) ++counters_.times_down;
  if (to == State::up) {
    ++counters_.times_up;
    actions.push_back(Log{fmt::format("({}) Entering Up state", config_.name)});
    poll(actions);
  } else if (to == State::init) {
    actions.push_back(Log{fmt::format("({}) Entering Init state", config_.name), true});
  } else {
    actions.push_back(
        Log{fmt::format("({}) Entering {} state (Local diagnostic - {}, Remote diagnostic - {})", config_.name,
                        to_string(to), to_string(diagnostic_), to_string(remote_diagnostic_))});
  }
}

// Nothing was heard for the detection time (6.8.4): what is known of the neighbor no longer holds (6.8.1).
void Session::expire(Time now, Actions& actions) {
  const Microseconds time = detection_time();
  const Microseconds late = now - *last_heard_ - time;
  forget_neighbor();
  if (state_ == State::up || state_ == State::init) {
    if (state_ == State::up) ++counters_.expired;
    actions.push_back(Log{
        fmt::format("({}) Expired after {} ms ({} usec overdue)", config_.name, time.count() / 1000, late.count())});
    go(now, State::down, Diagnostic::detection_time_expired, actions);
    if (sends_periodically()) send(false, actions);
    last_sent_ = now;
  }
  arm_transmit(now);
}

void Session::forget_neighbor() {
  remote_discriminator_ = 0;
  remote_state_ = State::down;
  remote_min_rx_ = Microseconds(1);
  remote_min_tx_ = Microseconds(0);
  remote_detect_mult_ = 0;
  remote_demand_ = false;
  last_heard_.reset();
}

void Session::poll(Actions& actions) {
  polling_ = true;
  actions.push_back(Log{fmt::format("({}) Starting poll sequence", config_.name), true});
}

void Session::end_poll() {
  polling_ = false;
  min_tx_used_ = config_.min_tx;
  min_rx_used_ = config_.min_rx;
}

void Session::send(bool final, Actions& actions) {
  ++counters_.sent;
  actions.push_back(Send{{.diagnostic = diagnostic_,
                          .state = state_,
                          .poll = polling_ && !final,
                          .final = final,
                          .detect_mult = config_.detect_mult,
                          .my_discriminator = discriminator_,
                          .your_discriminator = remote_discriminator_,
                          .desired_min_tx = desired_min_tx(),
                          .required_min_rx = config_.min_rx}});
}

// From the last periodic packet, so that a change of pace neither skips one nor sends two.
void Session::arm_transmit(Time now) {
  transmit_at_.reset();
  if (!sends_periodically()) return;
  const Microseconds wait = jittered(transmit_interval());
  transmit_at_ = std::max(now, last_sent_.value_or(now) + wait);
}

// --- arithmetic ------------------------------------------------------------------------------------------------------

// What is said: the configuration's. What is used may still be the one before.
Microseconds Session::desired_min_tx() const {
  return state_ == State::up ? config_.min_tx : std::max(config_.idle_tx, slow_interval_min);
}

Microseconds Session::transmit_interval() const {
  return std::max(state_ == State::up ? min_tx_used_ : desired_min_tx(), remote_min_rx_);
}

// 6.8.4
Microseconds Session::detection_time() const { return remote_detect_mult_ * std::max(min_rx_used_, remote_min_tx_); }

// 6.8.7
bool Session::sends_periodically() const {
  if (config_.passive && remote_discriminator_ == 0) return false;
  if (remote_min_rx_.count() == 0) return false;
  return !(remote_demand_ && state_ == State::up && remote_state_ == State::up && !polling_);
}

// 6.8.7: a random 0 to 25 % less; with a multiplier of 1 at least 10 %, or jitter alone could end the session.
Microseconds Session::jittered(Microseconds interval) {
  const std::int64_t least = interval.count() * 75 / 100;
  const std::int64_t most = config_.detect_mult == 1 ? interval.count() * 90 / 100 : interval.count();
  return Microseconds(std::uniform_int_distribution(least, std::max(least, most))(random_));
}

}  // namespace sluice::vrrp::bfd
