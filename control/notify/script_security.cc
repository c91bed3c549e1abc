#include "control/notify/script_security.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <system_error>
#include <vector>

namespace sluice::control {

namespace {

// The kernel's own limit (path_resolution(7)).
constexpr int links_max = 40;

Result<> check_component(const std::string& path, const struct stat& status) {
  if (status.st_uid != 0) return fail(path, fmt::format("belongs to user {}, not to root", status.st_uid));
  // A link has no rights of its own, and a sticky directory protects what is in it.
  if (S_ISLNK(status.st_mode) || (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0)) return {};
  if ((status.st_mode & S_IWOTH) != 0) return fail(path, "can be written by everybody");
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0) {
    return fail(path, fmt::format("can be written by group {}", status.st_gid));
  }
  return {};
}

// The components of a path in reverse, so that the next one is at the end.
void push_components(std::vector<std::string>& left, const std::string& path) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) words.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  left.insert(left.end(), words.rbegin(), words.rend());
}

Result<std::string> target_of(const std::string& link) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlink(link.c_str(), text.data(), text.size());
  if (length < 0) return fail(link, std::generic_category().message(errno));
  return std::string(text.data(), std::size_t(length));
}

}  // namespace

bool runs_with_privileges(const ScriptSpec& script) {
  const uid_t uid = script.user ? script.user->uid : ::geteuid();
  const gid_t gid = script.user ? script.user->gid : ::getegid();
  if (uid == 0 || gid == 0) return true;
  struct stat status {};
  return !script.argv.empty() && ::stat(script.argv.front().c_str(), &status) == 0 &&
         (status.st_mode & (S_ISUID | S_ISGID)) != 0;
}

Result<> check_script_security(const std::string& path) {
  if (!path.starts_with('/')) return fail(path, "isn't an absolute path");
  std::vector<std::string> left;
  push_components(left, path);
  std::string done;  // "" is the root directory
  int links = 0;
  struct stat status {};
  if (::lstat("/", &status) == 0) {
    if (auto safe = check_component("/", status); !safe) return safe;
  }
  while (!left.empty()) {
    const std::string word = std::move(left.back());
    left.pop_back();
    if (word == ".") continue;
    if (word == "..") {
      done.resize(std::min(done.rfind('/'), done.size()));  // above the root is the root
      continue;
    }
    const std::string component = done + "/" + word;
    if (::lstat(component.c_str(), &status) != 0) return fail(component, std::generic_category().message(errno));
    if (auto safe = check_component(component, status); !safe) return safe;
    if (!S_ISLNK(status.st_mode)) {
      done = component;
      continue;
    }
    if (++links > links_max) return fail(component, std::generic_category().message(ELOOP));
    const auto target = target_of(component);
    if (!target) return std::unexpected(target.error());
    if (target->starts_with('/')) done.clear();
    push_components(left, *target);
  }
  return {};
}

}  // namespace sluice::control
