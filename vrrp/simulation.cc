// What happens in a history. What must hold meanwhile is simulation_rules.cc.
#include "vrrp/simulation.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::vrrp::simulation {

namespace {

Advert plain(const net::IpAddr& source, std::uint8_t priority, Centiseconds interval, const InstanceConfig& receiver) {
  return Advert{source, priority, interval, interval != receiver.advertisement_interval};
}

}  // namespace

// --- the network and its routers
// --------------------------------------------------------------------------------------

History::History(std::uint64_t seed, std::string* trace) : random_(seed), trace_(trace) { make_network(); }

void History::make_network() {
  version_ = random_.percent(50) ? Version::v2 : Version::v3;
  through_codec_ = random_.percent(10);
  if (version_ == Version::v2) {
    authentication_.type = static_cast<AuthType>(random_.below(3));
    authentication_.key = {'k', 'e', 'y'};
    interval_ = Centiseconds(100 * (1 + random_.below(2)));
  } else {
    interval_ = Centiseconds(random_.one_of<std::uint32_t>({1, 5, 10, 100, 400}));
    if (random_.percent(30)) interval_factor_max_ = 5;
  }
  down_timer_adverts_ = random_.one_of<unsigned>({3, 3, 3, 3, 2, 4});
  address_owners_ = random_.one_of<Owners>({Owners::none, Owners::none, Owners::only_the_first, Owners::any});
  grouped_ = random_.percent(30);
  virtual_routers_ = grouped_ ? 2 + random_.below(2) : 1 + random_.below(2);

  const Microseconds shortest = interval_, longest = shortest * interval_factor_max_;
  delay_max_ = std::min(shortest / 10, Microseconds(2000));
  late_max_ = delay_max_ / 4;
  // strict mode may set the count of missed advertisements back to 3; a skew is shorter than an interval.
  down_max_ = (std::max(down_timer_adverts_, 3u) + 1) * longest;
  if (random_.percent(30)) preempt_delay_max_ = 8 * longest;
  if (random_.percent(30)) startup_delay_max_ = 4 * longest;

  owners_.assign(virtual_routers_, 0);
  ownerless_since_.assign(virtual_routers_, now_);
  owned_since_.assign(virtual_routers_, now_);
  settled_owner_.resize(virtual_routers_);
  routers_.resize(2 + random_.below(4));
  for (std::size_t r = 0; r < routers_.size(); ++r) {
    routers_[r].members.resize(virtual_routers_);
    configure(r, false);
  }
}

// Members of a group have the same priority and manners: with others they could block each other for ever, as
// keepalived's do. Only one member of a group changes anything by itself, so the timers may differ all the same.
void History::configure(std::size_t router, bool again) {
  auto& members = routers_[router].members;
  for (std::size_t v = 0; v < members.size(); ++v) {
    const InstanceConfig before = members[v].config;
    members[v].config = grouped_ && v > 0 ? members[0].config : make_config(router);
    members[v].config.name = fmt::format("R{}V{}", router, v);
    members[v].config.startup_delay = again ? before.startup_delay : members[0].config.startup_delay;
    members[v].wire_config = make_wire_config(members[v].config, v);
  }
}

InstanceConfig History::make_config(std::size_t router) {
  InstanceConfig config;
  config.version = version_;
  config.source = source(router);
  config.advertisement_interval = interval_ * (1 + std::uint32_t(random_.below(interval_factor_max_)));
  config.down_timer_adverts = down_timer_adverts_;
  config.priority =
      std::uint8_t(random_.percent(30) ? random_.one_of<unsigned>({100, 100, 150}) : 1 + unsigned(random_.below(254)));
  const bool may_own = address_owners_ == Owners::any || (address_owners_ == Owners::only_the_first && router == 0);
  if (may_own && random_.percent(50)) {
    config.priority = priority_owner;
    config.owner_ignore_adverts = address_owners_ == Owners::only_the_first && random_.percent(30);
  }
  config.start_as_master = random_.percent(50);
  config.preempt_mode = random_.percent(80);
  if (random_.percent(40)) config.preempt_delay = random_.up_to(preempt_delay_max_);
  if (random_.percent(40)) config.startup_delay = random_.up_to(startup_delay_max_);
  config.lower_prio_no_advert = random_.percent(20);
  config.higher_prio_send_advert = random_.percent(20);
  config.strict = random_.percent(5);
  return config;
}

