// Does what an instance or a sync group has decided: timers, addresses, announcements, notices.
#include <algorithm>
#include <variant>

#include "control/vrrp/setup.h"
#include "control/vrrp/virtual_routers_inside.h"

namespace sluice::control {

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
  if (const auto* timer = std::get_if<vrrp::ArmTimer>(&action)) return router.deadline.set(timer->at, early_of(router));
  if (std::holds_alternative<vrrp::CancelTimer>(action)) {
    router.deadline.cancel();
  } else if (std::holds_alternative<vrrp::OwnAddresses>(action) ||
             std::holds_alternative<vrrp::UpdateAddresses>(action)) {
    router.owns_addresses = true;
    block();
    router.addresses.own();
    router.routes.own();
  } else if (std::holds_alternative<vrrp::ReleaseAddresses>(action)) {
    router.routes.release();
    router.addresses.release();
    router.owns_addresses = false;
    block();
  } else if (const auto* garp = std::get_if<vrrp::SendGarp>(&action)) {
    announce(router, router.garp.on_garp(now(), garp->cause));
  } else if (std::holds_alternative<vrrp::StopGarps>(action)) {
    router.garp.stop();
    router.garp_alarm.cancel();
    announcer_->forget(router.id);
  } else if (const auto* notify = std::get_if<vrrp::Notify>(&action)) {
    router.said.clear();
    router.last_transition_at = std::chrono::system_clock::now();
    // What begins with being master has to be known of there, too: a new sequence of AH.
    if (notify->event == vrrp::NotifyEvent::master) router.wire_state.ah_sequence.on_become_master();
    note_transition(router, notify->event);
    hooks_.notice({.of_group = false,
                   .name = router.config.name,
                   .event = notify->event,
                   .priority = notify->priority,
                   .ifindex = router.ifindex,
                   .source = router.source,
                   .master_reason = router.master_reason});
  } else if (const auto* line = std::get_if<vrrp::Log>(&action)) {
    log(line->text, false, line->detail);
  }
}

namespace {

NewMasterReason reason_of_new_master(const VirtualRouter& router) {
  if (!router.heard_at) return NewMasterReason::no_response;
  if (router.heard_priority == vrrp::priority_stopping) return NewMasterReason::priority;
  const bool lives = now() - *router.heard_at < router.election.master_down_interval();
  return lives ? NewMasterReason::preempted : NewMasterReason::no_response;
}

}  // namespace

void VirtualRouters::note_transition(VirtualRouter& router, vrrp::NotifyEvent event) {
  if (event == vrrp::NotifyEvent::master) router.master_reason = reason_of_new_master(router);
  const vrrp::State state = router.election.state();
  if (state == vrrp::State::init || state == vrrp::State::fault) {
    router.up_since.reset();
  } else if (!router.up_since) {
    router.up_since = std::chrono::steady_clock::now();
  }
}

/// What masters have and don't accept packets for.
void VirtualRouters::block() {
  std::set<BlockedAddress> all;
  for (const auto& router : routers_) {
    if (!router->owns_addresses || !may_block(router->config)) continue;
    for (const KeptAddress& kept : router->addresses.addresses()) {
      const netlink::InterfaceAddress& address = kept.request.address;
      if (!is_link_local(address.address)) {
        all.insert({address.address, ""});
      } else if (address.ifindex != 0) {
        const bool by_ifindex = config_.global.vrrp.nftables_ifindex;
        all.insert({address.address, by_ifindex ? std::to_string(address.ifindex) : kept.interface});
      }
    }
  }
  firewall_->block(std::move(all));
}

void VirtualRouters::announce(VirtualRouter& router, const vrrp::GarpBursts& bursts) {
  for (const vrrp::GarpBurst& burst : bursts) {
    if (burst.cause == vrrp::GarpCause::extra_interfaces) {
      announcer_->announce(now(), extra_targets(router), burst.repeat);
    } else if (burst.cause != vrrp::GarpCause::source_address) {
      announcer_->announce(now(), router.addresses.targets(router.id), burst.repeat);
    } else if (router.source && router.ifindex != 0) {
      const vrrp::GarpTarget own{router.id, std::uint32_t(router.ifindex), *router.source};
      announcer_->announce(now(), {&own, 1}, burst.repeat);
    }
  }
  arm_garp(router);
  arm_announcer();
}

/// garp_extra_if: one address on each interface that advertisements don't keep in switches' memory.
std::vector<vrrp::GarpTarget> VirtualRouters::extra_targets(const VirtualRouter& router) const {
  const auto& extra = router.config.garp.extra;
  if (!extra) return {};
  std::vector<vrrp::GarpTarget> some;
  for (const vrrp::GarpTarget& target : router.addresses.targets(router.id)) {
    const netlink::Link* link = reflector_->link(int(target.interface));
    const bool is_vmac =
        link != nullptr && std::ranges::find(vmacs_->plans(), link->name, &VmacPlan::name) != vmacs_->plans().end();
    const bool is_first = std::ranges::find(some, target.interface, &vrrp::GarpTarget::interface) == some.end();
    if (is_first && int(target.interface) != router.advert_ifindex && (extra->all || is_vmac)) some.push_back(target);
  }
  return some;
}

void VirtualRouters::arm_garp(VirtualRouter& router) {
  if (const auto next = router.garp.next()) router.garp_alarm.set(*next);
}

void VirtualRouters::arm_announcer() {
  if (const auto next = announcer_->next()) announcer_alarm_.set(*next);
}

}  // namespace sluice::control
