#include "control/vrrp/address_keeper.h"

#include <fmt/format.h>
#include <linux/if_addr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::control {

namespace {

netlink::NewAddress request_of(const config::InterfaceAddress& address) {
  netlink::NewAddress request;
  request.address = {0, address.address, std::uint8_t(address.prefix_length)};
  request.broadcast = address.broadcast;
  request.label = address.label;
  request.scope = std::uint8_t(address.scope);
  if (address.peer) request.peer = netlink::Prefix{address.peer->address, std::uint8_t(address.peer->length)};
  request.preferred_lifetime = address.preferred_lifetime;
  if (address.home) request.flags |= IFA_F_HOMEADDRESS;
  if (address.mngtmpaddr) request.flags |= IFA_F_MANAGETEMPADDR;
  if (address.noprefixroute) request.flags |= IFA_F_NOPREFIXROUTE;
  if (address.autojoin) request.flags |= IFA_F_MCAUTOJOIN;
  // Duplicate address detection would keep the address useless for a second, just after a failure.
  if (address.address.is_v6()) request.flags |= IFA_F_NODAD;
  return request;
}

}  // namespace

bool AddressKeeper::configure(const config::VrrpInstance& instance, const Place& place) {
  std::vector<KeptAddress> next;
  for (const auto* list : {&instance.addresses, &instance.excluded_addresses}) {
    for (const config::InterfaceAddress& address : *list) {
      KeptAddress kept{.request = request_of(address),
                       .interface = place(address),
                       .no_track = address.no_track,
                       .track_group = address.track_group};
      const netlink::Link* link = mirror_.link(kept.interface);
      kept.request.address.ifindex = link != nullptr ? link->ifindex : 0;
      next.push_back(std::move(kept));
    }
  }
  bool added = false;
  for (KeptAddress& kept : next) {
    const auto before = std::ranges::find_if(addresses_, [&](const KeptAddress& other) { return other.is_same(kept); });
    if (before == addresses_.end()) {
      added = true;
    } else {
      kept.held = std::exchange(before->held, false);
    }
  }
  release();
  addresses_ = std::move(next);
  return added;
}

void AddressKeeper::interfaces_changed() {
  const auto index_of = [this](const KeptAddress& kept) {
    const netlink::Link* link = mirror_.link(kept.interface);
    return link != nullptr ? link->ifindex : 0;
  };
  // On an interface that was renamed it is still, and shouldn't be.
  std::vector<KeptAddress*> left_behind;
  for (KeptAddress& kept : addresses_) {
    const int before = kept.request.address.ifindex;
    if (kept.held && index_of(kept) != before && mirror_.link(before) != nullptr) left_behind.push_back(&kept);
  }
  if (!left_behind.empty()) remove(std::move(left_behind));
  for (KeptAddress& kept : addresses_) {
    const int ifindex = index_of(kept);
    if (ifindex != kept.request.address.ifindex) kept.held = false;  // gone with its interface
    kept.request.address.ifindex = ifindex;
  }
}

void AddressKeeper::own() {
  std::vector<KeptAddress*> some;
  std::vector<netlink::Bytes> requests;
  for (KeptAddress& kept : addresses_) {
    if (kept.held || kept.request.address.ifindex == 0) continue;
    some.push_back(&kept);
    requests.push_back(add_address_request(kept.request));
  }
  const std::vector<int> errors = changer_.apply(requests);
  for (std::size_t i = 0; i < some.size(); ++i) {
    some[i]->held = errors[i] == 0 || errors[i] == EEXIST;
    if (!some[i]->held) {
      log_(fmt::format("{} can't be added to {}: {}", some[i]->request.address.address.text(), some[i]->interface,
                       std::strerror(errors[i])));
    }
  }
}

void AddressKeeper::release() {
  std::vector<KeptAddress*> some;
  for (KeptAddress& kept : addresses_) {
    if (kept.held) some.push_back(&kept);
  }
  remove(std::move(some));
}

void AddressKeeper::remove_leftovers() {
  const std::vector<netlink::InterfaceAddress> there = mirror_.addresses();
  std::vector<KeptAddress*> some;
  for (KeptAddress& kept : addresses_) {
    if (std::ranges::find(there, kept.request.address) != there.end()) some.push_back(&kept);
  }
  remove(std::move(some));
}

void AddressKeeper::remove(std::vector<KeptAddress*> some) {
  std::vector<netlink::Bytes> requests;
  for (KeptAddress* kept : some) {
    kept->held = false;  // first: the kernel tells us of its removal, and it isn't a loss
    requests.push_back(remove_address_request(kept->request));
  }
  const std::vector<int> errors = changer_.apply(requests);
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (errors[i] == 0 || errors[i] == EADDRNOTAVAIL || errors[i] == ENODEV) continue;
    log_(fmt::format("{} can't be removed from {}: {}", some[i]->request.address.address.text(), some[i]->interface,
                     std::strerror(errors[i])));
  }
}

bool AddressKeeper::lost(const netlink::InterfaceAddress& address) {
  for (KeptAddress& kept : addresses_) {
    if (!kept.held || kept.request.address != address) continue;
    // The news may be older than what we did since: adding it again tells.
    const int error = changer_.apply(add_address_request(kept.request));
    if (error == EEXIST) return false;
    kept.held = error == 0;
    if (!kept.no_track) return true;
    remove({&kept});
    return false;
  }
  return false;
}

bool AddressKeeper::has(const netlink::InterfaceAddress& address) const {
  return std::ranges::any_of(addresses_, [&](const KeptAddress& kept) {
    return kept.request.address.ifindex == address.ifindex && kept.request.address.address == address.address;
  });
}

std::set<std::string> AddressKeeper::groups_missing() const {
  std::set<std::string> groups;
  for (const KeptAddress& kept : addresses_) {
    if (!kept.held && !kept.track_group.empty()) groups.insert(kept.track_group);
  }
  return groups;
}

std::vector<vrrp::GarpTarget> AddressKeeper::targets(std::uint32_t instance) const {
  std::vector<vrrp::GarpTarget> targets;
  for (const KeptAddress& kept : addresses_) {
    if (!kept.held) continue;
    targets.push_back({instance, std::uint32_t(kept.request.address.ifindex), kept.request.address.address});
  }
  return targets;
}

}  // namespace sluice::control
