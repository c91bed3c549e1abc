// Names of files by pattern, as `include` and -f take them: wildcards as in glob(7), and alternatives in braces.
// glob(3) can't be told to stop, and nothing stops "{a,b}{a,b}{a,b}..." or "/*/*/*/*" from keeping it busy for hours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::control::config {

/// Alternatives in braces, and entries of directories that are looked at, for one pattern.
inline constexpr std::size_t alternatives_max = 1'000;
inline constexpr std::size_t directory_entries_max = 200'000;

struct FileMatches {
  std::vector<std::string> files;    ///< alternatives in their order, the names of each one sorted
  std::vector<std::string> missing;  ///< alternatives that nothing matches
  bool has_wildcard = false;
  bool has_braces = false;
  bool is_cut = false;  ///< one of the limits above was met
};

/// Looks into the file system. A name that starts with a dot is only matched by a dot.
[[nodiscard]] FileMatches match_files(std::string_view pattern);

}  // namespace sluice::control::config
