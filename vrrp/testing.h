// For the tests of vrrp/: short ways to say times, advertisements, and what a list of actions holds.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "vrrp/actions.h"
#include "vrrp/codec.h"

namespace sluice::vrrp::testing {

constexpr Time at(std::int64_t microseconds) { return Time(Microseconds(microseconds)); }

inline net::IpAddr ip(std::string_view text) { return net::IpAddr::parse(text).value(); }

inline Advert advert_of(std::uint8_t priority, std::string_view source, Centiseconds interval = Centiseconds(100)) {
  return Advert{ip(source), priority, interval};
}

template <typename T>
std::vector<T> all_of(const Actions& actions) {
  std::vector<T> found;
  for (const Action& action : actions) {
    if (const T* it = std::get_if<T>(&action)) found.push_back(*it);
  }
  return found;
}

template <typename T>
bool has(const Actions& actions) {
  return !all_of<T>(actions).empty();
}
template <typename T>
bool has(const Actions& actions, const T& wanted) {
  return std::find(actions.begin(), actions.end(), Action{wanted}) != actions.end();
}

/// Position of the first T; the number of actions if there is none.
template <typename T>
std::size_t index_of(const Actions& actions) {
  const auto is = [](const Action& action) { return std::holds_alternative<T>(action); };
  return std::size_t(std::find_if(actions.begin(), actions.end(), is) - actions.begin());
}

inline bool logs(const Actions& actions, std::string_view part) {
  for (const Log& line : all_of<Log>(actions)) {
    if (line.text.find(part) != std::string::npos) return true;
  }
  return false;
}

/// The events alone, in order, as the FIFO would have them: "BACKUP MASTER".
inline std::string events(const Actions& actions) {
  std::string text;
  for (const Notify& notify : all_of<Notify>(actions)) {
    if (!text.empty()) text += ' ';
    text += to_string(notify.event);
  }
  return text;
}

}  // namespace sluice::vrrp::testing
