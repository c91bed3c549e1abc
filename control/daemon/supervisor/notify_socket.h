// Tells systemd how the daemon is doing: the datagrams of sd_notify(3), without its library. What is told, and when, is
// the supervisor's.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace sluice::control {

class NotifySocket {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment: they are this process's
  /// alone, not the director's nor a script's. Without NOTIFY_SOCKET, or if it can't be used, send() does nothing.
  static NotifySocket from_environment();
  ~NotifySocket();
  NotifySocket(NotifySocket&& other) noexcept;
  NotifySocket& operator=(NotifySocket&&) = delete;

  /// lines: "READY=1\nSTATUS=...". Never blocks; nobody is told of a failure, as there is nothing to be done about it.
  void send(const std::string& lines) const;

  /// How long systemd waits for WATCHDOG=1 before it ends us; nothing: for ever.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  NotifySocket() = default;

  int socket_ = -1;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace sluice::control
