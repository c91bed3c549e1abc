// What changes from one list of virtual servers to another: the pure half of a reload. The pool manager carries it out,
// `sluicectl diff` prints it, and that it does nothing where nothing changed can be tested without an engine.
//
// Who is who, as keepalived has it: a virtual server is known by its address, port and protocol, by its mark, or by its
// group and place among the group's users; a real server by its address and port within its virtual server. Of equals
// (which a configuration shouldn't have), the first counts as the first.
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "control/pools/pool_list.h"

namespace sluice::control {

// `was` and `is` are indices of a virtual server in the old and in the new list.

struct PoolRemoved {
  std::size_t was;
  bool operator==(const PoolRemoved&) const = default;
};
struct PoolAdded {
  std::size_t is;
  bool operator==(const PoolAdded&) const = default;
};
/// An entry of a group is gone: `service` in the old list of services.
struct ServiceRemoved {
  std::size_t was, is, service;
  bool operator==(const ServiceRemoved&) const = default;
};
/// An entry of a group is new: `service` in the new list of services.
struct ServiceAdded {
  std::size_t was, is, service;
  bool operator==(const ServiceAdded&) const = default;
};
/// Scheduler or flags.
struct ServiceChanged {
  std::size_t was, is, service_was, service_is;
  bool operator==(const ServiceChanged&) const = default;
};
struct ServerRemoved {
  std::size_t was, is, server;  ///< server: in the old list
  bool operator==(const ServerRemoved&) const = default;
};
struct ServerAdded {
  std::size_t was, is, server;  ///< server: in the new list
  bool operator==(const ServerAdded&) const = default;
};
/// Anything else of a real server: compare the two.
struct ServerChanged {
  std::size_t was, is, server_was, server_is;
  bool operator==(const ServerChanged&) const = default;
};
/// It comes, goes, or is another one, or another way to reach it or to keep it in reserve.
struct SorryServerChanged {
  std::size_t was, is;
  bool operator==(const SorryServerChanged&) const = default;
};
struct QuorumChanged {
  std::size_t was, is;
  bool operator==(const QuorumChanged&) const = default;
};
/// What else belongs to the virtual server: its scripts, when they run, how it is named in the log,
/// and when it is checked.
struct NoticesChanged {
  std::size_t was, is;
  bool operator==(const NoticesChanged&) const = default;
};
/// The real servers that stay stand in another order. The table isn't touched: LVS keeps the order of adding, too.
struct ServersReordered {
  std::size_t was, is;
  bool operator==(const ServersReordered&) const = default;
};

using Change =
    std::variant<PoolRemoved, PoolAdded, ServiceRemoved, ServiceAdded, ServiceChanged, ServerRemoved, ServerAdded,
                 ServerChanged, SorryServerChanged, QuorumChanged, NoticesChanged, ServersReordered>;

inline constexpr std::size_t not_there = static_cast<std::size_t>(-1);

struct Diff {
  /// By virtual server of the new list: its index in the old one, or not_there.
  std::vector<std::size_t> was;
  /// Those of the new list that are in both and not equal, be it only in the order of their parts.
  std::vector<std::size_t> changed;
  /// What is removed comes first; then all else by virtual server, in the new list's order.
  std::vector<Change> changes;
};

/// Pure. Looks at nothing but fingerprints where nothing has changed and the order is the same.
[[nodiscard]] Diff diff(const PoolList& old, const PoolList& next);

/// By real server of `next`: its index in `old`, or not_there.
[[nodiscard]] std::vector<std::size_t> match_servers(const PoolSpec& old, const PoolSpec& next);
/// Is it the same checker, so that what it knows still holds? It is if it asks the same in the same rhythm; what only
/// counts at its start (warmup, alpha) and what is logged may differ.
[[nodiscard]] bool is_same_checker(const CheckerSetup& old, const CheckerSetup& next);

/// One line for people, beginning with "+", "-" or "~":
/// "~ real server [10.0.2.11]:tcp:80 of [10.0.0.1]:tcp:80: weight 1 -> 3".
/// old, next: what the change was made from.
[[nodiscard]] std::string text(const Change& change, const PoolList& old, const PoolList& next);

/// All changes as text(); beyond lines_max, "... and N more".
inline constexpr std::size_t lines_max = 10'000;
[[nodiscard]] std::vector<std::string> lines(const Diff& difference, const PoolList& old, const PoolList& next);

}  // namespace sluice::control
