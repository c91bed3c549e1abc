#include "control/vrrp/announcer.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "net/byte_order.h"
#include "vrrp/announcement.h"

namespace sluice::control {

namespace {

bool forwards_ipv6(const std::string& interface) {
  std::ifstream in(fmt::format("/proc/sys/net/ipv6/conf/{}/forwarding", interface));
  int value = 0;
  return in >> value && value != 0;
}

}  // namespace

Result<Announcer> Announcer::open(std::function<const netlink::Link*(int)> link) {
  // Protocol 0: it only sends.
  UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    return fail("vrrp", fmt::format("no packet socket for gratuitous ARPs (it takes root, or CAP_NET_RAW): {}",
                                    std::strerror(errno)));
  }
  return Announcer(std::move(socket), std::move(link));
}

void Announcer::configure(const config::VrrpDefaults& defaults, const std::vector<config::GarpGroup>& groups) {
  garp_interval_ = defaults.garp_interval;
  gna_interval_ = defaults.gna_interval;
  pacers_.clear();
  groups_.clear();
  for (const config::GarpGroup& group : groups) {
    groups_.push_back({group.interfaces, vrrp::GarpPacer(group.garp_interval, group.gna_interval)});
  }
}

// A macvlan's frames leave by the interface below it, and so count there.
vrrp::GarpPacer& Announcer::pacer_of(int ifindex) {
  const netlink::Link* link = link_(ifindex);
  if (link != nullptr && link->kind == "macvlan" && link->parent_ifindex != 0) {
    if (const netlink::Link* parent = link_(link->parent_ifindex)) link = parent;
  }
  const int lowest = link != nullptr ? link->ifindex : ifindex;
  for (Group& group : groups_) {
    if (link != nullptr && std::ranges::find(group.interfaces, link->name) != group.interfaces.end())
      return group.pacer;
  }
  return pacers_.try_emplace(lowest, garp_interval_, gna_interval_).first->second;
}

void Announcer::announce(vrrp::Time now, std::span<const vrrp::GarpTarget> targets, std::uint32_t repeat) {
  std::map<vrrp::GarpPacer*, std::vector<vrrp::GarpTarget>> by_pacer;
  for (const vrrp::GarpTarget& target : targets) by_pacer[&pacer_of(int(target.interface))].push_back(target);
  for (auto& [pacer, some] : by_pacer) pacer->enqueue(some, repeat);
  send_due(now);
}

void Announcer::forget(std::uint32_t instance) {
  for (Group& group : groups_) group.pacer.forget(instance);
  for (auto& [ifindex, pacer] : pacers_) pacer.forget(instance);
}

std::optional<vrrp::Time> Announcer::next() const {
  std::optional<vrrp::Time> next;
  const auto look = [&](const vrrp::GarpPacer& pacer) {
    const auto at = pacer.next();
    if (at && (!next || *at < *next)) next = at;
  };
  for (const Group& group : groups_) look(group.pacer);
  for (const auto& [ifindex, pacer] : pacers_) look(pacer);
  return next;
}

void Announcer::send_due(vrrp::Time now) {
  Forwarding forwarding;
  for (Group& group : groups_) {
    for (const vrrp::GarpTarget& target : group.pacer.take(now)) send(target, forwarding);
  }
  for (auto& [ifindex, pacer] : pacers_) {
    for (const vrrp::GarpTarget& target : pacer.take(now)) send(target, forwarding);
  }
}

void Announcer::send(const vrrp::GarpTarget& target, Forwarding& forwarding) {
  const netlink::Link* link = link_(int(target.interface));
  if (link == nullptr || link->no_arp || !link->ethernet) return;
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = link->ifindex;
  to.sll_halen = ETH_ALEN;
  ssize_t done = 0;
  if (target.address.is_v4()) {
    const vrrp::GarpFrame frame = vrrp::gratuitous_arp(link->mac, target.address.v4());
    to.sll_protocol = htons(ETHERTYPE_ARP);
    done = ::sendto(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  } else {
    const auto [known, is_first] = forwarding.try_emplace(link->ifindex, false);
    if (is_first) known->second = forwards_ipv6(link->name);
    const vrrp::NaFrame frame = vrrp::neighbour_advertisement(link->mac, target.address.v6(), known->second);
    to.sll_protocol = htons(ETHERTYPE_IPV6);
    done = ::sendto(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  ++(done < 0 ? failed_ : sent_);
}

}  // namespace sluice::control
