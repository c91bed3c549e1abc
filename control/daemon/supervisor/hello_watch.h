// Is the director alive, or does it only exist? It says hello every second; this counts how long it has been silent,
// and what follows from that. Pure: time comes in, actions go out; the supervisor carries them out.
#pragma once

#include <chrono>

namespace sluice::control {

/// The director's side of the bargain.
inline constexpr std::chrono::seconds hello_interval{1};

class HelloWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Ten hellos missed in a row: far more than any work of the control thread takes, and less than an operator's
  /// patience.
  static constexpr std::chrono::seconds patience{10};
  /// While it starts or reloads: a configuration of 100,000 servers on a slow disk, host names asked of a slow server.
  static constexpr std::chrono::seconds patience_busy{120};
  /// From SIGABRT, which writes the backtrace (and a core, when asked for), to SIGKILL.
  static constexpr std::chrono::seconds grace{5};

  enum class Action {
    none,
    abort,  ///< SIGABRT: it shall say where it hangs
    kill,   ///< SIGKILL: it can't even do that
  };

  /// A director was started, and is busy with that.
  void started(Time now);
  /// It said hello. Any other message counts as well.
  void hello(Time now);
  /// It said that it begins, or has ended, what may take long.
  void busy(bool busy, Time now);

  /// Each action comes once.
  [[nodiscard]] Action check(Time now);
  /// How long it has been silent.
  [[nodiscard]] std::chrono::steady_clock::duration silent_for(Time now) const { return now - last_; }
  /// It said something lately: systemd may be told that all is well.
  [[nodiscard]] bool content(Time now) const;

 private:
  [[nodiscard]] std::chrono::seconds limit() const { return busy_ ? patience_busy : patience; }

  Time last_{};
  Time aborted_{};
  bool busy_ = true;
  Action given_ = Action::none;
};

}  // namespace sluice::control
