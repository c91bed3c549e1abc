// Many alarms on one timer. A master-down alarm is put off with every advertisement that comes in, a hundred times a
// second for hundreds of virtual routers: to put one off costs a store, no timer and no system call. Alarms that may
// ring a little early ring together, so that as many advertisements cost one wake-up. On the thread of its io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "vrrp/protocol.h"

namespace sluice::control {

class Alarm;

class AlarmClock {
 public:
  explicit AlarmClock(boost::asio::io_context& io) : timer_(io) {}
  AlarmClock(const AlarmClock&) = delete;
  AlarmClock& operator=(const AlarmClock&) = delete;

  /// Rings every alarm that is due, in their order, and those of the next ones that may ring by then. The timer calls
  /// it; tests do.
  void ring(vrrp::Time now);
  /// When the timer will call next; nothing: no alarm is set.
  [[nodiscard]] std::optional<vrrp::Time> wakes_at() const { return wakes_at_; }

 private:
  friend class Alarm;
  struct Entry {
    vrrp::Time at;
    std::uint32_t slot;
    std::uint32_t version;  ///< of the slot; another one: the entry counts no more

    bool operator>(const Entry& other) const { return at > other.at; }
  };
  struct Slot {
    Alarm* alarm = nullptr;  ///< null: free
    std::uint32_t version = 0;
  };

  [[nodiscard]] Alarm* alarm_of(const Entry& entry) const;
  void push(Alarm& alarm);
  void arm();

  boost::asio::steady_timer timer_;
  std::optional<vrrp::Time> wakes_at_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  bool is_ringing_ = false;
};

class Alarm {
 public:
  /// clock outlives it. task may set any alarm and destroy any other.
  Alarm(AlarmClock& clock, std::function<void()> task);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// Calls the task at that time, in place of what was set before; or up to `early` sooner, if the clock rings then
  /// anyway.
  void set(vrrp::Time at, vrrp::Microseconds early = {});
  void cancel() { at_.reset(); }

 private:
  friend class AlarmClock;

  AlarmClock& clock_;
  std::function<void()> task_;
  std::uint32_t slot_;
  std::optional<vrrp::Time> at_;
  vrrp::Microseconds early_{};
  std::optional<vrrp::Time> entry_at_;  ///< of its entry in the clock, which may be earlier than at_, never later
};

}  // namespace sluice::control
