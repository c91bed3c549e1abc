#include "control/vrrp/virtual_routers.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstring>

#include "control/vrrp/setup.h"

namespace sluice::control {

using vrrp::Fault;
using vrrp::FaultKind;

/// A socket that routers share, and the wait for it.
struct AdvertListener {
  AdvertListener(boost::asio::io_context& io, AdvertReceiverKey with, AdvertReceiver opened)
      : key(std::move(with)), receiver(std::move(opened)), waiter(io, receiver.descriptor()) {}
  ~AdvertListener() { waiter.release(); }  // the receiver closes it

  AdvertReceiverKey key;
  AdvertReceiver receiver;
  boost::asio::posix::stream_descriptor waiter;
};

namespace {

vrrp::Time now() {
  return vrrp::Time(
      std::chrono::duration_cast<vrrp::Microseconds>(std::chrono::steady_clock::now().time_since_epoch()));
}

bool is_link_local(const net::IpAddr& address) {
  if (address.is_v4()) return false;
  const net::Ipv6Addr v6 = address.v6();
  return v6.bytes[0] == 0xfe && (v6.bytes[1] & 0xc0) == 0x80;
}

std::string to_text(FaultKind kind) {
  switch (kind) {
    case FaultKind::interface_down: return "interface down";
    case FaultKind::base_down: return "base interface down";
    case FaultKind::no_source_address: return "no source address";
    case FaultKind::configuration: return "can't listen";
    case FaultKind::tracker: return "tracked thing failed";
    case FaultKind::sync_group: return "sync group in FAULT";
    case FaultKind::script_pending: return "script not run yet";
    case FaultKind::sync_group_pending: return "sync group waits for a script";
  }
  return {};
}

std::string to_text(vrrp::TrackKind kind) {
  switch (kind) {
    case vrrp::TrackKind::interface: return "interface";
    case vrrp::TrackKind::script: return "script";
    case vrrp::TrackKind::process: return "process";
    case vrrp::TrackKind::bfd: return "bfd";
    case vrrp::TrackKind::file: return "file";
  }
  return {};
}

/// Calls task() at that time, in place of what the timer was to do before.
template <typename Task>
void arm(boost::asio::steady_timer& timer, vrrp::Time at, Task task) {
  timer.expires_at(std::chrono::steady_clock::time_point(at.time_since_epoch()));
  timer.async_wait([task = std::move(task)](const boost::system::error_code& error) {
    if (!error) task();
  });
}

}  // namespace

VirtualRouters::VirtualRouters(boost::asio::io_context& io, VrrpHooks hooks, netlink::Changer changer,
                               AdvertSender sender)
    : io_(io),
      hooks_(std::move(hooks)),
      changer_(std::move(changer)),
      sender_(std::move(sender)),
      announcer_timer_(io) {}

VirtualRouters::~VirtualRouters() { stop(); }

Result<std::unique_ptr<VirtualRouters>> VirtualRouters::start(boost::asio::io_context& io, VrrpSettings settings,
                                                              VrrpHooks hooks) {
  auto changer = netlink::Changer::open();
  if (!changer) return std::unexpected(changer.error());
  auto sender = AdvertSender::open();
  if (!sender) return std::unexpected(sender.error());
  std::unique_ptr<VirtualRouters> all(
      new VirtualRouters(io, std::move(hooks), std::move(*changer), std::move(*sender)));
  if (auto opened = all->open(); !opened) return std::unexpected(opened.error());
  all->reload(std::move(settings));
  return all;
}

Result<> VirtualRouters::open() {
  auto reflector = netlink::Reflector::start(io_);
  if (!reflector) return std::unexpected(reflector.error());
  reflector_ = std::move(*reflector);
  auto announcer = Announcer::open([this](int ifindex) { return reflector_->link(ifindex); });
  if (!announcer) return std::unexpected(announcer.error());
  announcer_ = std::move(*announcer);
  const auto say = [this](const std::string& what) { log(what, true); };
  vmacs_ = std::make_unique<VmacKeeper>(changer_, reflector_->mirror(), say);
  static_addresses_ = std::make_unique<AddressKeeper>(changer_, reflector_->mirror(), say);
  static_routes_ = std::make_unique<RouteKeeper>(changer_, reflector_->mirror(), say);
  subscription_ = reflector_->subscribe(
      {.link_changed = [this](const netlink::Link& link) { on_link(link.name); },
       .link_removed = [this](const netlink::Link& link) { on_link(link.name); },
       .address_added = [this](const netlink::InterfaceAddress& address) { on_address(address, false); },
       .address_removed = [this](const netlink::InterfaceAddress& address) { on_address(address, true); },
       .route_changed = [this](const netlink::Prefix& prefix) { on_route(prefix); },
       .routing_changed = [this] { on_rules(); }});
  return {};
}

void VirtualRouters::log(std::string text, bool is_warning, bool is_detail) const {
  hooks_.log({std::move(text), is_warning, is_detail});
}

// --- making them -----------------------------------------------------------------------------------------------------

// The start is a reload of nothing.
void VirtualRouters::reload(VrrpSettings settings) {
  config_ = std::move(settings.config);
  tracked_ = std::move(settings.tracked);
  announcer_->configure(config_.global.vrrp, config_.garp_groups);
  vmacs_->configure(plan_vmacs(config_, reflector_->mirror().links()));
  reflector_->catch_up();
  configure_static();

  std::vector<std::unique_ptr<VirtualRouter>> before = std::move(routers_);
  routers_.clear();
  std::vector<bool> has_new_addresses;
  for (const config::VrrpInstance& instance : config_.vrrp_instances) {
    const auto same = std::ranges::find_if(
        before, [&](const auto& router) { return router != nullptr && is_same_router(router->config, instance); });
    if (same == before.end()) {
      add(instance);
      has_new_addresses.push_back(false);
      continue;
    }
    VirtualRouter& router = **same;
    routers_.push_back(std::move(*same));
    router.config = instance;
    router.routes.configure(instance.routes, instance.rules);
    has_new_addresses.push_back(router.addresses.configure(instance, place_of(instance)));
  }
  for (const auto& router : before) {
    if (router != nullptr) remove(*router);
  }
  vmacs_->drop_unwanted();
  for (const auto& router : routers_) configure(*router);
  make_groups();

  // All of them know what is wrong before the first begins: a sync group counts everybody's faults.
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    VirtualRouter& router = *routers_[i];
    begin(router);
    if (!router.is_running) continue;
    const auto election = election_of(router.config, config_.global, router.source.value_or(net::IpAddr{}));
    drive(
        router, [&](vrrp::Instance& alone) { return alone.reload(now(), election, has_new_addresses[i]); },
        [&](vrrp::SyncGroup& group, std::size_t member) {
          return group.reload(now(), member, election, has_new_addresses[i]);
        });
  }
  for (const auto& group : groups_) {
    const bool runs = std::ranges::any_of(group->members, [](const VirtualRouter* each) { return each->is_running; });
    if (!runs) perform(*group, group->group->start(now()));
    for (std::size_t member = 0; member < group->members.size(); ++member) {
      VirtualRouter& router = *group->members[member];
      if (runs && !router.is_running) perform(*group, group->group->start_member(now(), member));
      router.is_running = true;
    }
  }
  for (const auto& router : routers_) {
    if (router->is_running) continue;
    router->is_running = true;
    perform(*router, router->election.start(now()));
  }
}

