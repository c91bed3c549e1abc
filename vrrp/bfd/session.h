// One BFD session as a pure state machine (RFC 5880 6.8): a packet, a deadline, an administrator's word or a new
// configuration goes in, with the time; out come packets to send and what has changed. No socket, no clock, no log.
// Asynchronous mode, active or passive role; a neighbor that asks for demand mode gets it; no echo function.
//
//           .--- neighbor Down ---.       .-- neighbor Init, Up --.
//           v                     |       |                       v
//        +------+ neighbor Down +------+ -+                     +----+
//        | Down | ------------> | Init |                        | Up |
//        +------+               +------+                        +----+
//           ^ \__ neighbor Init ________________________________^  |
//           '----- detection time over, neighbor Down or AdminDown -'
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "vrrp/bfd/codec.h"

namespace sluice::vrrp::bfd {

/// Intervals are 1 us .. 2^32-1 us.
struct SessionConfig {
  std::string name;
  Microseconds min_tx{10'000};      ///< bfd.DesiredMinTxInterval once it is Up
  Microseconds min_rx{10'000};      ///< bfd.RequiredMinRxInterval
  Microseconds idle_tx{1'000'000};  ///< bfd.DesiredMinTxInterval while it isn't Up; less than 1 s is taken as 1 s
  std::uint8_t detect_mult = 5;     ///< 1 or more
  bool passive = false;             ///< says nothing before it has heard the neighbor

  bool operator==(const SessionConfig&) const = default;
};

/// At once.
struct Send {
  ControlPacket packet;
  bool operator==(const Send&) const = default;
};
struct StateChange {
  State from;
  State to;
  Diagnostic local;   ///< why, if it went down
  Diagnostic remote;  ///< what the neighbor says of itself
  bool operator==(const StateChange&) const = default;
};
/// A line with keepalived's words, "(NAME) ..." first. detail: for who asks for details.
struct Log {
  std::string text;
  bool detail = false;
  bool operator==(const Log&) const = default;
};
using Action = std::variant<Send, StateChange, Log>;
using Actions = std::vector<Action>;

struct Counters {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  ///< and taken
  std::uint64_t times_up = 0;
  std::uint64_t times_down = 0;  ///< from Up
  std::uint64_t expired = 0;     ///< of those, because nothing was heard
};

class Session {
 public:
  /// discriminator: unique on this host, not 0. seed: of the jitter. Does nothing before start().
  Session(SessionConfig config, std::uint32_t discriminator, std::uint64_t seed);

  Actions start(Time now);
  /// A packet that find_session() gave to this session.
  Actions on_packet(Time now, const ControlPacket& packet);
  /// deadline() has come; harmless before it.
  Actions on_timer(Time now);
  /// Stays what it is; other intervals are agreed upon by a poll.
  Actions reload(Time now, SessionConfig config);
  /// AdminDown: the neighbor is told, once; nothing is sent any more and nothing is taken. For good.
  Actions stop(Time now);

  /// When on_timer() is wanted; nothing: never, as things stand. Changes with every call above.
  [[nodiscard]] std::optional<Time> deadline() const;

  [[nodiscard]] const SessionConfig& config() const { return config_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] State remote_state() const { return remote_state_; }
  [[nodiscard]] Diagnostic diagnostic() const { return diagnostic_; }
  [[nodiscard]] Diagnostic remote_diagnostic() const { return remote_diagnostic_; }
  [[nodiscard]] std::uint32_t discriminator() const { return discriminator_; }
  [[nodiscard]] std::uint32_t remote_discriminator() const { return remote_discriminator_; }  ///< 0: not known
  /// Between two packets of ours, before jitter.
  [[nodiscard]] Microseconds transmit_interval() const;
  /// 0: the neighbor isn't heard.
  [[nodiscard]] Microseconds detection_time() const;
  [[nodiscard]] Microseconds remote_min_tx() const { return remote_min_tx_; }
  [[nodiscard]] Microseconds remote_min_rx() const { return remote_min_rx_; }
  [[nodiscard]] std::uint8_t remote_detect_mult() const { return remote_detect_mult_; }
  [[nodiscard]] bool is_polling() const { return polling_; }
  [[nodiscard]] Time last_change() const { return last_change_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  void go(Time now, State to, Diagnostic why, Actions& actions);
  void send(bool final, Actions& actions);
  void poll(Actions& actions);
  void end_poll();
  void forget_neighbor();
  void expire(Time now, Actions& actions);
  void arm_transmit(Time now);
  [[nodiscard]] Microseconds desired_min_tx() const;
  [[nodiscard]] bool sends_periodically() const;
  [[nodiscard]] Microseconds jittered(Microseconds interval);

  SessionConfig config_;
  std::uint32_t discriminator_;
  std::minstd_rand random_;

  State state_ = State::down;
  Diagnostic diagnostic_ = Diagnostic::none;
  bool polling_ = false;
  // In use until a poll has ended (RFC 5880 6.8.3); then the configuration's.
  Microseconds min_tx_used_;
  Microseconds min_rx_used_;

  State remote_state_ = State::down;
  Diagnostic remote_diagnostic_ = Diagnostic::none;
  std::uint32_t remote_discriminator_ = 0;
  Microseconds remote_min_tx_{0};
  Microseconds remote_min_rx_{1};
  std::uint8_t remote_detect_mult_ = 0;
  bool remote_demand_ = false;

  std::optional<Time> last_sent_;
  std::optional<Time> transmit_at_;
  std::optional<Time> last_heard_;  // nothing: not in the last detection time
  Time last_change_{};
  Counters counters_;
};

}  // namespace sluice::vrrp::bfd
