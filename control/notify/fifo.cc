#include "control/notify/fifo.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::control {

Result<Fifo> Fifo::open(const std::string& path, const std::optional<ScriptUser>& owner) {
  const auto failed = [&](const char* what) {
    return std::unexpected(Error{path, fmt::format("{}: {}", what, std::strerror(errno))});
  };
  const bool made = ::mkfifo(path.c_str(), 0644) == 0;
  if (!made && errno != EEXIST) return failed("the FIFO can't be made");
  // O_RDWR: opening doesn't wait for a reader, and writing without one is no error.
  UniqueFd opened(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!opened) {
    const auto error = failed("the FIFO can't be opened");
    if (made) ::unlink(path.c_str());
    return error;
  }
  const int fd = opened.get();
  Fifo fifo(path, std::move(opened), made);
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return fail(path, "is there, but isn't a FIFO");
  if (made) {
    if (owner && ::fchown(fd, owner->uid, owner->gid) != 0) return failed("the FIFO can't be given to its user");
  } else if (status.st_uid != ::geteuid() && !(owner && status.st_uid == owner->uid)) {
    return fail(path, "is somebody else's FIFO: remove it, or name its user after the path");
  }
  return fifo;
}

Fifo::~Fifo() {
  if (fd_ && is_ours_) ::unlink(path_.c_str());
}

Fifo& Fifo::operator=(Fifo&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(is_ours_, other.is_ours_);
  std::swap(lost_, other.lost_);
  return *this;
}

void Fifo::write(std::string_view line) {
  ssize_t written;
  do {
    written = ::write(fd_.get(), line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  // Up to PIPE_BUF a line is written whole or not at all (pipe(7)).
  if (written != ssize_t(line.size())) ++lost_;
}

}  // namespace sluice::control
