// Advertisements of the virtual routers: their sockets, what comes in by them, what goes out.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "control/vrrp/setup.h"
#include "control/vrrp/virtual_routers_inside.h"

namespace sluice::control {

using vrrp::Fault;
using vrrp::FaultKind;

namespace {

// What is told of those that are thrown away; whoever sends them may send any number.
constexpr std::chrono::seconds rejection_interval{1};

/// Once a minute each.
bool may_say(AdvertListener& listener, vrrp::ReceiveError error, std::uint8_t vrid) {
  const auto [said, is_first] = listener.said_at.try_emplace({error, vrid}, now());
  if (!is_first && now() - said->second < std::chrono::minutes(1)) return false;
  said->second = now();
  return true;
}

}  // namespace

void set_listener(VirtualRouter& router, std::shared_ptr<AdvertListener> listener) {
  if (router.listener == listener) return;
  if (router.listener != nullptr) std::erase(router.listener->routers[router.config.virtual_router_id], &router);
  router.listener = std::move(listener);
  if (router.listener != nullptr) router.listener->routers[router.config.virtual_router_id].push_back(&router);
}

void VirtualRouters::reopen(VirtualRouter& router) {
  const config::VrrpInstance& config = router.config;
  const bool unicast = !config.unicast_peers.empty();
  const bool has_interface = home_of(config).empty() || router.advert_ifindex != 0;
  const bool lacks_peer = config.unicast_fault_no_peer && !unicast;
  set_fault(router, {FaultKind::configuration, fault_no_peer}, lacks_peer, "(unicast without a peer)");
  if (!has_interface || lacks_peer || (unicast && !router.source)) return set_listener(router, nullptr);
  AdvertReceiverKey key{.is_v6 = config.is_v6,
                        .has_ah = router.wire.authentication.type == vrrp::AuthType::ah,
                        .ifindex = router.advert_ifindex,
                        .interface = router.advert_interface,
                        .address = unicast ? *router.source : router.group_address,
                        .is_unicast = unicast,
                        .base_ifindex = router.advert_ifindex != router.ifindex ? router.ifindex : 0};
  if (router.listener != nullptr && router.listener->key == key) return size_buffer(*router.listener);
  auto listener = listeners_[key].lock();
  if (listener == nullptr) {
    auto receiver = AdvertReceiver::open(key);
    if (!receiver) {
      set_listener(router, nullptr);
      log(fmt::format("({}) {}", config.name, receiver.error().text()), true);
      return set_fault(router, {FaultKind::configuration}, true, "(can't listen)");
    }
    listener = std::make_shared<AdvertListener>(io_, key, std::move(*receiver));
    listeners_[key] = listener;
    listen(*listener);
  }
  set_listener(router, std::move(listener));
  size_buffer(*router.listener);
  set_fault(router, {FaultKind::configuration}, false, "");
  std::erase_if(listeners_, [](const auto& each) { return each.second.expired(); });
}

/// The sum of what those want who listen there; where nobody says anything the system's stays.
void VirtualRouters::size_buffer(const AdvertListener& listener) const {
  std::size_t sum = 0;
  for (const auto& router : routers_) {
    if (router->listener.get() != &listener) continue;
    const netlink::Link* link = reflector_->link(router->advert_ifindex);
    sum += receive_buffer_of(router->config, config_.global, router->wire, link != nullptr ? link->mtu : 1500);
  }
  if (sum > 0) listener.receiver.set_buffer(sum);
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
  for (int i = 0; i < 8; ++i) {
    const auto packets = listener.receiver.receive();
    for (const AdvertPacket& packet : packets) on_packet(listener, packet);
    if (packets.size() < AdvertReceiver::batch) return;
  }
}

void VirtualRouters::on_packet(AdvertListener& listener, const AdvertPacket& packet) {
  const auto arrival = listener.key.is_v6
                           ? vrrp::open_ipv6(packet.bytes, packet.source, packet.destination, packet.hop_limit)
                           : vrrp::open_ipv4(packet.bytes);
  if (!arrival) {
    ++errors_[std::size_t(arrival.error())];
    if (!may_say(listener, arrival.error(), 0)) return;
    return log(fmt::format("{}: advertisement dropped: {}", listener.key.interface, meaning(arrival.error())), true);
  }
  VirtualRouter* router = router_of(listener, *arrival);
  if (router == nullptr) {
    ++errors_[std::size_t(vrrp::ReceiveError::unknown_vrid)];
    return note_unknown(listener, *arrival);
  }
  const auto refusal = router->election.refusal(now());
  if (refusal == vrrp::ReceiveError::not_listening) return reject(*router, *refusal, arrival->source);
  const auto advert = vrrp::check(*arrival, router->wire, router->wire_state, std::chrono::system_clock::now());
  if (!advert) return reject(*router, advert.error(), arrival->source);
  if (refusal) return reject(*router, *refusal, arrival->source);
  router->heard_at = now();
  router->heard_priority = advert->priority;
  if (advert->old_unicast_checksum_found) {
    log(fmt::format("({}) peer {} sums unicast advertisements as keepalived did until 1.3.6: so do we from now on",
                    router->config.name, arrival->source.text()));
  }
  drive(
      *router, [&](vrrp::Instance& alone) { return alone.on_advert(now(), *advert); },
      [&](vrrp::SyncGroup& group, std::size_t member) { return group.on_advert(now(), member, *advert); });
}

void VirtualRouters::note_unknown(AdvertListener& listener, const vrrp::Arrival& arrival) {
  if (!config_.global.vrrp.log_unknown_vrids) return;
  if (!may_say(listener, vrrp::ReceiveError::unknown_vrid, arrival.vrid)) return;
  log(fmt::format("{}: advertisement from {} for virtual_router_id {}, which nobody here has", listener.key.interface,
                  arrival.source.text(), arrival.vrid),
      true);
}

// Unicast instances with the same virtual_router_id are told apart by their peers.
VirtualRouter* VirtualRouters::router_of(const AdvertListener& listener, const vrrp::Arrival& arrival) {
  const std::vector<VirtualRouter*>& routers = listener.routers[arrival.vrid];
  const auto peer_of = [&](const VirtualRouter* router) {
    return std::ranges::find(router->wire.peers, arrival.source, &vrrp::UnicastPeer::address) !=
           router->wire.peers.end();
  };
  const auto found = std::ranges::find_if(routers, peer_of);
  if (found != routers.end()) return *found;
  return routers.empty() ? nullptr : routers.front();
}

void VirtualRouters::reject(VirtualRouter& router, vrrp::ReceiveError error, const net::IpAddr& source) {
  ++router.errors[std::size_t(error)];
  if (error == vrrp::ReceiveError::not_listening || error == vrrp::ReceiveError::owner_ignores) return;
  router.last_error = error;
  if (const auto at = std::chrono::steady_clock::now();
      hooks_.rejected && at - router.rejection_told_at >= rejection_interval) {
    router.rejection_told_at = at;
    hooks_.rejected({router.config.name, error, source, router.ifindex});
  }
  if (!router.said.insert(error).second) return;
  log(fmt::format("({}) advertisement from {} dropped: {}", router.config.name, source.text(), meaning(error)), true);
}

void VirtualRouters::on_deadline(VirtualRouter& router) {
  // What has come in and waits must count first: a loop that was late must not miss a living master.
  if (const auto listener = router.listener; listener != nullptr && router.election.state() == vrrp::State::backup) {
    drain(*listener);
  }
  const auto due = router.election.deadline();
  if (!due) return;
  if (*due - early_of(router) > now()) return router.deadline.set(*due, early_of(router));
  const vrrp::Time at = std::max(*due, now());
  drive(
      router, [&](vrrp::Instance& alone) { return alone.on_timer(at); },
      [&](vrrp::SyncGroup& group, std::size_t member) { return group.on_timer(at, member); });
}

void VirtualRouters::send_advert(VirtualRouter& router, std::uint8_t priority) {
  if (!router.source) return;  // it is in FAULT, or will be
  const netlink::Link* link = reflector_->link(router.advert_ifindex);
  const auto send = [&](const net::IpAddr& destination) {
    const auto built = vrrp::build(router.wire, router.wire_state, *router.source, destination, priority,
                                   std::chrono::system_clock::now(), router.packet);
    if (!built) return log(fmt::format("({}) {}", router.config.name, built.error().text()), true);
    const AdvertRoute route{.ifindex = router.advert_ifindex,
                            .source = *router.source,
                            .destination = destination,
                            .hop_limit = router.wire.unicast ? router.wire.unicast_ttl : vrrp::ttl_multicast,
                            .mac = link != nullptr && link->ethernet ? std::optional(link->mac) : std::nullopt};
    const int error = sender_.send(route, router.packet);
    if (error != 0 && error != router.send_error) {
      log(fmt::format("({}) can't send to {}: {}", router.config.name, destination.text(), std::strerror(error)), true);
    }
    router.send_error = error;
  };
  if (!router.wire.unicast) return send(router.group_address);
  for (const vrrp::UnicastPeer& peer : router.wire.peers) send(peer.address);
}

}  // namespace sluice::control
