#include "control/vrrp/process_quorum.h"

#include <algorithm>

namespace sluice::control {

using config::ParamMatch;

bool needs_command_line(const config::TrackProcess& watched) {
  return watched.full_command || watched.match != ParamMatch::name || watched.command.size() > 1;
}

bool matches(const config::TrackProcess& watched, const ProcessView& process) {
  if (!needs_command_line(watched)) return process.name == watched.command[0];
  const std::vector<std::string>& wanted = watched.command;
  const std::vector<std::string>& found = process.command;
  if (found.empty() || found[0] != wanted[0]) return false;
  if (wanted.size() == 1 && watched.match == ParamMatch::name) return true;
  if (found.size() < wanted.size()) return false;
  const std::size_t last = wanted.size() - 1;
  if (!std::equal(wanted.begin(), wanted.begin() + std::ptrdiff_t(last), found.begin())) return false;
  switch (watched.match) {
    case ParamMatch::name:
    case ParamMatch::exact: return found.size() == wanted.size() && found[last] == wanted[last];
    case ParamMatch::partial: return found[last] == wanted[last];
    case ParamMatch::initial: return found[last].starts_with(wanted[last]);
  }
  return false;
}

ProcessQuorum::ProcessQuorum(config::TrackProcess watched, unsigned count)
    : watched_(std::move(watched)), running_(count), up_(has_quorum()) {}

bool ProcessQuorum::has_quorum() const {
  // quorum_max 0: none may run, and quorum, which is 1 at least, doesn't count.
  if (watched_.quorum_max && *watched_.quorum_max == 0) return running_ == 0;
  return running_ >= watched_.quorum && (!watched_.quorum_max || running_ <= *watched_.quorum_max);
}

bool ProcessQuorum::count(unsigned running, Time now) {
  if (running == running_) return false;
  const config::Duration delay = running > running_ ? watched_.fork_delay : watched_.terminate_delay;
  running_ = running;
  if (has_quorum() == up_) {
    due_.reset();
    return false;
  }
  if (!due_) due_ = now + delay;
  return on_time(now);
}

bool ProcessQuorum::on_time(Time now) {
  if (!due_ || now < *due_) return false;
  due_.reset();
  up_ = has_quorum();
  return true;
}

}  // namespace sluice::control
