#include "control/vrrp/vrrp_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "control/config/print.h"

namespace sluice::control {

namespace {

/// How often each line is there, as it is printed.
std::map<std::string, int> lines_of(const config::Config& config) {
  std::map<std::string, int> lines;
  std::istringstream text(config::to_text(config));
  for (std::string line; std::getline(text, line);) {
    const std::size_t first = line.find_first_not_of(' ');
    if (first != std::string::npos) ++lines[line.substr(first)];
  }
  return lines;
}

std::string keyword_of(const std::string& line) { return line.substr(0, line.find(' ')); }

/// "priority 100 -> 150, + nopreempt": what is printed of one and not of the other.
std::string differences(const config::Config& before, const config::Config& after) {
  std::map<std::string, int> count = lines_of(after);
  for (const auto& [line, times] : lines_of(before)) count[line] -= times;
  std::vector<std::string> gone, come, text;
  for (const auto& [line, times] : count) {
    if (times != 0) (times < 0 ? gone : come).push_back(line);
  }
  for (const std::string& line : gone) {
    const auto same = std::ranges::find(come, keyword_of(line), keyword_of);
    const bool has_value = line.find(' ') != std::string::npos && keyword_of(line) != "{";
    if (same == come.end() || !has_value) {
      text.push_back("- " + line);
      continue;
    }
    text.push_back(line + " -> " +
                   (same->size() > keyword_of(line).size() ? same->substr(keyword_of(line).size() + 1) : ""));
    come.erase(same);
  }
  for (const std::string& line : come) text.push_back("+ " + line);
  return fmt::format("{}", fmt::join(text, ", "));
}

template <typename Block>
void compare(const char* kind, const config::Config& before, const config::Config& after,
             std::vector<Block> config::Config::*list, std::vector<std::string>& changes) {
  const auto only = [&](const Block& block) {
    config::Config config;
    (config.*list).push_back(block);
    return config;
  };
  for (const Block& old : before.*list) {
    if (std::ranges::find(after.*list, old.name, &Block::name) == (after.*list).end())
      changes.push_back(fmt::format("- {} {}", kind, old.name));
  }
  for (const Block& next : after.*list) {
    const auto old = std::ranges::find(before.*list, next.name, &Block::name);
    if (old == (before.*list).end()) {
      changes.push_back(fmt::format("+ {} {}", kind, next.name));
    } else if (!(*old == next)) {
      changes.push_back(fmt::format("~ {} {}: {}", kind, next.name, differences(only(*old), only(next))));
    }
  }
}

}  // namespace

std::vector<std::string> vrrp_changes(const config::Config& before, const config::Config& after) {
  std::vector<std::string> changes;
  compare("vrrp_script", before, after, &config::Config::vrrp_scripts, changes);
  compare("track_file", before, after, &config::Config::track_files, changes);
  compare("vrrp_track_process", before, after, &config::Config::track_processes, changes);
  compare("bfd_instance", before, after, &config::Config::bfd_instances, changes);
  compare("track_group", before, after, &config::Config::track_groups, changes);
  compare("vrrp_instance", before, after, &config::Config::vrrp_instances, changes);
  compare("vrrp_sync_group", before, after, &config::Config::sync_groups, changes);
  return changes;
}

}  // namespace sluice::control
