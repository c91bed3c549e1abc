#include "health/pool.h"

#include <algorithm>
#include <cassert>

namespace sluice::health {

namespace {

constexpr std::uint32_t sorry_server_weight = 1;

}  // namespace

Pool::Pool(const PoolConfig& config) {
  configure(config);
  has_quorum_ = weight_sum() >= std::uint64_t{quorum_} + hysteresis_;
}

void Pool::configure(const PoolConfig& config) {
  quorum_ = std::max(config.quorum, 1u);
  hysteresis_ = std::min(config.hysteresis, quorum_ - 1);
  has_sorry_server_ = config.has_sorry_server;
  sorry_server_inhibit_ = config.sorry_server_inhibit;
  notify_up_at_start_ = config.notify_up_at_start;
  servers_.clear();
  checkers_up_.clear();
  servers_.reserve(config.servers.size());
  for (const PoolServer& server : config.servers) {
    const auto down = std::count(server.checkers_up.begin(), server.checkers_up.end(), false);
    servers_.push_back({server.weight, static_cast<std::uint32_t>(checkers_up_.size()),
                        static_cast<std::uint32_t>(server.checkers_up.size()), static_cast<std::uint32_t>(down),
                        server.inhibit_on_failure});
    checkers_up_.insert(checkers_up_.end(), server.checkers_up.begin(), server.checkers_up.end());
  }
}

Actions Pool::start() {
  Actions actions;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (in_table(i)) actions.push_back(AddServer{i, table_weight(i), Cause::start});
    if (notify_up_at_start_ && is_up(i)) actions.push_back(NotifyUp{i});
  }
  if (has_quorum_) actions.push_back(QuorumUp{quorum_, hysteresis_, weight_sum(), true});
  // keepalived says that it starts without quorum only where that has a consequence.
  if (sorry_server_serves()) actions.push_back(QuorumDown{quorum_, hysteresis_, weight_sum(), true});
  if (sorry_server_serves()) {
    actions.push_back(AddSorryServer{sorry_server_weight});
  } else if (has_sorry_server_ && sorry_server_inhibit_) {
    actions.push_back(AddSorryServer{0});
  }
  return actions;
}

Actions Pool::on_checker(std::size_t index, std::size_t checker, bool up, bool first) {
  assert(index < servers_.size() && checker < servers_[index].checkers);
  Server& server = servers_[index];
  auto known = checkers_up_[server.first_checker + checker];
  Actions actions;
  if (known == up) {
    if (first && !up) actions.push_back(NotifyDown{index});
    return actions;
  }
  const bool was_up = is_up(index);
  known = up;
  server.checkers_down += up ? -1u : 1u;
  if (is_up(index) == was_up) return actions;

  if (sorry_server_serves()) {
    actions.push_back(Withheld{index});
  } else if (up) {
    enter(index, Cause::health, actions);
  } else {
    leave(index, Cause::health, actions);
  }
  if (up) {
    actions.push_back(NotifyUp{index});
  } else {
    actions.push_back(NotifyDown{index});
  }
  vote(actions);
  return actions;
}

Actions Pool::on_weight(std::size_t index, std::uint32_t weight) {
  assert(index < servers_.size());
  Server& server = servers_[index];
  Actions actions;
  if (server.weight == weight) return actions;
  actions.push_back(WeightChanged{index, server.weight, weight, is_up(index)});
  server.weight = weight;
  if (!is_up(index)) return actions;
  if (!sorry_server_serves()) actions.push_back(SetWeight{index, weight, Cause::weight});
  vote(actions);
  return actions;
}

PoolReloadActions Pool::reload(const PoolReload& change) {
  assert(change.was.size() == change.config.servers.size());
  PoolReloadActions actions;
  std::vector<bool> stays(servers_.size());
  for (const std::size_t was : change.was) {
    if (was == PoolReload::is_new) continue;
    assert(was < servers_.size() && !stays[was]);
    stays[was] = true;
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (stays[i]) continue;
    if (in_table(i)) actions.leaving.push_back(RemoveServer{i, Cause::reload});
    if (is_up(i) && !sorry_server_serves()) actions.leaving.push_back(NotifyDown{i});
  }
  bool sorry_in = sorry_server_in_table();
  if (sorry_in && (!change.config.has_sorry_server || !change.same_sorry_server)) {
    actions.leaving.push_back(RemoveSorryServer{});
    sorry_in = false;
  }

  // First as if quorum stayed what it is; then it is counted anew, as after any other change.
  const Pool before = *this;
  configure(change.config);
  const bool still_lost = !has_quorum_ && weight_sum() < std::uint64_t{quorum_} + hysteresis_;
  if (still_lost && has_sorry_server_ && !sorry_in) {
    actions.staying.push_back(QuorumDown{quorum_, hysteresis_, weight_sum(), true});
  }
  adjust_sorry_server(sorry_in, before.sorry_server_serves() ? sorry_server_weight : 0, actions.staying);
  for (std::size_t i = 0; i < servers_.size(); ++i) adjust_server(i, before, change.was[i], actions.staying);
  vote(actions.staying, true);
  return actions;
}

