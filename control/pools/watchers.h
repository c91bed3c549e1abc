// Which checkers follow which track_file or BFD session, and what those last said.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "health/spec.h"

namespace sluice::control {

/// Control thread only.
class Watchers {
 public:
  enum class Kind : std::uint8_t { file, session };

  /// What a checker follows says: a file its value, a session 1 for up and 0 for down. Nothing: nothing yet.
  [[nodiscard]] std::optional<std::int64_t> says(const health::CheckerSpec& spec) const {
    const auto found = things_.find(followed(spec));
    return found == things_.end() ? std::nullopt : found->second.says;
  }

  /// spec: is_watched().
  void add(health::CheckerId id, const health::CheckerSpec& spec) { things_[followed(spec)].followers.push_back(id); }

  /// Those who follow it, some of which may be gone. Empty if that is what it has said before.
  const std::vector<health::CheckerId>& news(Kind kind, const std::string& name, std::int64_t says) {
    static const std::vector<health::CheckerId> nobody;
    Thing& thing = things_[{kind, name}];
    // A session that never was up has said nothing yet (keepalived).
    if (kind == Kind::session && says == 0 && !thing.says) return nobody;
    if (std::exchange(thing.says, says) == says) return nobody;
    return thing.followers;
  }

  /// After a reload. is_there: CheckerId -> bool.
  template <typename IsThere>
  void forget_those_gone(IsThere is_there) {
    for (auto& [key, thing] : things_) {
      std::erase_if(thing.followers, [&](health::CheckerId id) { return !is_there(id); });
    }
  }

 private:
  using Key = std::pair<Kind, std::string>;
  struct Thing {
    std::optional<std::int64_t> says;
    std::vector<health::CheckerId> followers;
  };
  static Key followed(const health::CheckerSpec& spec) {
    if (const auto* file = std::get_if<health::FileCheckSpec>(&spec.what)) return {Kind::file, file->file};
    return {Kind::session, std::get<health::BfdCheckSpec>(spec.what).session};
  }

  std::map<Key, Thing> things_;
};

}  // namespace sluice::control
