// The pool arithmetic of one virtual server: which real servers take traffic, whether there is quorum, and whether the
// sorry server stands in. Pure: a checker's report or a weight goes in, an ordered list of actions comes out. Who
// probes is health_thread.h; who carries the actions out (backend, scripts, log) is control/pools/.
//
// The words of keepalived. A real server is *up* while none of its checkers says otherwise. W is the sum of the weights
// of the servers that are up, Q the quorum, H the hysteresis (H < Q):
//
//   quorum is gained when W >= Q + H, and lost when W == 0 or W < Q - H; in between it stays as it was.
//
// A sorry server is in exactly while quorum is lost. Then no real server takes traffic, not even one that is up.
// What stands in the table is therefore a function of three facts, and the property test holds the code to it:
//
//   serving(i)  = up(i) and the sorry server isn't standing in
//   in table(i) = serving(i) or inhibit_on_failure(i)         (an inhibited server stays, with weight 0)
//   weight(i)   = serving(i) ? weight : 0
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace sluice::health {

/// One real server as the pool starts with it.
struct PoolServer {
  std::uint32_t weight = 1;  ///< 0 is legal: up, yet never scheduled, and no vote in the quorum
  bool inhibit_on_failure = false;
  /// One entry per checker: is it taken to be up before it has run? false for keepalived's `alpha`, or what an earlier
  /// pool knew of this checker before a reload. Empty: no checkers, so always up.
  std::vector<bool> checkers_up;
};

struct PoolConfig {
  std::vector<PoolServer> servers;
  std::uint32_t quorum = 1;      ///< 0 is taken as 1
  std::uint32_t hysteresis = 0;  ///< lowered to quorum - 1 if it isn't below quorum
  bool has_sorry_server = false;
  bool notify_up_at_start = false;    ///< keepalived's rs_init_notifies: servers that start up run notify_up
  bool sorry_server_inhibit = false;  ///< keep the sorry server in the table with weight 0 while it isn't needed
};

/// Why an action on the table is due: keepalived logs each server for `health` (also where it changes nothing in the
/// table: Withheld), one line for all of them for `quorum`.
enum class Cause : std::uint8_t { start, health, quorum, weight, reload };

struct AddServer {
  std::size_t server;
  std::uint32_t weight;
  Cause cause;
  bool operator==(const AddServer&) const = default;
};
struct RemoveServer {
  std::size_t server;
  Cause cause;
  bool operator==(const RemoveServer&) const = default;
};
/// The weight of a server that stands in the table. `weight` 0 with cause health or quorum: disabled by
/// inhibit_on_failure; above: enabled again.
struct SetWeight {
  std::size_t server;
  std::uint32_t weight;
  Cause cause;
  bool operator==(const SetWeight&) const = default;
};
/// A server went up or down while the sorry server stands in: nothing for the table, but keepalived's log says the same
/// as otherwise.
struct Withheld {
  std::size_t server;
  bool operator==(const Withheld&) const = default;
};
/// The configured or dynamic weight changed: a line for the log. What it means for the table follows as SetWeight.
struct WeightChanged {
  std::size_t server;
  std::uint32_t from;
  std::uint32_t to;
  bool server_is_up;
  bool operator==(const WeightChanged&) const = default;
};
struct AddSorryServer {
  std::uint32_t weight;  ///< 1, or 0 when it is only kept in reserve (sorry_server_inhibit)
  bool operator==(const AddSorryServer&) const = default;
};
struct RemoveSorryServer {
  bool operator==(const RemoveSorryServer&) const = default;
};
/// Only with sorry_server_inhibit: 1 when it stands in, 0 when it goes back to reserve.
struct SetSorryServerWeight {
  std::uint32_t weight;
  bool operator==(const SetSorryServerWeight&) const = default;
};
struct NotifyUp {
  std::size_t server;
  bool operator==(const NotifyUp&) const = default;
};
struct NotifyDown {
  std::size_t server;
  bool operator==(const NotifyDown&) const = default;
};
/// "Gained quorum Q+H=T <= W"; at_start: by the configuration alone, at the start or a reload ("Starting with quorum
/// up" in mail).
struct QuorumUp {
  std::uint32_t quorum;
  std::uint32_t hysteresis;
  std::uint64_t weight_sum;
  bool at_start = false;
  bool operator==(const QuorumUp&) const = default;
};
/// "Lost quorum Q-H=T > W"; at_start: by the configuration alone, at the start or a reload ("Starting with quorum down").
struct QuorumDown {
  std::uint32_t quorum;
  std::uint32_t hysteresis;
  std::uint64_t weight_sum;
  bool at_start;
  bool operator==(const QuorumDown&) const = default;
};

/// What a reload makes of a pool.
struct PoolReload {
  static constexpr std::size_t is_new = static_cast<std::size_t>(-1);

  /// As for a new pool, but that a kept server's checkers_up say what is known of its checkers (control knows which of
  /// them are the same), and its weight is what it should be from now on.
  PoolConfig config;
  /// By server of `config`: its index so far, each at most once, or is_new.
  std::vector<std::size_t> was;
  /// The sorry server, if there was and is one, is the same: it stays in the table as it is.
  bool same_sorry_server = true;
};

using Action = std::variant<AddServer, RemoveServer, SetWeight, Withheld, WeightChanged, AddSorryServer,
                            RemoveSorryServer, SetSorryServerWeight, NotifyUp, NotifyDown, QuorumUp, QuorumDown>;
using Actions = std::vector<Action>;

/// In two parts, because indices change their meaning in between.
struct PoolReloadActions {
  Actions leaving;  ///< by old indices: servers that are gone, the sorry server if it is gone or another
  Actions staying;  ///< by new indices: all else, quorum last
};

/// One virtual server's pool. Indices are positions in PoolConfig::servers; an index out of range is a programming
/// mistake. Not thread-safe, owned by the control thread. Never fails.
class Pool {
 public:
  explicit Pool(const PoolConfig& config);

  /// The actions that fill an empty table, in configuration order. Call once, before anything else.
  Actions start();

  /// A checker's verdict after a probe. up: what the checker now holds of its server. first: its first result since it
  /// was made. Repeating what is known gives no actions, but for one: the first result of a checker that started
  /// down (`alpha`) and stays down notifies down, as keepalived does.
  Actions on_checker(std::size_t server, std::size_t checker, bool up, bool first);

  /// A new weight, from a script or an operator.
  Actions on_weight(std::size_t server, std::uint32_t weight);

  /// Another configuration. Quorum stays as it was unless the new numbers say otherwise; the table becomes what the
  /// formulas above say. Servers that are gone notify down if they served (keepalived does, whatever omega says).
  PoolReloadActions reload(const PoolReload& change);

  [[nodiscard]] bool has_quorum() const { return has_quorum_; }
  [[nodiscard]] bool sorry_server_serves() const { return has_sorry_server_ && !has_quorum_; }
  [[nodiscard]] std::uint64_t weight_sum() const;
  [[nodiscard]] std::uint32_t quorum() const { return quorum_; }
  [[nodiscard]] std::uint32_t hysteresis() const { return hysteresis_; }

  [[nodiscard]] std::size_t size() const { return servers_.size(); }
  [[nodiscard]] bool is_up(std::size_t server) const { return servers_[server].checkers_down == 0; }
  [[nodiscard]] bool in_table(std::size_t server) const;
  [[nodiscard]] std::uint32_t weight(std::size_t server) const { return servers_[server].weight; }
  /// What the table should say: 0 while the server is inhibited. Only meaningful while in_table().
  [[nodiscard]] std::uint32_t table_weight(std::size_t server) const;

 private:
  // Checkers of all servers lie in one vector, in order: there may be a hundred thousand servers.
  struct Server {
    std::uint32_t weight;
    std::uint32_t first_checker;
    std::uint32_t checkers;
    std::uint32_t checkers_down;
    bool inhibit_on_failure;
  };

  void configure(const PoolConfig& config);
  [[nodiscard]] bool sorry_server_in_table() const {
    return sorry_server_serves() || (has_sorry_server_ && sorry_server_inhibit_);
  }
  void adjust_sorry_server(bool was_in, std::uint32_t had_weight, Actions& actions) const;
  void adjust_server(std::size_t server, const Pool& before, std::size_t was, Actions& actions) const;
  void enter(std::size_t server, Cause cause, Actions& actions) const;
  void leave(std::size_t server, Cause cause, Actions& actions) const;
  void vote(Actions& actions, bool at_start = false);
  void gain_quorum(const QuorumUp& gained, Actions& actions);
  void lose_quorum(const QuorumDown& lost, Actions& actions);

  std::vector<Server> servers_;
  std::vector<bool> checkers_up_;
  std::uint32_t quorum_ = 1;
  std::uint32_t hysteresis_ = 0;
  bool has_sorry_server_ = false;
  bool sorry_server_inhibit_ = false;
  bool notify_up_at_start_ = false;
  bool has_quorum_ = false;
};

}  // namespace sluice::health