VirtualRouter& VirtualRouters::add(const config::VrrpInstance& instance) {
  const auto say = [this, name = instance.name](const std::string& what) {
    log(fmt::format("({}) {}", name, what), true);
  };
  routers_.push_back(std::make_unique<VirtualRouter>(
      io_, routers_made_++, instance, election_of(instance, config_.global, net::IpAddr{}),
      AddressKeeper(changer_, reflector_->mirror(), say), RouteKeeper(changer_, reflector_->mirror(), say)));
  VirtualRouter& router = *routers_.back();
  router.addresses.configure(instance, place_of(instance));
  router.routes.configure(instance.routes, instance.rules);
  router.routes.remove_leftovers();
  router.addresses.remove_leftovers();
  return router;
}

// There from start to end; whoever is master.
void VirtualRouters::configure_static() {
  config::VrrpInstance all;
  all.addresses = config_.static_network.addresses;
  for (config::InterfaceAddress& address : all.addresses) address.dev = address.interface;
  static_addresses_->configure(all, [](const config::InterfaceAddress& address) { return address.dev; });
  static_routes_->configure(config_.static_network.routes, config_.static_network.rules);
  static_addresses_->own();
  static_routes_->own();
}

AddressKeeper::Place VirtualRouters::place_of(const config::VrrpInstance& instance) const {
  return [this, &instance](const config::InterfaceAddress& address) {
    return address_interface(vmacs_->plans(), instance, address);
  };
}

