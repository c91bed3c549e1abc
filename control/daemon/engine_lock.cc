#include "control/daemon/engine_lock.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

namespace sluice::control {

namespace {

// A director whose supervisor was killed ends by itself a moment later; who starts the next one in between isn't to be
// sent away for good.
constexpr std::chrono::seconds patience{2};

struct Name {
  sockaddr_un address{};
  socklen_t length;

  // An abstract name begins with a zero byte and ends with its length.
  Name() {
    constexpr std::string_view text{"\0sluice-engine", 14};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, text.data(), text.size());
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

// The process that listens under the name; 0 if it can't be told.
pid_t holder(const Name& name) {
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  ucred peer{};
  socklen_t length = sizeof peer;
  if (probe < 0 || connect(probe, name.get(), name.length) != 0 ||
      getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    peer.pid = 0;
  }
  if (probe >= 0) close(probe);
  return peer.pid;
}

}  // namespace

Result<EngineLock> EngineLock::take() {
  const Name name;
  EngineLock lock(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (lock.socket_ >= 0) {
    if (bind(lock.socket_, name.get(), name.length) == 0 && listen(lock.socket_, 1) == 0) return lock;
    if (errno != EADDRINUSE || std::chrono::steady_clock::now() >= give_up) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (errno != EADDRINUSE) return fail("", fmt::format("no lock for the engine: {}", std::strerror(errno)));
  const pid_t pid = holder(name);
  return fail("", fmt::format("another sluiced{} forwards in this network namespace already; stop it first",
                              pid > 0 ? fmt::format(" (process {})", pid) : ""));
}

EngineLock::~EngineLock() {
  if (socket_ >= 0) close(socket_);
}

EngineLock::EngineLock(EngineLock&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

}  // namespace sluice::control
