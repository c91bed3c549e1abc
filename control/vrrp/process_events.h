// The kernel's own news of processes: its proc connector. Where it is to be had: in the first network namespace and
// the first PID namespace, with CAP_NET_ADMIN. Control thread; never blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "control/unique_fd.h"
#include "net/error.h"

namespace sluice::control {

class ProcessEvents {
 public:
  /// Error: why there are none. buffer_bytes: of the socket, 0: the system's; force: beyond the system's limit.
  static Result<ProcessEvents> open(unsigned buffer_bytes, bool force);

  /// For waiting only.
  [[nodiscard]] int descriptor() const { return fd_.get(); }

  enum class Read : std::uint8_t {
    all,   ///< nothing is left
    more,  ///< it was a lot, and there may be more
    lost   ///< the kernel had no room for some: what runs has to be looked up
  };
  /// Calls these for what waits. came: a process was forked, has another program or another name; went: it ended.
  /// Threads aren't told of.
  Read read(const std::function<void(pid_t)>& came, const std::function<void(pid_t)>& went);

 private:
  explicit ProcessEvents(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace sluice::control
