// What is to be done when the director has died: start it again, after how long, or give up. Pure; the supervisor
// carries it out.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

namespace sluice::control {

/// How a process ended. signal is 0 if it exited.
struct ProcessEnd {
  pid_t pid = 0;
  int exit_status = 0;
  int signal = 0;
  bool core_dumped = false;

  /// In keepalived's words: "pid 12 exited with status 3", "pid 12 exited due to signal 9 (Killed)".
  [[nodiscard]] std::string text() const;
};

/// keepalived's exit statuses, by which a child says that another start would end the same way.
enum class PermanentError : int { fatal = 1, config = 2, no_permission = 4 };

/// Nothing: worth another start.
[[nodiscard]] std::optional<PermanentError> permanent_error(const ProcessEnd& end);
/// "FATAL", "CONFIG", "missing permission": keepalived's names, which operators search for.
[[nodiscard]] const char* to_string(PermanentError error);

class RespawnPolicy {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// A director that ran longer was sound: it is started again at once, and the next delay begins from nothing.
  static constexpr std::chrono::seconds sound_after{60};
  static constexpr std::chrono::seconds delay_max{60};

  struct Verdict {
    bool respawn = false;
    std::chrono::seconds delay{0};  ///< before the respawn: 0, 1, 2, 4 ... 60
    int exit_status = 0;            ///< without a respawn: the daemon's
  };

  /// respawn: false with -R.
  explicit RespawnPolicy(bool respawn) : respawn_(respawn) {}

  /// A director of this daemon has served. From then on no error is permanent: what worked once may work again (an
  /// interface comes back, a file is repaired), and a daemon that waits for it serves better than one that is gone.
  void has_served() { has_served_ = true; }

  [[nodiscard]] Verdict ended(const ProcessEnd& end, Duration ran_for);

 private:
  bool respawn_;
  bool has_served_ = false;
  std::chrono::seconds next_delay_{0};
};

}  // namespace sluice::control