void VirtualRouters::configure(VirtualRouter& router) {
  const VmacPlan* vmac = vmac_of(vmacs_->plans(), router.config);
  router.vmac = vmac != nullptr ? vmac->name : "";
  router.advert_interface = advert_interface(vmacs_->plans(), router.config);
  const netlink::Link* link = reflector_->link(router.config.interface);
  router.group_address = group_of(router.config, config_.global);
  router.wire = wire_of(router.config, link != nullptr ? link->mtu : 1500);
  router.garp.reload(now(), garp_of(router.config), router.election.state() == vrrp::State::master);
  router.group = nullptr;
}

void VirtualRouters::make_groups() {
  groups_.clear();
  for (const config::SyncGroup& config : config_.sync_groups) {
    auto group = std::make_unique<RunningGroup>();
    group->config = config;
    std::vector<vrrp::Instance*> elections;
    for (const auto& router : routers_) {
      if (router->group != nullptr ||
          std::ranges::find(config.instances, router->config.name) == config.instances.end())
        continue;
      router->group = group.get();
      router->member = group->members.size();
      group->members.push_back(router.get());
      elections.push_back(&router->election);
    }
    if (elections.empty()) continue;
    group->group = std::make_unique<vrrp::SyncGroup>(config.name, std::move(elections));
    groups_.push_back(std::move(group));
  }
}

/// Looks at all that it depends on.
void VirtualRouters::begin(VirtualRouter& router) {
  router.trackers = trackers_of(router.config, router.group != nullptr ? &router.group->config : nullptr);
  for (const TrackedStatus& status : tracked_) set_tracked(router, status);
  for (const netlink::Link& link : reflector_->mirror().links()) {
    set_tracked(router, {vrrp::TrackKind::interface, link.name, link.running});
  }
  look_at_link(router, true);
  look_at_source(router);
  reopen(router);
  look_at_trackers(router);
}

void VirtualRouters::remove(VirtualRouter& router) {
  router.group = nullptr;
  perform(router, router.election.stop(now(), vrrp::StopCause::deleted));
  router.routes.release();
  router.addresses.release();
  announcer_->forget(router.id);
  log(fmt::format("({}) removed", router.config.name), false, true);
}

void VirtualRouters::stop() {
  if (stopped_) return;
  stopped_ = true;
  for (const auto& group : groups_) perform(*group, group->group->stop(now(), vrrp::StopCause::shutdown));
  for (const auto& router : routers_) {
    if (router->group == nullptr) perform(*router, router->election.stop(now(), vrrp::StopCause::shutdown));
    router->routes.release();
    router->addresses.release();
    router->deadline.cancel();
    router->garp_timer.cancel();
    router->delay_timer.cancel();
    router->listener.reset();
  }
  announcer_timer_.cancel();
  static_routes_->release();
  static_addresses_->release();
  vmacs_->release();
}

// --- advertisements --------------------------------------------------------------------------------------------------

