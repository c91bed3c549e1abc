// Starts the director: this very program, once more, as a child that can't outlive its parent.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "net/error.h"

namespace sluice::control {

/// Where the director finds what its supervisor gave it; everything else is closed.
inline constexpr int director_link_fd = 3;         ///< its end of the socket pair
inline constexpr int director_crash_fd = 4;        ///< the memory file for a crash report
inline constexpr int director_last_config_fd = 5;  ///< the memory file with what a director served before it

/// What the director gets when its supervisor has died.
[[nodiscard]] int supervisor_died_signal();
/// Those that a supervisor sends. The director is born with them blocked, so that none is lost, or ends it, before it
/// is ready to take them.
[[nodiscard]] std::vector<int> director_signals();
/// The numbers of keepalived's --signum: RTMIN+2, RTMAX-1, RTMAX.
[[nodiscard]] int signal_json();
[[nodiscard]] int signal_stats_clear();
[[nodiscard]] int signal_thread_dump();

/// A running director, as its parent sees it. The descriptors are the owner's to close.
struct DirectorChild {
  pid_t pid = 0;
  int pidfd = -1;  ///< readable once it has ended
  int link = -1;   ///< our end of the socket pair
  int crash = -1;  ///< the memory file
};

/// arguments: without the program's name. last_config: a memory file, which stays the caller's. Call it on the thread
/// that lives as long as the process: when that thread ends, the director gets supervisor_died_signal().
Result<DirectorChild> start_director(const std::vector<std::string>& arguments, int last_config);

}  // namespace sluice::control
