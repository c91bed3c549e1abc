#include "control/pools/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "control/pools/service_name.h"

namespace sluice::control {

namespace {

/// By item of `next`: the index of the item of `old` with the same identity, or not_there. identity: item -> anything
/// with an order. is_same(i): are the i-th items of both the same? Most items stay where they are; the others are
/// looked up in a sorted list.
template <typename Item, typename Identity, typename IsSame>
std::vector<std::size_t> match(std::span<const Item> old, std::span<const Item> next, Identity identity,
                               IsSame is_same) {
  std::vector<std::size_t> was(next.size(), not_there);
  std::vector<std::size_t> left;  // of old
  bool all = true;
  for (std::size_t i = 0; i < std::max(old.size(), next.size()); ++i) {
    const bool in_both = i < old.size() && i < next.size();
    if (in_both && is_same(i)) {
      was[i] = i;
      continue;
    }
    if (i < old.size()) left.push_back(i);
    all = all && i >= next.size();
  }
  if (all || left.empty()) return was;

  std::stable_sort(left.begin(), left.end(),
                   [&](std::size_t a, std::size_t b) { return identity(old[a]) < identity(old[b]); });
  std::vector<bool> taken(left.size());
  for (std::size_t i = 0; i < next.size(); ++i) {
    if (was[i] != not_there) continue;
    auto found = std::lower_bound(left.begin(), left.end(), next[i], [&](std::size_t index, const Item& item) {
      return identity(old[index]) < identity(item);
    });
    for (; found != left.end() && identity(old[*found]) == identity(next[i]); ++found) {
      const auto place = std::size_t(found - left.begin());
      if (taken[place]) continue;
      taken[place] = true;
      was[i] = *found;
      break;
    }
  }
  return was;
}

template <typename Item, typename Identity>
std::vector<std::size_t> match(std::span<const Item> old, std::span<const Item> next, Identity identity) {
  return match(old, next, identity, [&](std::size_t i) { return identity(old[i]) == identity(next[i]); });
}

/// Calls gone(i) for each item of the old list that `was` doesn't name.
template <typename Gone>
void for_each_gone(std::size_t old_size, const std::vector<std::size_t>& was, Gone gone) {
  std::vector<bool> stays(old_size);
  for (const std::size_t i : was) {
    if (i != not_there) stays[i] = true;
  }
  for (std::size_t i = 0; i < old_size; ++i) {
    if (!stays[i]) gone(i);
  }
}

class PoolDiff {
 public:
  PoolDiff(std::size_t was, std::size_t is, const PoolSpec& old, const PoolSpec& next, std::vector<Change>& changes)
      : was_(was), is_(is), old_(old), next_(next), changes_(changes) {}

  static auto notices(const PoolSpec& pool) {
    return std::tie(pool.protocol, pool.quorum_up, pool.quorum_down, pool.notify_up_at_start, pool.notify_down_at_stop,
                    pool.mails_quorum, pool.ha_suspend);
  }

  void make() {
    compare_services();
    compare_servers();
    if (old_.sorry_server != next_.sorry_server || old_.sorry_server_inhibit != next_.sorry_server_inhibit) {
      changes_.push_back(SorryServerChanged{was_, is_});
    }
    if (old_.quorum != next_.quorum || old_.hysteresis != next_.hysteresis) {
      changes_.push_back(QuorumChanged{was_, is_});
    }
    if (notices(old_) != notices(next_)) changes_.push_back(NoticesChanged{was_, is_});
  }

 private:
  void compare_services() {
    const auto was = match(
        std::span(old_.services), std::span(next_.services),
        [](const VirtualServiceSpec& service) -> const auto& { return service.key; });
    for_each_gone(old_.services.size(), was, [&](std::size_t i) { changes_.push_back(ServiceRemoved{was_, is_, i}); });
    for (std::size_t i = 0; i < was.size(); ++i) {
      if (was[i] == not_there) {
        changes_.push_back(ServiceAdded{was_, is_, i});
      } else if (old_.services[was[i]] != next_.services[i]) {
        changes_.push_back(ServiceChanged{was_, is_, was[i], i});
      }
    }
  }

