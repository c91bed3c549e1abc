#include "control/netlink/next_hop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "control/netlink/route_query.h"

namespace sluice::control::netlink {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr std::size_t queries_per_turn = 64;
constexpr auto tick_interval = std::chrono::seconds(1);
/// A full round of route queries takes this many ticks.
constexpr std::size_t refresh_ticks = 30;
/// Between two requests for one neighbour; a little below the tick, so that none is skipped by jitter.
constexpr auto request_interval = std::chrono::milliseconds(900);

}  // namespace

class NextHopResolver::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Reflector& reflector, RouteQuery query, Callback on_change)
      : reflector_(reflector), query_(std::move(query)), on_change_(std::move(on_change)), timer_(reflector.io()) {}

  void start();
  void stop();
  void watch(const net::IpAddr& address);
  void unwatch(const net::IpAddr& address);
  [[nodiscard]] const NextHop* find(const net::IpAddr& address) const;
  [[nodiscard]] Counters counters() const;

 private:
  struct Watch {
    unsigned references = 0;
    bool queued = false;                    // in queue_: its route is to be asked for
    std::optional<RouteDecision> decision;  // none until first asked
    std::optional<NeighbourKey> neighbour;  // its key in tended_
    NextHop value{.reason = "not asked yet"};
  };
  using Watches = std::map<net::IpAddr, Watch>;

  /// A neighbour that watches depend on.
  struct Tended {
    std::set<net::IpAddr> users;
    std::optional<steady_clock::time_point> requested;
    std::string refusal;  // why the kernel didn't take the last request
  };

  void queue(Watches::value_type& watch);
  void queue_all();
  void queue_prefix(const Prefix& prefix);
  void work();
  void ask_route(Watches::value_type& watch);
  void depend_on(Watches::value_type& watch, const std::optional<NeighbourKey>& key);
  void take_neighbour(const Neighbour& neighbour);
  void take_link(const Link& link);
  void tend(const NeighbourKey& key, Tended& tended);
  void choose(Watches::value_type& watch);
  void tick();
  void arm_timer();

  Reflector& reflector_;
  RouteQuery query_;
  Callback on_change_;
  asio::steady_timer timer_;
  Subscription subscription_;
  Watches watches_;
  std::map<NeighbourKey, Tended> tended_;
  std::map<int, bool> running_;  // of each link, when last told
  std::deque<net::IpAddr> queue_;
  bool work_posted_ = false;
  bool stopped_ = false;
  net::IpAddr refresh_cursor_;
  std::size_t refresh_credit_ = 0;  // watches due for a refresh, times refresh_ticks
  Counters counters_;
};

void NextHopResolver::Impl::start() {
  for (const auto& link : reflector_.mirror().links()) running_[link.ifindex] = link.running;
  subscription_ = reflector_.subscribe({
      .link_changed = [this](const Link& link) { take_link(link); },
      .link_removed =
          [this](const Link& link) {
            running_.erase(link.ifindex);
            queue_all();
          },
      // A new local address is also a route event; the preferred source of routes may change with it as well.
      .address_added = [this](const InterfaceAddress&) { queue_all(); },
      // Routes that preferred this address go without an event.
      .address_removed = [this](const InterfaceAddress&) { queue_all(); },
      .neighbour_changed = [this](const Neighbour& neighbour) { take_neighbour(neighbour); },
      .route_changed = [this](const Prefix& prefix) { queue_prefix(prefix); },
      .routing_changed = [this] { queue_all(); },
  });
  arm_timer();
}

void NextHopResolver::Impl::stop() {
  stopped_ = true;
  subscription_ = {};
  timer_.cancel();
}

void NextHopResolver::Impl::watch(const net::IpAddr& address) {
  const auto [watch, is_new] = watches_.try_emplace(address);
  ++watch->second.references;
  if (is_new) queue(*watch);
}

void NextHopResolver::Impl::unwatch(const net::IpAddr& address) {
  const auto watch = watches_.find(address);
  if (watch == watches_.end() || --watch->second.references > 0) return;
  depend_on(*watch, std::nullopt);
  watches_.erase(watch);  // work() skips what is still in the queue
}

const NextHop* NextHopResolver::Impl::find(const net::IpAddr& address) const {
  const auto watch = watches_.find(address);
  return watch == watches_.end() ? nullptr : &watch->second.value;
}

NextHopResolver::Counters NextHopResolver::Impl::counters() const {
  Counters counters = counters_;
  counters.watched = watches_.size();
  return counters;
}

void NextHopResolver::Impl::queue(Watches::value_type& watch) {
  if (!watch.second.queued) {
    watch.second.queued = true;
    queue_.push_back(watch.first);
  }
  if (work_posted_) return;
  work_posted_ = true;
  asio::post(reflector_.io(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->work();
  });
}

void NextHopResolver::Impl::queue_all() {
  for (auto& watch : watches_) queue(watch);
}

void NextHopResolver::Impl::queue_prefix(const Prefix& prefix) {
  const auto last = prefix.last();
  for (auto it = watches_.lower_bound(prefix.first()); it != watches_.end() && it->first <= last; ++it) queue(*it);
}

void NextHopResolver::Impl::work() {
  work_posted_ = false;
  for (std::size_t i = 0; i < queries_per_turn && !queue_.empty() && !stopped_; ++i) {
    const auto address = queue_.front();
    queue_.pop_front();
    const auto watch = watches_.find(address);
    // Unwatched meanwhile; or watched anew, asked for through the older entry.
    if (watch == watches_.end() || !watch->second.queued) continue;
    watch->second.queued = false;
    ask_route(*watch);
  }
  if (queue_.empty() || stopped_ || work_posted_) return;
  work_posted_ = true;
  asio::post(reflector_.io(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->work();
  });
}