void VirtualRouters::reopen(VirtualRouter& router) {
  const config::VrrpInstance& config = router.config;
  const bool unicast = !config.unicast_peers.empty();
  const bool has_interface = config.interface.empty() || router.advert_ifindex != 0;
  if (!has_interface || (unicast && !router.source)) {
    router.listener.reset();
    return;
  }
  AdvertReceiverKey key{.is_v6 = config.is_v6,
                        .has_ah = router.wire.authentication.type == vrrp::AuthType::ah,
                        .ifindex = router.advert_ifindex,
                        .interface = router.advert_interface,
                        .address = unicast ? *router.source : router.group_address,
                        .is_unicast = unicast,
                        .base_ifindex = router.advert_ifindex != router.ifindex ? router.ifindex : 0};
  if (router.listener != nullptr && router.listener->key == key) return;
  router.listener = listeners_[key].lock();
  if (router.listener == nullptr) {
    const config::ReceiveBuffers& buffers = config_.global.vrrp.receive_buffers;
    const std::uint32_t bytes =
        config.kernel_rx_buf_size.value_or(buffers.policy == config::ReceiveBuffers::Policy::bytes ? buffers.bytes : 0);
    auto receiver = AdvertReceiver::open(key, int(std::min<std::uint32_t>(bytes, 1u << 30)));
    if (!receiver) {
      log(fmt::format("({}) {}", config.name, receiver.error().text()), true);
      return set_fault(router, {FaultKind::configuration}, true, "(can't listen)");
    }
    router.listener = std::make_shared<AdvertListener>(io_, key, std::move(*receiver));
    listeners_[key] = router.listener;
    listen(*router.listener);
  }
  set_fault(router, {FaultKind::configuration}, false, "");
  std::erase_if(listeners_, [](const auto& each) { return each.second.expired(); });
}

void VirtualRouters::listen(AdvertListener& listener) {
  listener.waiter.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                             [this, weak = listeners_[listener.key]](const boost::system::error_code& error) {
                               const auto alive = weak.lock();
                               if (error || alive == nullptr || stopped_) return;
                               drain(*alive);
                               listen(*alive);
                             });
}

void VirtualRouters::drain(AdvertListener& listener) {
  // Bounded: a flood on one socket must not keep the others' deadlines waiting.
  for (int i = 0; i < 256; ++i) {
    const auto packet = listener.receiver.receive();
    if (!packet) return;
    on_packet(listener, *packet);
  }
}

void VirtualRouters::on_packet(AdvertListener& listener, const AdvertPacket& packet) {
  const auto arrival = listener.key.is_v6
                           ? vrrp::open_ipv6(packet.bytes, packet.source, packet.destination, packet.hop_limit)
                           : vrrp::open_ipv4(packet.bytes);
  if (!arrival) {
    ++errors_[std::size_t(arrival.error())];
    return;
  }
  VirtualRouter* router = router_of(listener, *arrival);
  if (router == nullptr) {
    ++errors_[std::size_t(vrrp::ReceiveError::unknown_vrid)];
    return;
  }
  const auto refusal = router->election.refusal(now());
  if (refusal == vrrp::ReceiveError::not_listening) return reject(*router, *refusal, arrival->source);
  const auto advert = vrrp::check(*arrival, router->wire, router->wire_state);
  if (!advert) return reject(*router, advert.error(), arrival->source);
  if (refusal) return reject(*router, *refusal, arrival->source);
  if (advert->old_unicast_checksum_found) {
    log(fmt::format("({}) peer {} sums unicast advertisements as keepalived did until 1.3.6: so do we from now on",
                    router->config.name, arrival->source.text()));
  }
  drive(
      *router, [&](vrrp::Instance& alone) { return alone.on_advert(now(), *advert); },
      [&](vrrp::SyncGroup& group, std::size_t member) { return group.on_advert(now(), member, *advert); });
}

// Unicast instances with the same virtual_router_id are told apart by their peers.
VirtualRouter* VirtualRouters::router_of(const AdvertListener& listener, const vrrp::Arrival& arrival) const {
  VirtualRouter* found = nullptr;
  for (const auto& router : routers_) {
    if (router->listener.get() != &listener || router->config.virtual_router_id != arrival.vrid) continue;
    const bool is_peer = std::ranges::any_of(
        router->wire.peers, [&](const vrrp::UnicastPeer& peer) { return peer.address == arrival.source; });
    if (found == nullptr || is_peer) found = router.get();
  }
  return found;
}

void VirtualRouters::reject(VirtualRouter& router, vrrp::ReceiveError error, const net::IpAddr& source) {
  ++router.errors[std::size_t(error)];
  if (error == vrrp::ReceiveError::not_listening || error == vrrp::ReceiveError::owner_ignores) return;
  if (!router.said.insert(error).second) return;
  log(fmt::format("({}) advertisement from {} dropped: {}", router.config.name, source.text(), meaning(error)), true);
}