  void compare_servers() {
    const auto was = match_servers(old_, next_);
    for_each_gone(old_.servers.size(), was, [&](std::size_t i) { changes_.push_back(ServerRemoved{was_, is_, i}); });
    bool in_order = true;
    std::size_t last = 0;
    for (std::size_t i = 0; i < was.size(); ++i) {
      if (was[i] == not_there) {
        changes_.push_back(ServerAdded{was_, is_, i});
        continue;
      }
      if (old_.servers[was[i]] != next_.servers[i]) changes_.push_back(ServerChanged{was_, is_, was[i], i});
      in_order = in_order && was[i] >= last;
      last = was[i];
    }
    if (!in_order) changes_.push_back(ServersReordered{was_, is_});
  }

  std::size_t was_, is_;
  const PoolSpec& old_;
  const PoolSpec& next_;
  std::vector<Change>& changes_;
};

}  // namespace

Diff diff(const PoolList& old, const PoolList& next) {
  // Entries of a group come and go; its name stays.
  const auto identity = [](const PoolSpec& pool) {
    static constexpr VirtualServiceKey no_key{};
    return std::tie(pool.group, pool.group.empty() ? pool.services.front().key : no_key);
  };
  Diff result;
  result.was = match(old.pools(), next.pools(), identity,
                     [&](std::size_t i) { return next.is_equal(i, old, i) || identity(old[i]) == identity(next[i]); });
  for_each_gone(old.size(), result.was, [&](std::size_t i) { result.changes.push_back(PoolRemoved{i}); });
  for (std::size_t i = 0; i < next.size(); ++i) {
    const std::size_t was = result.was[i];
    if (was == not_there) {
      result.changes.push_back(PoolAdded{i});
    } else if (!next.is_equal(i, old, was)) {
      result.changed.push_back(i);
      PoolDiff(was, i, old[was], next[i], result.changes).make();
    }
  }
  return result;
}

std::vector<std::size_t> match_servers(const PoolSpec& old, const PoolSpec& next) {
  return match(
      std::span(old.servers), std::span(next.servers),
      [](const RealServerSpec& server) -> const auto& { return server.destination.key; });
}

bool is_same_checker(const CheckerSetup& old, const CheckerSetup& next) {
  return old.spec->what == next.spec->what && old.spec->timings == next.spec->timings;
}

// --- in words

namespace {

/// "what old -> new", gathered with commas.
class Words {
 public:
  template <typename T>
  Words& change(const char* what, const T& old, const T& next) {
    if (old != next) add(fmt::format("{} {} -> {}", what, old, next));
    return *this;
  }
  Words& flag(const char* what, bool old, bool next) {
    if (old != next) add(fmt::format("{} {}", what, next ? "on" : "off"));
    return *this;
  }
  Words& note(const char* what, bool changed) {
    if (changed) add(std::string(what) + " changed");
    return *this;
  }
  [[nodiscard]] std::string text() const { return text_; }

 private:
  void add(const std::string& words) { text_ += (text_.empty() ? "" : ", ") + words; }
  std::string text_;
};

std::string words(const VirtualServiceSpec& old, const VirtualServiceSpec& next) {
  return Words()
      .change("scheduler", old.scheduler, next.scheduler)
      .flag("sh-fallback", old.sh_fallback, next.sh_fallback)
      .flag("sh-port", old.sh_port, next.sh_port)
      .text();
}

std::string words(const RealServerSpec& old, const RealServerSpec& next) {
  const DestinationSpec& was = old.destination;
  const DestinationSpec& is = next.destination;
  return Words()
      .change("weight", was.weight, is.weight)
      .change("method", to_string(was.method), to_string(is.method))
      .change("uthreshold", was.upper_threshold, is.upper_threshold)
      .change("lthreshold", was.lower_threshold, is.lower_threshold)
      .flag("inhibit_on_failure", old.inhibit_on_failure, next.inhibit_on_failure)
      .note("notify scripts", old.notify_up != next.notify_up || old.notify_down != next.notify_down)
      .note("smtp_alert", old.mails != next.mails)
      .note("checkers", old.checkers != next.checkers)
      .text();
}

std::string sorry_server(const PoolSpec& pool) {
  if (!pool.sorry_server) return "none";
  const DestinationSpec& sorry = *pool.sorry_server;
  return fmt::format("{} ({}{})", server_name(sorry.key, pool.protocol), to_string(sorry.method),
                     pool.sorry_server_inhibit ? ", inhibited" : "");
}

std::string quorum(const PoolSpec& pool) { return fmt::format("{}, hysteresis {}", pool.quorum, pool.hysteresis); }

struct ChangeText {
  const PoolList& old;
  const PoolList& next;

