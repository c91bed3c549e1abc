#include "control/vrrp/virtual_routers.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/vrrp/hmac_keys.h"
#include "control/vrrp/setup.h"
#include "control/vrrp/virtual_routers_inside.h"

namespace sluice::control {

using vrrp::FaultKind;

VirtualRouters::VirtualRouters(boost::asio::io_context& io, VrrpHooks hooks, netlink::Changer changer,
                               AdvertSender sender)
    : io_(io),
      clock_(io),
      hooks_(std::move(hooks)),
      changer_(std::move(changer)),
      sender_(std::move(sender)),
      announcer_alarm_(clock_, [this] {
        announcer_->on_timer(now());
        arm_announcer();
      }) {}

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
  firewall_ = std::make_unique<Firewall>(say);
  sysctls_ = std::make_unique<SysctlKeeper>(say);
  static_addresses_ = std::make_unique<AddressKeeper>(changer_, reflector_->mirror(), say);
  static_routes_ = std::make_unique<RouteKeeper>(changer_, reflector_->mirror(), say);
  for (const netlink::Link& link : reflector_->mirror().links()) links_seen_.emplace(link.ifindex, link);
  subscription_ = reflector_->subscribe(
      {.link_changed = [this](const netlink::Link& link) { on_link_news(link, false); },
       .link_removed = [this](const netlink::Link& link) { on_link_news(link, true); },
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
  want_sysctls();

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
  firewall_->configure(firewall_of(config_), std::ranges::any_of(config_.vrrp_instances, may_block));
  block();
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

AlarmTasks VirtualRouters::alarm_tasks() {
  return {.deadline = [this](VirtualRouter& router) { on_deadline(router); },
          .garp = [this](VirtualRouter& router) { announce(router, router.garp.on_timer(now())); },
          .delay = [this](VirtualRouter& router) { count_link(router, is_up(router)); }};
}

VirtualRouter& VirtualRouters::add(const config::VrrpInstance& instance) {
  const auto say = [this, name = instance.name](const std::string& what) {
    log(fmt::format("({}) {}", name, what), true);
  };
  routers_.push_back(std::make_unique<VirtualRouter>(
      clock_, alarm_tasks(), routers_made_++, instance, election_of(instance, config_.global, net::IpAddr{}),
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
  groups_missing_ = groups_missing();  // everybody looks at it later
}

/// Also when an interface comes.
void VirtualRouters::want_sysctls() { sysctls_->want(sysctls_of(config_)); }

AddressKeeper::Place VirtualRouters::place_of(const config::VrrpInstance& instance) const {
  return [this, &instance](const config::InterfaceAddress& address) {
    return address_interface(vmacs_->plans(), instance, address);
  };
}

void VirtualRouters::configure(VirtualRouter& router) {
  const VmacPlan* vmac = vmac_of(vmacs_->plans(), router.config);
  router.vmac = vmac != nullptr ? vmac->name : "";
  router.advert_interface = advert_interface(vmacs_->plans(), router.config);
  if (router.advert_interface.empty()) router.advert_interface = home_of(router.config);
  const netlink::Link* link = reflector_->link(home_of(router.config));
  router.group_address = group_of(router.config, config_.global);
  read_keys(router);
  router.wire = wire_of(router.config, link != nullptr ? link->mtu : 1500, router.hmac_keys);
  router.garp.reload(now(), garp_of(router.config), router.election.state() == vrrp::State::master);
  router.group = nullptr;
}

// What was seen of a sender stays seen as long as one of the keys does. With other keys nothing of it counts any more,
// and a peer whose clock was ahead can be heard again.
void VirtualRouters::read_keys(VirtualRouter& router) {
  std::vector<vrrp::HmacKey> keys;
  if (router.config.auth_hmac) {
    keys = read_hmac_keys(*router.config.auth_hmac, [&](const std::string& what) {
      log(fmt::format("({}) {}", router.config.name, what), true);
    });
  }
  const bool one_stays = std::ranges::any_of(
      keys, [&](const vrrp::HmacKey& key) { return std::ranges::count(router.hmac_keys, key) != 0; });
  if (!one_stays) router.wire_state.hmac_replay = {};
  router.hmac_keys = std::move(keys);
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
  set_fault(router, {FaultKind::configuration, fault_no_key}, lacks_key(router.wire), "(no key for auth_hmac)");
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
  router.owns_addresses = false;
  announcer_->forget(router.id);
  set_listener(router, nullptr);
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
    router->garp_alarm.cancel();
    router->delay.cancel();
    set_listener(*router, nullptr);
  }
  announcer_alarm_.cancel();
  static_routes_->release();
  static_addresses_->release();
  firewall_->release();
  sysctls_->restore();
  vmacs_->release();
}

}  // namespace sluice::control