void VirtualRouters::on_deadline(VirtualRouter& router) {
  // What has come in and waits must count first: a loop that was late must not miss a living master.
  if (router.listener != nullptr) drain(*router.listener);
  const auto due = router.election.deadline();
  if (!due || *due > now()) return;
  drive(
      router, [](vrrp::Instance& alone) { return alone.on_timer(now()); },
      [](vrrp::SyncGroup& group, std::size_t member) { return group.on_timer(now(), member); });
}

// --- the host --------------------------------------------------------------------------------------------------------

void VirtualRouters::on_link(const std::string& name) {
  vmacs_->link_changed(name);
  const netlink::Link* link = reflector_->link(name);
  const TrackedStatus status{vrrp::TrackKind::interface, name, link != nullptr && link->running};
  static_addresses_->interfaces_changed();
  if (link != nullptr && link->running) {
    static_addresses_->own();
    static_routes_->own();
  }
  for (const auto& router : routers_) {
    router->addresses.interfaces_changed();
    set_tracked(*router, status);
    look_at_link(*router, false);
    look_at_trackers(*router);
  }
}

void VirtualRouters::look_at_link(VirtualRouter& router, bool at_once) {
  if (router.config.interface.empty()) return;
  const netlink::Link* link = reflector_->link(router.config.interface);
  const netlink::Link* advert_link = reflector_->link(router.advert_interface);
  const int ifindex = link != nullptr ? link->ifindex : 0;
  const int advert_ifindex = advert_link != nullptr ? advert_link->ifindex : 0;
  if (ifindex != router.ifindex || advert_ifindex != router.advert_ifindex) {
    router.ifindex = ifindex;
    router.advert_ifindex = advert_ifindex;
    look_at_source(router);
    reopen(router);
  }
  const bool up = is_up(router);
  if (router.link_up == up) {
    router.delay_timer.cancel();
    return;
  }
  config::Duration delay{0};
  for (const config::UpDownDelay& each : config_.process.interface_up_down_delays) {
    if (each.interface == router.config.interface) delay = up ? each.up : each.down;
  }
  if (at_once || !router.link_up || delay.count() == 0) return count_link(router, up);
  router.delay_timer.expires_after(delay);
  router.delay_timer.async_wait([this, &router, up](const boost::system::error_code& error) {
    if (!error && is_up(router) == up) count_link(router, up);
  });
}

/// The interface and, if it has one, its VMAC, whose carrier is the interface's.
bool VirtualRouters::is_up(const VirtualRouter& router) const {
  const netlink::Link* link = reflector_->link(router.config.interface);
  const netlink::Link* vmac = reflector_->link(router.vmac);
  return link != nullptr && link->running && (router.vmac.empty() || (vmac != nullptr && vmac->up));
}

void VirtualRouters::count_link(VirtualRouter& router, bool up) {
  if (router.link_up && *router.link_up != up) {
    log(fmt::format("Netlink reports {} {}", router.config.interface, up ? "up" : "down"));
  }
  router.link_up = up;
  if (router.vmac.empty()) {
    set_fault(router, {FaultKind::interface_down}, !up, fmt::format("(interface {} down)", router.config.interface));
    return;
  }
  const netlink::Link* base = reflector_->link(router.config.interface);
  const bool base_down = base == nullptr || !base->running;
  if (!up && base_down) {
    set_fault(router, {FaultKind::base_down}, true, fmt::format("(base interface {} down)", router.config.interface));
  } else if (!up) {
    set_fault(router, {FaultKind::interface_down}, true, fmt::format("(interface {} down)", router.vmac));
  } else {
    set_fault(router, {FaultKind::base_down}, false, "");
    set_fault(router, {FaultKind::interface_down}, false, "");
  }
}

void VirtualRouters::on_address(const netlink::InterfaceAddress& address, bool removed) {
  if (removed && static_addresses_->lost(address)) {
    log(fmt::format("static address {} was removed by somebody else: it is back", address.address.text()), true);
    static_routes_->own();  // the kernel took those with it that needed the address
  }
  for (const auto& router : routers_) {
    if (removed && router->addresses.lost(address)) lose(*router, address.address.text());
    if (address.ifindex == router->ifindex) look_at_source(*router);
  }
}

void VirtualRouters::on_route(const netlink::Prefix& prefix) {
  if (static_routes_->lost_route(prefix)) static_routes_->own();
  for (const auto& router : routers_) {
    if (router->routes.lost_route(prefix)) {
      lose(*router, fmt::format("route {}/{}", prefix.address.text(), prefix.length));
    }
  }
}

