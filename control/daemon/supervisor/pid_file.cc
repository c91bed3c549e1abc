#include "control/daemon/supervisor/pid_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace sluice::control {

namespace {

constexpr mode_t pid_file_mode = 0644;

Error error_of(const std::string& path) { return {"pid file " + path, std::generic_category().message(errno)}; }

pid_t pid_in(int file) {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(file, text.data(), text.size() - 1, 0);
  return length > 0 ? static_cast<pid_t>(std::atol(text.data())) : 0;
}

Result<> write_pid(int file, const std::string& path, pid_t pid) {
  const std::string text = fmt::format("{}\n", pid);
  // In this order, so that whoever reads in between finds a number, and never an empty file.
  if (::pwrite(file, text.data(), text.size(), 0) != ssize_t(text.size()) ||
      ::ftruncate(file, off_t(text.size())) != 0) {
    return std::unexpected(error_of(path));
  }
  return {};
}

// Its name may have gone, or be another's, by the time the lock is ours: whoever held it removed the file.
bool still_named(int file, const std::string& path) {
  struct stat held {
  }, named{};
  return ::fstat(file, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

}  // namespace

Result<PidFile> PidFile::take(const std::string& path) {
  for (;;) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, pid_file_mode);
    if (file < 0) return std::unexpected(error_of(path));
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
      const bool held = errno == EWOULDBLOCK;
      Error error = held
                        ? Error{"pid file " + path, fmt::format("daemon is already running (process {})", pid_in(file))}
                        : error_of(path);
      ::close(file);
      return std::unexpected(std::move(error));
    }
    if (still_named(file, path)) return PidFile(path, file);
    ::close(file);
  }
}

PidFile::~PidFile() {
  if (file_ < 0) return;
  if (still_named(file_, path_)) ::unlink(path_.c_str());
  ::close(file_);
}

PidFile::PidFile(PidFile&& other) noexcept : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}

Result<> PidFile::write(pid_t pid) { return write_pid(file_, path_, pid); }

void PidFile::release() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Result<> write_pid_file(const std::string& path, pid_t pid) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, pid_file_mode);
  if (file < 0) return std::unexpected(error_of(path));
  auto written = write_pid(file, path, pid);
  ::close(file);
  return written;
}

}  // namespace sluice::control