void NextHopResolver::Impl::ask_route(Watches::value_type& watch) {
  ++counters_.route_queries;
  auto decision = query_.decide(watch.first);
  // Not even asked: what was known stays, the next round of refresh asks again.
  if (!decision && watch.second.decision) return;
  if (!decision) decision = RouteDecision{.kind = RouteDecision::Kind::refused, .reason = decision.error().text()};
  watch.second.decision = std::move(*decision);
  depend_on(watch, deciding_neighbour(watch.first, *watch.second.decision, reflector_.mirror()));
  choose(watch);
}

void NextHopResolver::Impl::depend_on(Watches::value_type& watch, const std::optional<NeighbourKey>& key) {
  auto& [address, state] = watch;
  if (state.neighbour != key) {
    if (state.neighbour) {
      const auto old = tended_.find(*state.neighbour);
      old->second.users.erase(address);
      if (old->second.users.empty()) tended_.erase(old);
    }
    state.neighbour = key;
    if (key) tended_[*key].users.insert(address);
  }
  if (key) tend(*key, tended_[*key]);
}

void NextHopResolver::Impl::take_neighbour(const Neighbour& neighbour) {
  const auto found = tended_.find(neighbour.key);
  if (found == tended_.end()) return;
  tend(found->first, found->second);
  // A copy, and looked up one by one: the callback may unwatch any of them.
  const std::set<net::IpAddr> users = found->second.users;
  for (const auto& address : users) {
    const auto watch = watches_.find(address);
    if (watch != watches_.end()) choose(*watch);
  }
}

void NextHopResolver::Impl::take_link(const Link& link) {
  const auto [known, is_new] = running_.try_emplace(link.ifindex, link.running);
  if (is_new || known->second != link.running) {
    known->second = link.running;
    queue_all();
    return;
  }
  // MAC, MTU, name, VLAN: those who use it.
  for (auto& watch : watches_) {
    const auto& decision = watch.second.decision;
    if ((decision && decision->ifindex == link.ifindex) || watch.second.value.ifindex == link.ifindex) queue(watch);
  }
}

void NextHopResolver::Impl::tend(const NeighbourKey& key, Tended& tended) {
  const Neighbour* neighbour = reflector_.mirror().neighbour(key);
  const bool is_stale = neighbour != nullptr && neighbour->stale();
  const bool is_content = neighbour != nullptr && (neighbour->usable() || neighbour->incomplete()) && !is_stale;
  const Link* link = reflector_.link(key.ifindex);
  if (is_content || link == nullptr || !link->running) {
    tended.refusal.clear();
    return;
  }
  const auto now = steady_clock::now();
  if (tended.requested && now - *tended.requested < request_interval) return;  // the tick comes back to it
  tended.requested = now;
  ++counters_.neighbour_requests;
  tended.refusal.clear();
  if (is_stale) {
    // May lose the race against the entry's end; its event or the next tick resolves it anew then.
    static_cast<void>(query_.probe(key));
  } else if (auto asked = query_.resolve(key); !asked) {
    tended.refusal = asked.error().text();
  }
}

void NextHopResolver::Impl::choose(Watches::value_type& watch) {
  auto& [address, state] = watch;
  if (!state.decision) return;
  NextHop next = choose_next_hop(address, *state.decision, reflector_.mirror());
  if (next.state == NextHop::State::unresolved && state.neighbour) {
    const auto& refusal = tended_[*state.neighbour].refusal;
    if (!refusal.empty()) next.reason += " (" + refusal + ")";
  }
  if (next == state.value) return;
  state.value = next;
  // Copies: the callback may unwatch this very address.
  const net::IpAddr told = address;
  if (on_change_) on_change_(told, next);
}

void NextHopResolver::Impl::tick() {
  for (auto& [key, tended] : tended_) tend(key, tended);
  refresh_credit_ += watches_.size();
  const std::size_t share = refresh_credit_ / refresh_ticks;
  refresh_credit_ %= refresh_ticks;
  auto it = watches_.lower_bound(refresh_cursor_);
  for (std::size_t i = 0; i < share; ++i) {
    if (it == watches_.end()) it = watches_.begin();
    queue(*it);
    ++it;
  }
  refresh_cursor_ = it == watches_.end() ? net::IpAddr() : it->first;
}

void NextHopResolver::Impl::arm_timer() {
  timer_.expires_after(tick_interval);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->stopped_) return;
    self->tick();
    self->arm_timer();
  });
}

Result<std::unique_ptr<NextHopResolver>> NextHopResolver::start(Reflector& reflector, Callback on_change) {
  auto query = RouteQuery::open();
  if (!query) return std::unexpected(query.error());
  auto impl = std::make_shared<Impl>(reflector, std::move(*query), std::move(on_change));
  impl->start();
  return std::unique_ptr<NextHopResolver>(new NextHopResolver(std::move(impl)));
}

NextHopResolver::NextHopResolver(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
NextHopResolver::~NextHopResolver() { impl_->stop(); }

void NextHopResolver::watch(const net::IpAddr& address) { impl_->watch(address); }
void NextHopResolver::unwatch(const net::IpAddr& address) { impl_->unwatch(address); }
const NextHop* NextHopResolver::find(const net::IpAddr& address) const { return impl_->find(address); }
NextHopResolver::Counters NextHopResolver::counters() const { return impl_->counters(); }

}  // namespace sluice::control::netlink