void VirtualRouters::on_rules() {
  if (static_routes_->lost_rule()) static_routes_->own();
  for (const auto& router : routers_) {
    if (router->routes.lost_rule()) lose(*router, "a rule");
  }
}

/// Somebody else took away what we have.
void VirtualRouters::lose(VirtualRouter& router, const std::string& what) {
  log(fmt::format("({}) {} was removed by somebody else", router.config.name, what), true);
  drive(
      router, [](vrrp::Instance& alone) { return alone.on_addresses_lost(now()); },
      [](vrrp::SyncGroup& group, std::size_t member) { return group.on_addresses_lost(now(), member); });
}

bool VirtualRouters::is_virtual(const netlink::InterfaceAddress& address) const {
  return std::ranges::any_of(routers_, [&](const auto& router) { return router->addresses.has(address); });
}

std::optional<net::IpAddr> VirtualRouters::source_of(const VirtualRouter& router) const {
  const config::VrrpInstance& config = router.config;
  const auto there = reflector_->mirror().addresses_of(router.ifindex);
  if (config.source) {
    const bool exists = std::ranges::any_of(there, [&](const auto& each) { return each.address == *config.source; });
    return config.track_src_ip && !exists ? std::nullopt : config.source;
  }
  if (config.ipvlan && config.ipvlan->address && (!config.is_v6 || is_link_local(config.ipvlan->address->address))) {
    return config.ipvlan->address->address;
  }
  for (const netlink::InterfaceAddress& each : there) {
    if (each.address.is_v6() != config.is_v6 || is_virtual(each)) continue;
    if (!config.is_v6 || is_link_local(each.address)) return each.address;
  }
  return std::nullopt;
}

void VirtualRouters::look_at_source(VirtualRouter& router) {
  const auto source = source_of(router);
  if (source != router.source) {
    router.source = source;
    if (source) router.election.set_source(*source);
    reopen(router);
  }
  set_fault(router, {FaultKind::no_source_address}, !source,
            fmt::format("(no {} address for interface)", router.config.is_v6 ? "IPv6 link-local" : "IPv4"));
}

// --- what is tracked -------------------------------------------------------------------------------------------------

void VirtualRouters::on_tracked(const TrackedStatus& status) {
  const auto known = std::ranges::find_if(
      tracked_, [&](const TrackedStatus& each) { return each.kind == status.kind && each.name == status.name; });
  if (known == tracked_.end()) {
    tracked_.push_back(status);
  } else {
    *known = status;
  }
  for (const auto& router : routers_) {
    set_tracked(*router, status);
    look_at_trackers(*router);
  }
}

void VirtualRouters::set_tracked(VirtualRouter& router, const TrackedStatus& status) {
  for (vrrp::Tracker& tracker : router.trackers) {
    if (tracker.kind != status.kind || tracker.name != status.name) continue;
    if (status.up) tracker.up = *status.up;
    tracker.value = status.value;
  }
}

void VirtualRouters::look_at_trackers(VirtualRouter& router) {
  struct Seen {
    Fault fault;
    bool is_fault;
    bool is_pending;
    std::string why;
  };
  std::vector<Seen> all;
  for (const vrrp::Tracker& tracker : router.trackers) {
    const std::uint32_t number =
        tracker_numbers_.try_emplace({tracker.kind, tracker.name}, std::uint32_t(tracker_numbers_.size()))
            .first->second;
    const bool is_known = std::ranges::any_of(tracked_, [&](const TrackedStatus& each) {
      return each.kind == tracker.kind && each.name == tracker.name && each.up;
    });
    const bool is_pending = tracker.kind == vrrp::TrackKind::script && tracker.weight == 0 && !is_known;
    all.push_back(
        {{FaultKind::tracker, number}, !is_pending && vrrp::is_fault(tracker), is_pending, vrrp::fault_text(tracker)});
  }
  const std::vector<Fault> before = router.election.faults();
  for (const Seen& each : all) {
    // What takes a fault's place comes before the fault goes.
    if (each.is_fault) set_fault(router, each.fault, true, each.why);
    if (each.is_pending) set_fault(router, {FaultKind::script_pending, each.fault.index}, true, "");
  }
  for (const Fault& fault : before) {
    if (fault.kind != FaultKind::tracker && fault.kind != FaultKind::script_pending) continue;
    const bool stays = std::ranges::any_of(all, [&](const Seen& each) {
      return each.fault.index == fault.index && (fault.kind == FaultKind::tracker ? each.is_fault : each.is_pending);
    });
    if (!stays) set_fault(router, fault, false, "");
  }
  const int delta = vrrp::sum_of_deltas(router.trackers);
  drive(
      router, [&](vrrp::Instance& alone) { return alone.on_priority_delta(now(), delta); },
      [&](vrrp::SyncGroup& group, std::size_t member) { return group.on_priority_delta(now(), member, delta); });
}

