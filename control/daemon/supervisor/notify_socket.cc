#include "control/daemon/supervisor/notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace sluice::control {

namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value != nullptr ? value : "";
  ::unsetenv(name);
  return taken;
}

std::optional<long long> number(const std::string& text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A path, or with '@' an abstract name. -1 if it is neither, or nobody is there.
int open_socket(std::string name) {
  sockaddr_un address{};
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) return -1;
  if (name[0] == '@') name[0] = '\0';
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return -1;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0) return socket;
  ::close(socket);
  return -1;
}

}  // namespace

NotifySocket NotifySocket::from_environment() {
  NotifySocket notify;
  notify.socket_ = open_socket(take_variable("NOTIFY_SOCKET"));
  const auto usec = number(take_variable("WATCHDOG_USEC"));
  const std::string pid = take_variable("WATCHDOG_PID");
  const bool ours = pid.empty() || number(pid) == ::getpid();
  if (usec && *usec > 0 && ours) notify.watchdog_ = std::chrono::microseconds(*usec);
  return notify;
}

NotifySocket::~NotifySocket() {
  if (socket_ >= 0) ::close(socket_);
}

NotifySocket::NotifySocket(NotifySocket&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), watchdog_(other.watchdog_) {}

void NotifySocket::send(const std::string& lines) const {
  if (socket_ >= 0) (void)::send(socket_, lines.data(), lines.size(), MSG_NOSIGNAL);
}

}  // namespace sluice::control