WireConfig History::make_wire_config(const InstanceConfig& config, std::size_t virtual_router) const {
  WireConfig wire;
  wire.version = version_;
  wire.vrid = std::uint8_t(1 + virtual_router);
  wire.advertisement_interval = std::chrono::duration_cast<Centiseconds>(config.advertisement_interval);
  wire.authentication = authentication_;
  wire.addresses = {net::Ipv4Addr::of(10, 0, 1, std::uint8_t(virtual_router))};
  return wire;
}

net::IpAddr History::source(std::size_t router) const { return net::Ipv4Addr::of(10, 0, 0, std::uint8_t(10 + router)); }

// --- what happens
// -----------------------------------------------------------------------------------------------------

void History::run_until(Time end) {
  while (!complaint_ && !events_.empty() && events_.top().at <= end) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    step(event);
    check_owners();
  }
  now_ = end;
  if (!complaint_) check_owners();
}

void History::step(const Event& event) {
  Router& router = routers_[event.router];
  if (!router.alive) return;
  if (event.packet) return deliver(event.router, *event.packet);
  Member& member = router.members[event.virtual_router];
  if (event.timer != member.timer) return;
  if (router.group) {
    carry_out(event.router, router.group->on_timer(now_, event.virtual_router));
  } else {
    carry_out(event.router, event.virtual_router, member.instance->on_timer(now_));
  }
}

void History::deliver(std::size_t index, const Packet& packet) {
  Router& router = routers_[index];
  Member& member = router.members[packet.virtual_router];
  const auto refusal = member.instance->refusal(now_);
  if (refusal == ReceiveError::not_listening) return;
  Advert advert = plain(source(packet.from), packet.priority, packet.interval, member.config);
  if (packet.bytes) {
    const auto arrival = open_ipv4(*packet.bytes);
    require(arrival.has_value(), [] { return "an advertisement that was built doesn't open"; });
    const auto checked = check(*arrival, member.wire_config, member.wire, wall_clock());
    if (!checked) {
      say([&] { return fmt::format("R{} refuses it: {}", index, to_string(checked.error())); });
      return require(checked.error() == ReceiveError::ah_replay, [] { return "a good advertisement was refused"; });
    }
    advert = *checked;
  }
  if (refusal) return;
  if (router.group) {
    carry_out(index, router.group->on_advert(now_, packet.virtual_router, advert));
  } else {
    carry_out(index, packet.virtual_router, member.instance->on_advert(now_, advert));
  }
}

void History::chaos() {
  const std::size_t router = random_.below(routers_.size());
  switch (random_.below(10)) {
    case 0:
      for (Router& each : routers_) each.side = unsigned(random_.below(2));
      return say([] { return "another partition"; });
    case 1:
      loss_ = random_.one_of<unsigned>({0, 10, 30, 60, 100});
      return say([&] { return fmt::format("loss {} %", loss_); });
    case 2: return crash(router);
    case 3: return stop(router);
    case 4:
    case 5: return boot(router);
    case 6: return reload(router);
    case 7: return set_fault(router, !routers_[router].faulty);
    case 8: return lose_addresses(router);
    default: return change_priority(router);
  }
}