void VirtualRouters::set_fault(VirtualRouter& router, Fault fault, bool present, const std::string& why) {
  const bool is_there = std::ranges::find(router.election.faults(), fault) != router.election.faults().end();
  if (is_there == present) return;
  drive(
      router,
      [&](vrrp::Instance& alone) {
        return present ? alone.on_fault(now(), fault, why) : alone.on_fault_cleared(now(), fault);
      },
      [&](vrrp::SyncGroup& group, std::size_t member) {
        return present ? group.on_fault(now(), member, fault, why) : group.on_fault_cleared(now(), member, fault);
      });
}

// --- what is decided -------------------------------------------------------------------------------------------------

template <typename Alone, typename InGroup>
void VirtualRouters::drive(VirtualRouter& router, Alone&& alone, InGroup&& in_group) {
  if (router.group != nullptr && router.group->group != nullptr) {
    perform(*router.group, in_group(*router.group->group, router.member));
  } else {
    perform(router, alone(router.election));
  }
}

void VirtualRouters::perform(VirtualRouter& router, const vrrp::Actions& actions) {
  for (const vrrp::Action& action : actions) perform(router, action);
}

void VirtualRouters::perform(RunningGroup& group, const vrrp::GroupActions& actions) {
  for (const vrrp::GroupAction& each : actions) {
    if (each.member != vrrp::GroupAction::group) {
      perform(*group.members[each.member], each.action);
    } else if (const auto* line = std::get_if<vrrp::Log>(&each.action)) {
      log(line->text, false, line->detail);
    } else if (const auto* notify = std::get_if<vrrp::Notify>(&each.action)) {
      hooks_.notice({true, group.config.name, notify->event, notify->priority});
    }
  }
}

void VirtualRouters::perform(VirtualRouter& router, const vrrp::Action& action) {
  if (const auto* advert = std::get_if<vrrp::SendAdvert>(&action)) return send_advert(router, advert->priority);
  if (const auto* timer = std::get_if<vrrp::ArmTimer>(&action))
    return arm(router.deadline, timer->at, [this, &router] { on_deadline(router); });
  if (std::holds_alternative<vrrp::CancelTimer>(action)) {
    router.deadline.cancel();
  } else if (std::holds_alternative<vrrp::OwnAddresses>(action) ||
             std::holds_alternative<vrrp::UpdateAddresses>(action)) {
    router.addresses.own();
    router.routes.own();
  } else if (std::holds_alternative<vrrp::ReleaseAddresses>(action)) {
    router.routes.release();
    router.addresses.release();
  } else if (const auto* garp = std::get_if<vrrp::SendGarp>(&action)) {
    announce(router, router.garp.on_garp(now(), garp->cause));
  } else if (std::holds_alternative<vrrp::StopGarps>(action)) {
    router.garp.stop();
    router.garp_timer.cancel();
    announcer_->forget(router.id);
  } else if (const auto* notify = std::get_if<vrrp::Notify>(&action)) {
    router.said.clear();
    router.last_transition_at = std::chrono::system_clock::now();
    // What begins with being master has to be known of there, too: a new sequence of AH.
    if (notify->event == vrrp::NotifyEvent::master) router.wire_state.ah_sequence.on_become_master();
    hooks_.notice({false, router.config.name, notify->event, notify->priority});
  } else if (const auto* line = std::get_if<vrrp::Log>(&action)) {
    log(line->text, false, line->detail);
  }
}

