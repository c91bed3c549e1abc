// One engine per network namespace: a second one would take the steering program, and with it every packet, from the
// first. The lock is an abstract unix socket, which belongs to the namespace and goes with its process, however that
// ends; a file would be left behind by a crash.
#pragma once

#include "net/error.h"

namespace sluice::control {

/// Held while it lives.
class EngineLock {
 public:
  /// Fails if another process holds it, and goes on holding it for two seconds; the error names that process.
  static Result<EngineLock> take();
  ~EngineLock();
  EngineLock(EngineLock&& other) noexcept;
  EngineLock& operator=(EngineLock&&) = delete;

 private:
  explicit EngineLock(int socket) : socket_(socket) {}
  int socket_;
};

}  // namespace sluice::control
