#include "control/api/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace sluice::control::api {

namespace {

constexpr int backlog = 64;

std::string reason() { return std::strerror(errno); }

/// Makes room at `path`: nothing there, or a socket on which nobody answers.
Result<> clear_the_way(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return fail(path, "cannot look at the control socket: " + reason());
  }
  if (!S_ISSOCK(status.st_mode))
    return fail(path, "is in the way of the control socket and is not a socket, remove it");
  // Non-blocking: a listener whose backlog is full answers EAGAIN, and is alive.
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return fail(path, "cannot make a socket: " + reason());
  const int connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  close(probe);
  if (connected == 0 || error == EAGAIN) return fail(path, "another sluiced answers on the control socket");
  if (error != ECONNREFUSED) {
    return fail(path, std::string("cannot tell whether the control socket is in use: ") + std::strerror(error));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(path, "cannot remove the stale control socket: " + reason());
  }
  return {};
}

}  // namespace

Result<SocketFile> SocketFile::listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(path,
                "the control socket's path must have 1 to " + std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  path.copy(address.sun_path, path.size());

  const auto directory = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  if (error) return fail(directory.string(), "cannot make the control socket's directory: " + error.message());
  if (auto clear = clear_the_way(path, address); !clear) return std::unexpected(clear.error());

  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return fail(path, "cannot make the control socket: " + reason());
  SocketFile file("", descriptor);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(path, "cannot make the control socket: " + reason());
  }
  file.path_ = path;
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) {
    file.device_ = status.st_dev;
    file.inode_ = status.st_ino;
  }
  // Until listen() nobody can connect, so the mode that the umask gave has done no harm.
  if (chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0)
    return fail(path, "cannot set the control socket's mode: " + reason());
  if (::listen(descriptor, backlog) != 0) return fail(path, "cannot listen on the control socket: " + reason());
  return file;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      device_(other.device_),
      inode_(other.inode_) {}

SocketFile::~SocketFile() {
  if (descriptor_ >= 0) close(descriptor_);
  struct stat status {};
  if (path_.empty() || lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) unlink(path_.c_str());
}

int SocketFile::release_descriptor() { return std::exchange(descriptor_, -1); }

}  // namespace sluice::control::api