void History::boot(std::size_t index) {
  Router& router = routers_[index];
  if (router.alive) return;
  say([&] { return fmt::format("R{} boots", index); });
  router.alive = true;
  router.eligible_from = now_ + router.members[0].config.startup_delay;
  std::vector<Instance*> instances;
  for (Member& member : router.members) {
    member.wire = {};
    member.instance.emplace(member.config);
    instances.push_back(&*member.instance);
    if (router.faulty && (!grouped_ || instances.size() == 1)) {
      member.instance->on_fault(now_, {FaultKind::tracker}, "");
    }
  }
  router.group.reset();
  if (grouped_) {
    router.group.emplace("G", instances);
    return carry_out(index, router.group->start(now_));
  }
  for (std::size_t v = 0; v < instances.size(); ++v) carry_out(index, v, instances[v]->start(now_));
}

// The addresses stay on the dead router, but nobody who counts answers for them.
void History::crash(std::size_t index) {
  Router& router = routers_[index];
  if (!router.alive) return;
  say([&] { return fmt::format("R{} crashes", index); });
  router.alive = false;
  for (std::size_t v = 0; v < virtual_routers_; ++v) own(index, v, false);
}

void History::stop(std::size_t index) {
  Router& router = routers_[index];
  if (!router.alive) return;
  say([&] { return fmt::format("R{} ends", index); });
  if (router.group) {
    carry_out(index, router.group->stop(now_, StopCause::shutdown));
  } else {
    for (std::size_t v = 0; v < virtual_routers_; ++v) {
      carry_out(index, v, router.members[v].instance->stop(now_, StopCause::shutdown));
    }
  }
  router.alive = false;
}

void History::reload(std::size_t index) {
  Router& router = routers_[index];
  configure(index, router.alive);
  if (!router.alive) return;
  say([&] { return fmt::format("R{} reloads", index); });
  router.eligible_from = std::max(router.eligible_from, now_);  // a backup waits in full again
  for (std::size_t v = 0; v < virtual_routers_; ++v) {
    const InstanceConfig& config = router.members[v].config;
    const bool added = random_.percent(30);
    if (router.group) {
      carry_out(index, router.group->reload(now_, v, config, added));
    } else {
      carry_out(index, v, router.members[v].instance->reload(now_, config, added));
    }
  }
}

void History::set_fault(std::size_t index, bool faulty) {
  Router& router = routers_[index];
  router.faulty = faulty;
  if (!router.alive) return;
  say([&] { return fmt::format("R{} {}", index, faulty ? "has a fault" : "has its fault no longer"); });
  if (!faulty) router.eligible_from = std::max(router.eligible_from, now_);
  const Fault fault{FaultKind::tracker};
  if (router.group) {
    return carry_out(
        index, faulty ? router.group->on_fault(now_, 0, fault, "") : router.group->on_fault_cleared(now_, 0, fault));
  }
  for (std::size_t v = 0; v < virtual_routers_; ++v) {
    Instance& instance = *router.members[v].instance;
    carry_out(index, v, faulty ? instance.on_fault(now_, fault, "") : instance.on_fault_cleared(now_, fault));
  }
}

void History::change_priority(std::size_t index) {
  Router& router = routers_[index];
  if (!router.alive) return;
  const int delta = int(random_.below(101)) - 50;
  say([&] { return fmt::format("R{} has priorities changed by {}", index, delta); });
  for (std::size_t v = 0; v < virtual_routers_; ++v) {
    if (router.group) {
      carry_out(index, router.group->on_priority_delta(now_, v, delta));
    } else {
      carry_out(index, v, router.members[v].instance->on_priority_delta(now_, delta));
    }
  }
}

void History::lose_addresses(std::size_t index) {
  Router& router = routers_[index];
  if (!router.alive) return;
  const std::size_t v = random_.below(virtual_routers_);
  say([&] { return fmt::format("somebody removes an address of R{}V{}", index, v); });
  if (router.group) {
    carry_out(index, router.group->on_addresses_lost(now_, v));
  } else {
    carry_out(index, v, router.members[v].instance->on_addresses_lost(now_));
  }
}