void Pool::adjust_sorry_server(bool was_in, std::uint32_t had_weight, Actions& actions) const {
  const std::uint32_t weight = sorry_server_serves() ? sorry_server_weight : 0;
  if (sorry_server_in_table() && !was_in) {
    actions.push_back(AddSorryServer{weight});
  } else if (!sorry_server_in_table() && was_in) {
    actions.push_back(RemoveSorryServer{});
  } else if (was_in && weight != had_weight) {
    actions.push_back(SetSorryServerWeight{weight});
  }
}

/// What the table says of a server becomes what it should say.
void Pool::adjust_server(std::size_t index, const Pool& before, std::size_t was, Actions& actions) const {
  if (was == PoolReload::is_new) {
    if (in_table(index)) actions.push_back(AddServer{index, table_weight(index), Cause::reload});
    if (notify_up_at_start_ && is_up(index)) actions.push_back(NotifyUp{index});
    return;
  }
  const std::uint32_t old_weight = before.weight(was);
  if (old_weight != weight(index)) {
    actions.push_back(WeightChanged{index, old_weight, weight(index), is_up(index)});
  }
  const bool changed_health = before.is_up(was) != is_up(index);
  const Cause cause = changed_health ? Cause::health : Cause::reload;
  if (in_table(index) && !before.in_table(was)) {
    actions.push_back(AddServer{index, table_weight(index), cause});
  } else if (!in_table(index) && before.in_table(was)) {
    actions.push_back(RemoveServer{index, cause});
  } else if (in_table(index) && table_weight(index) != before.table_weight(was)) {
    actions.push_back(SetWeight{index, table_weight(index), cause});
  }
  if (!changed_health) return;
  if (is_up(index)) {
    actions.push_back(NotifyUp{index});
  } else {
    actions.push_back(NotifyDown{index});
  }
}

std::uint64_t Pool::weight_sum() const {
  std::uint64_t sum = 0;
  for (const Server& server : servers_) {
    if (server.checkers_down == 0) sum += server.weight;
  }
  return sum;
}

bool Pool::in_table(std::size_t server) const {
  return servers_[server].inhibit_on_failure || (is_up(server) && !sorry_server_serves());
}

std::uint32_t Pool::table_weight(std::size_t server) const {
  return is_up(server) && !sorry_server_serves() ? servers_[server].weight : 0;
}

/// The server starts to take traffic.
void Pool::enter(std::size_t index, Cause cause, Actions& actions) const {
  const Server& server = servers_[index];
  if (server.inhibit_on_failure) {
    actions.push_back(SetWeight{index, server.weight, cause});
  } else {
    actions.push_back(AddServer{index, server.weight, cause});
  }
}

/// The server stops taking traffic.
void Pool::leave(std::size_t index, Cause cause, Actions& actions) const {
  if (servers_[index].inhibit_on_failure) {
    actions.push_back(SetWeight{index, 0, cause});
  } else {
    actions.push_back(RemoveServer{index, cause});
  }
}

void Pool::vote(Actions& actions, bool at_start) {
  const std::uint64_t sum = weight_sum();
  if (!has_quorum_ && sum >= std::uint64_t{quorum_} + hysteresis_) {
    gain_quorum({quorum_, hysteresis_, sum, at_start}, actions);
  } else if (has_quorum_ && (sum == 0 || sum < quorum_ - hysteresis_)) {
    lose_quorum({quorum_, hysteresis_, sum, at_start}, actions);
  }
}

void Pool::gain_quorum(const QuorumUp& gained, Actions& actions) {
  has_quorum_ = true;
  actions.push_back(gained);
  if (!has_sorry_server_) return;
  if (sorry_server_inhibit_) {
    actions.push_back(SetSorryServerWeight{0});
  } else {
    actions.push_back(RemoveSorryServer{});
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (is_up(i)) enter(i, Cause::quorum, actions);
  }
}

void Pool::lose_quorum(const QuorumDown& lost, Actions& actions) {
  has_quorum_ = false;
  actions.push_back(lost);
  if (!has_sorry_server_) return;
  if (sorry_server_inhibit_) {
    actions.push_back(SetSorryServerWeight{sorry_server_weight});
  } else {
    actions.push_back(AddSorryServer{sorry_server_weight});
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (is_up(i)) leave(i, Cause::quorum, actions);
  }
}

}  // namespace sluice::health