  std::string operator()(const PoolRemoved& change) const { return "- virtual server " + pool_name(old[change.was]); }
  std::string operator()(const PoolAdded& change) const {
    const PoolSpec& pool = next[change.is];
    return fmt::format("+ virtual server {} ({}, {} real server{})", pool_name(pool), pool.services.front().scheduler,
                       pool.servers.size(), pool.servers.size() == 1 ? "" : "s");
  }
  std::string operator()(const ServiceRemoved& change) const {
    return fmt::format("- entry {} of {}", service_name(old[change.was].services[change.service].key),
                       pool_name(old[change.was]));
  }
  std::string operator()(const ServiceAdded& change) const {
    return fmt::format("+ entry {} of {}", service_name(next[change.is].services[change.service].key),
                       pool_name(next[change.is]));
  }
  std::string operator()(const ServiceChanged& change) const {
    const VirtualServiceSpec& was = old[change.was].services[change.service_was];
    const VirtualServiceSpec& is = next[change.is].services[change.service_is];
    return fmt::format("~ virtual server {}: {}", service_name(is.key), words(was, is));
  }
  std::string operator()(const ServerRemoved& change) const { return server_line('-', old[change.was], change.server); }
  std::string operator()(const ServerAdded& change) const {
    const DestinationSpec& is = next[change.is].servers[change.server].destination;
    return fmt::format("{} ({}, weight {})", server_line('+', next[change.is], change.server), to_string(is.method),
                       is.weight);
  }
  std::string operator()(const ServerChanged& change) const {
    return fmt::format("{}: {}", server_line('~', next[change.is], change.server_is),
                       words(old[change.was].servers[change.server_was], next[change.is].servers[change.server_is]));
  }
  std::string operator()(const SorryServerChanged& change) const {
    return fmt::format("~ virtual server {}: sorry server {} -> {}", pool_name(next[change.is]),
                       sorry_server(old[change.was]), sorry_server(next[change.is]));
  }
  std::string operator()(const QuorumChanged& change) const {
    return fmt::format("~ virtual server {}: quorum {} -> {}", pool_name(next[change.is]), quorum(old[change.was]),
                       quorum(next[change.is]));
  }
  std::string operator()(const NoticesChanged& change) const {
    const PoolSpec& was = old[change.was];
    const PoolSpec& is = next[change.is];
    return fmt::format("~ virtual server {}: {}", pool_name(is),
                       Words()
                           .note("quorum scripts", was.quorum_up != is.quorum_up || was.quorum_down != is.quorum_down)
                           .flag("rs_init_notifies", was.notify_up_at_start, is.notify_up_at_start)
                           .flag("omega", was.notify_down_at_stop, is.notify_down_at_stop)
                           .flag("smtp_alert", was.mails_quorum, is.mails_quorum)
                           .flag("ha_suspend", was.ha_suspend, is.ha_suspend)
                           .note("protocol", was.protocol != is.protocol)
                           .text());
  }
  std::string operator()(const ServersReordered& change) const {
    return fmt::format("~ virtual server {}: real servers in another order (the table keeps its own)",
                       pool_name(next[change.is]));
  }

  static std::string server_line(char sign, const PoolSpec& pool, std::size_t server) {
    return fmt::format("{} real server {} of {}", sign,
                       server_name(pool.servers[server].destination.key, pool.protocol), pool_name(pool));
  }
};

}  // namespace

std::string text(const Change& change, const PoolList& old, const PoolList& next) {
  return std::visit(ChangeText{old, next}, change);
}

std::vector<std::string> lines(const Diff& difference, const PoolList& old, const PoolList& next) {
  std::vector<std::string> list;
  for (const Change& change : difference.changes) {
    if (list.size() == lines_max) {
      list.push_back(fmt::format("... and {} more", difference.changes.size() - lines_max));
      break;
    }
    list.push_back(text(change, old, next));
  }
  return list;
}

}  // namespace sluice::control
