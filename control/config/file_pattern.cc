// Matching names of files; see file_pattern.h.
#include "control/config/file_pattern.h"

#include <dirent.h>
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace sluice::control::config {

namespace {

bool is_wild(std::string_view part) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '\\') {
      ++i;
    } else if (part[i] == '*' || part[i] == '?' || part[i] == '[') {
      return true;
    }
  }
  return false;
}

std::string without_escapes(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '\\' && i + 1 < part.size()) ++i;
    out += part[i];
  }
  return out;
}

/// The alternatives of the first group in braces, with what stands around it; nothing if there is no such group.
std::vector<std::string> split_braces(const std::string& pattern) {
  for (std::size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1)) {
    std::vector<std::string> members;
    std::size_t depth = 0;
    std::size_t start = open + 1;
    for (std::size_t at = open; at < pattern.size(); ++at) {
      const char c = pattern[at];
      if (c == '{') ++depth;
      if (c == '}') --depth;
      if ((c == ',' && depth == 1) || (c == '}' && depth == 0)) {
        members.push_back(pattern.substr(start, at - start));
        start = at + 1;
      }
      if (depth > 0) continue;
      const std::string_view after = std::string_view(pattern).substr(at + 1);
      for (std::string& member : members) member = pattern.substr(0, open).append(member).append(after);
      return members;
    }
    // Never closed: it stands for itself.
  }
  return {};
}

class Search {
 public:
  explicit Search(FileMatches& matches) : matches_(matches) {}

  void alternative(const std::string& pattern) {
    const std::size_t before = matches_.files.size();
    matches_.has_wildcard = matches_.has_wildcard || is_wild(pattern);
    descend(pattern.starts_with('/') ? "/" : "", pattern);
    std::sort(matches_.files.begin() + static_cast<std::ptrdiff_t>(before), matches_.files.end());
    if (matches_.files.size() == before) matches_.missing.push_back(pattern);
  }

 private:
  /// base: what is found already, "" or ending in a slash. rest: parts still to be matched.
  void descend(const std::string& base, std::string_view rest) {
    while (rest.starts_with('/')) rest.remove_prefix(1);
    const std::size_t slash = rest.find('/');
    const std::string part(rest.substr(0, slash));
    const std::string_view after = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
    if (part.empty()) {
      if (!base.empty() && access(base.c_str(), F_OK) == 0) matches_.files.push_back(base);
      return;
    }
    if (!is_wild(part)) {
      found(base + without_escapes(part), after);
      return;
    }
    DIR* const directory = opendir(base.empty() ? "." : base.c_str());
    if (directory == nullptr) return;
    std::vector<std::string> names;
    while (const dirent* entry = readdir(directory)) {
      if (entries_left_ == 0) {
        matches_.is_cut = true;
        break;
      }
      --entries_left_;
      if (fnmatch(part.c_str(), entry->d_name, FNM_PERIOD) == 0) names.emplace_back(entry->d_name);
    }
    closedir(directory);
    for (const std::string& name : names) found(base + name, after);
  }

  void found(const std::string& path, std::string_view after) {
    if (!after.empty()) {
      descend(path + "/", after);
    } else if (access(path.c_str(), F_OK) == 0) {
      matches_.files.push_back(path);
    }
  }

  FileMatches& matches_;
  std::size_t entries_left_ = directory_entries_max;
};

}  // namespace

FileMatches match_files(std::string_view pattern) {
  FileMatches matches;
  Search search(matches);
  // Depth first, so that alternatives come in their order; the one to look at next is the last.
  std::vector<std::string> open{std::string(pattern)};
  std::size_t left = alternatives_max;
  while (!open.empty()) {
    if (left-- == 0) {
      matches.is_cut = true;
      break;
    }
    const std::string next = std::move(open.back());
    open.pop_back();
    auto members = split_braces(next);
    if (members.empty()) {
      search.alternative(next);
      continue;
    }
    matches.has_braces = true;
    std::move(members.rbegin(), members.rend(), std::back_inserter(open));
  }
  return matches;
}

}  // namespace sluice::control::config
