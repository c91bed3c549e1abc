// Reading files; see file.h.
#include "control/config/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "control/config/file_pattern.h"
#include "control/config/parse.h"
#include "control/unique_fd.h"

namespace sluice::control::config {

Result<std::string> read_config_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO by mistake must not hang.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    return fail(path, fmt::format("cannot read the configuration: {}", std::strerror(errno)));
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return fail(path, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return fail(path, "is a directory, expected a configuration file");
  if (!S_ISREG(status.st_mode)) return fail(path, "is not a regular file, expected a configuration file");
  if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0) {
    return fail(path, fmt::format("is executable (mode {:04o}), which keepalived refuses as well: run chmod a-x on it",
                                  status.st_mode & 07777u));
  }
  const auto too_large = [&] {
    return fail(path, fmt::format("is larger than {} MiB, expected a configuration file", file_bytes_max >> 20));
  };
  if (static_cast<std::size_t>(status.st_size) > file_bytes_max) return too_large();
  std::string text;
  text.reserve(static_cast<std::size_t>(status.st_size));
  char buffer[65536];
  while (true) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(path, fmt::format("cannot read the configuration: {}", std::strerror(errno)));
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > file_bytes_max) return too_large();  // it grew
  }
}

Result<std::vector<std::pair<std::string, std::string>>> read_config_files(const std::string& path) {
  FileMatches matches;
  if (access(path.c_str(), F_OK) != 0) matches = match_files(path);
  if (matches.files.empty()) matches.files.push_back(path);
  std::vector<std::pair<std::string, std::string>> texts;
  std::size_t bytes = 0;
  for (const std::string& name : matches.files) {
    auto text = read_config_file(name);
    if (!text) return std::unexpected(text.error());
    bytes += text->size();
    if (bytes > file_bytes_max) {
      return fail(path,
                  fmt::format("matches files of more than {} MiB, expected a configuration", file_bytes_max >> 20));
    }
    texts.emplace_back(name, std::move(*text));
  }
  return texts;
}

}  // namespace sluice::control::config