void VirtualRouters::send_advert(VirtualRouter& router, std::uint8_t priority) {
  if (!router.source) return;  // it is in FAULT, or will be
  const auto send = [&](const net::IpAddr& destination) {
    const auto built =
        vrrp::build(router.wire, router.wire_state, *router.source, destination, priority, router.packet);
    if (!built) return log(fmt::format("({}) {}", router.config.name, built.error().text()), true);
    const AdvertRoute route{.ifindex = router.advert_ifindex,
                            .source = *router.source,
                            .destination = destination,
                            .hop_limit = router.wire.unicast ? router.wire.unicast_ttl : vrrp::ttl_multicast};
    const int error = sender_.send(route, router.packet);
    if (error != 0 && error != router.send_error) {
      log(fmt::format("({}) can't send to {}: {}", router.config.name, destination.text(), std::strerror(error)), true);
    }
    router.send_error = error;
  };
  if (!router.wire.unicast) return send(router.group_address);
  for (const vrrp::UnicastPeer& peer : router.wire.peers) send(peer.address);
}

void VirtualRouters::announce(VirtualRouter& router, const vrrp::GarpBursts& bursts) {
  for (const vrrp::GarpBurst& burst : bursts) {
    if (burst.cause != vrrp::GarpCause::source_address) {
      announcer_->announce(now(), router.addresses.targets(router.id), burst.repeat);
    } else if (router.source && router.ifindex != 0) {
      const vrrp::GarpTarget own{router.id, std::uint32_t(router.ifindex), *router.source};
      announcer_->announce(now(), {&own, 1}, burst.repeat);
    }
  }
  arm_garp(router);
  arm_announcer();
}

void VirtualRouters::arm_garp(VirtualRouter& router) {
  if (const auto next = router.garp.next())
    arm(router.garp_timer, *next, [this, &router] { announce(router, router.garp.on_timer(now())); });
}

void VirtualRouters::arm_announcer() {
  const auto next = announcer_->next();
  if (!next) return;
  arm(announcer_timer_, *next, [this] {
    announcer_->on_timer(now());
    arm_announcer();
  });
}

VrrpStatus VirtualRouters::status() const {
  VrrpStatus result;
  for (const auto& router : routers_) {
    const vrrp::Instance& election = router->election;
    VirtualRouterStatus& shown = result.routers.emplace_back();
    shown.name = router->config.name;
    shown.interface = router->config.interface;
    if (router->group != nullptr) shown.sync_group = router->group->config.name;
    shown.virtual_router_id = router->config.virtual_router_id;
    shown.version = router->config.version;
    shown.is_v6 = router->config.is_v6;
    shown.state = election.state();
    shown.priority = election.config().priority;
    shown.effective_priority = election.effective_priority();
    shown.source = router->source;
    shown.master_address = election.master_address();
    shown.master_priority = election.master_priority();
    shown.advertisement_interval = election.config().advertisement_interval;
    shown.master_adver_interval = election.master_adver_interval();
    shown.skew_time = election.skew_time();
    shown.master_down_interval = election.master_down_interval();
    if (const auto deadline = election.deadline()) shown.deadline_in = *deadline - now();
    shown.last_transition = election.last_transition();
    shown.last_transition_at = router->last_transition_at;
    for (const Fault& fault : election.faults()) shown.faults.push_back(to_text(fault.kind));
    for (const KeptAddress& kept : router->addresses.addresses()) {
      shown.addresses.push_back(fmt::format("{}/{} dev {}", kept.request.address.address.text(),
                                            kept.request.address.prefix_length, kept.interface));
    }
    for (const vrrp::Tracker& tracker : router->trackers) {
      shown.trackers.push_back(
          {to_text(tracker.kind), tracker.name, tracker.weight, vrrp::is_fault(tracker), vrrp::delta(tracker)});
    }
    shown.counters = election.counters();
    shown.errors = router->errors;
  }
  for (const auto& group : groups_) {
    SyncGroupStatus& shown = result.groups.emplace_back();
    shown.name = group->config.name;
    shown.state = group->group->state();
    for (const VirtualRouter* member : group->members) shown.members.push_back(member->config.name);
  }
  result.announcements_sent = announcer_->sent();
  result.errors = errors_;
  return result;
}

}  // namespace sluice::control