// Most that is down comes back; the network does.
void History::heal() {
  say([] { return "the network is well from now on"; });
  loss_ = 0;
  for (std::size_t r = 0; r < routers_.size(); ++r) {
    routers_[r].side = 0;
    if (routers_[r].faulty && random_.percent(70)) set_fault(r, false);
    if (random_.percent(70)) boot(r);
  }
}

// --- what comes out
// ---------------------------------------------------------------------------------------------------

void History::carry_out(std::size_t router, std::size_t virtual_router, const Actions& actions) {
  for (const Action& action : actions) carry_out(router, virtual_router, action);
  check_router(router);
}

void History::carry_out(std::size_t router, const GroupActions& actions) {
  for (const GroupAction& each : actions) {
    if (each.member != GroupAction::group) carry_out(router, each.member, each.action);
  }
  check_router(router);
}

void History::carry_out(std::size_t router, std::size_t virtual_router, const Action& action) {
  if (trace_ != nullptr) say_action(router, virtual_router, action);
  Member& member = routers_[router].members[virtual_router];
  if (const auto* send = std::get_if<SendAdvert>(&action)) {
    broadcast(router, virtual_router, send->priority);
  } else if (const auto* arm = std::get_if<ArmTimer>(&action)) {
    events_.push({std::max(arm->at, now_) + random_.up_to(late_max_), ++order_, router, virtual_router, ++member.timer,
                  nullptr});
  } else if (std::holds_alternative<CancelTimer>(action)) {
    ++member.timer;
  } else if (std::holds_alternative<OwnAddresses>(action)) {
    require(!member.owns, [] { return "owns its addresses twice"; });
    own(router, virtual_router, true);
  } else if (std::holds_alternative<ReleaseAddresses>(action)) {
    require(member.owns, [] { return "releases what it doesn't own"; });
    own(router, virtual_router, false);
  }
}

void History::say_action(std::size_t router, std::size_t virtual_router, const Action& action) {
  const std::string who = fmt::format("R{}V{}", router, virtual_router);
  if (const auto* send = std::get_if<SendAdvert>(&action))
    say([&] { return fmt::format("{} sends {}", who, send->priority); });
  if (const auto* line = std::get_if<Log>(&action)) say([&] { return line->text; });
}

void History::broadcast(std::size_t from, std::size_t virtual_router, std::uint8_t priority) {
  Member& sender = routers_[from].members[virtual_router];
  require(sender.owns || (priority != priority_stopping && sender.instance->state() == State::master),
          [] { return "advertises without being master"; });
  sender.last_sent = now_;
  auto packet = std::make_shared<Packet>(
      Packet{from, virtual_router, priority, sender.wire_config.advertisement_interval, nullptr});
  if (through_codec_) {
    packet->bytes = std::make_shared<std::vector<std::uint8_t>>();
    const auto built = build(sender.wire_config, sender.wire, source(from), multicast_group_v4, priority, wall_clock(),
                             *packet->bytes);
    require(built.has_value(), [&] { return built.error().text(); });
  }
  for (std::size_t to = 0; to < routers_.size(); ++to) {
    if (to == from || routers_[to].side != routers_[from].side || random_.percent(loss_)) continue;
    events_.push({now_ + random_.up_to(delay_max_), ++order_, to, virtual_router, 0, packet});
  }
}

void History::own(std::size_t router, std::size_t virtual_router, bool owns) {
  Member& member = routers_[router].members[virtual_router];
  if (member.owns == owns) return;
  member.owns = owns;
  std::size_t& owners = owners_[virtual_router];
  if (owns && owners++ == 0) owned_since_[virtual_router] = now_;
  if (!owns && --owners == 0) ownerless_since_[virtual_router] = now_;
}

void History::write(const std::string& line) {
  *trace_ += fmt::format("{:>12} {}\n", now_.time_since_epoch().count(), line);
}

}  // namespace sluice::vrrp::simulation
