#include "control/netlink/mirror.h"

#include <linux/neighbour.h>

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>

namespace sluice::control::netlink {

namespace {

// The kernel's own NUD_VALID (net/neighbour.h is not part of the user API).
constexpr std::uint16_t nud_valid = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

const net::IpAddr ipv6_loopback{net::Ipv6Addr{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};

/// The address with all bits after `length` zero or one.
net::IpAddr with_host_bits(const net::IpAddr& address, unsigned length, bool ones) {
  const auto fill = [length, ones](std::uint8_t byte, unsigned index) {
    const unsigned first_bit = index * 8;
    const unsigned kept = length <= first_bit ? 0 : length - first_bit;
    const std::uint8_t host = kept >= 8 ? 0 : std::uint8_t(0xff >> kept);
    return std::uint8_t(ones ? byte | host : byte & ~host);
  };
  if (address.is_v6()) {
    net::Ipv6Addr v6 = address.v6();
    for (unsigned i = 0; i < v6.bytes.size(); ++i) v6.bytes[i] = fill(v6.bytes[i], i);
    return v6;
  }
  auto bytes = std::bit_cast<std::array<std::uint8_t, 4>>(address.v4());
  for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = fill(bytes[i], i);
  return std::bit_cast<net::Ipv4Addr>(bytes);
}

}  // namespace

bool Neighbour::usable() const { return (state & nud_valid) != 0; }
bool Neighbour::stale() const { return (state & NUD_STALE) != 0; }
bool Neighbour::incomplete() const { return (state & NUD_INCOMPLETE) != 0; }

net::IpAddr Prefix::first() const { return with_host_bits(address, length, false); }
net::IpAddr Prefix::last() const { return with_host_bits(address, length, true); }

std::vector<Event> Mirror::apply(const Event& event) {
  std::vector<Event> changes;
  std::visit(
      [&](const auto& it) {
        using T = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<T, LinkSet>) {
          auto& entry = links_[it.link.ifindex];
          entry.seen = resync_;
          if (entry.value == it.link) return;
          entry.value = it.link;
          changes.emplace_back(it);
        } else if constexpr (std::is_same_v<T, LinkRemoved>) {
          remove_link(it.link.ifindex, changes);
        } else if constexpr (std::is_same_v<T, AddressSet>) {
          const auto [entry, is_new] = addresses_.try_emplace(it.address);
          entry->second.seen = resync_;
          if (!is_new) return;
          entry->second = {it.address, resync_, ++addresses_seen_};
          carriers_[it.address.address].insert(it.address.ifindex);
          changes.emplace_back(it);
        } else if constexpr (std::is_same_v<T, AddressRemoved>) {
          remove_address(it.address, changes);
        } else if constexpr (std::is_same_v<T, NeighbourSet>) {
          set_neighbour(it.neighbour, changes);
        } else {
          changes.emplace_back(it);
        }
      },
      event);
  return changes;
}

void Mirror::begin_resync() { ++resync_; }

std::vector<Event> Mirror::finish_resync() {
  std::vector<Event> changes;
  std::vector<NeighbourKey> neighbours;
  for (const auto& [key, entry] : neighbours_) {
    if (entry.seen != resync_) neighbours.push_back(key);
  }
  std::vector<InterfaceAddress> addresses;
  for (const auto& [key, entry] : addresses_) {
    if (entry.seen != resync_) addresses.push_back(key);
  }
  std::vector<int> links;
  for (const auto& [key, entry] : links_) {
    if (entry.seen != resync_) links.push_back(key);
  }
  for (const auto& key : neighbours) set_neighbour({.key = key}, changes);
  for (const auto& address : addresses) remove_address(address, changes);
  for (const int ifindex : links) remove_link(ifindex, changes);
  return changes;
}

void Mirror::remove_link(int ifindex, std::vector<Event>& changes) {
  const auto found = links_.find(ifindex);
  if (found == links_.end()) return;
  // The kernel tells most of these one by one before; what it leaves out must not stay behind.
  std::vector<InterfaceAddress> addresses;
  for (const auto& [address, entry] : addresses_) {
    if (address.ifindex == ifindex) addresses.push_back(address);
  }
  for (const auto& address : addresses) remove_address(address, changes);
  std::vector<NeighbourKey> neighbours;
  for (auto it = neighbours_.lower_bound({ifindex, {}}); it != neighbours_.end() && it->first.ifindex == ifindex;
       ++it) {
    neighbours.push_back(it->first);
  }
  for (const auto& key : neighbours) set_neighbour({.key = key}, changes);
  changes.emplace_back(LinkRemoved{std::move(found->second.value)});
  links_.erase(found);
}

void Mirror::remove_address(const InterfaceAddress& address, std::vector<Event>& changes) {
  if (addresses_.erase(address) == 0) return;
  const auto carriers = carriers_.find(address.address);
  carriers->second.erase(carriers->second.find(address.ifindex));
  if (carriers->second.empty()) carriers_.erase(carriers);
  changes.emplace_back(AddressRemoved{address});
}

void Mirror::set_neighbour(const Neighbour& neighbour, std::vector<Event>& changes) {
  if (neighbour.state == 0) {
    if (neighbours_.erase(neighbour.key) != 0) changes.emplace_back(NeighbourSet{neighbour});
    return;
  }
  auto& entry = neighbours_[neighbour.key];
  entry.seen = resync_;
  if (entry.value == neighbour) return;
  entry.value = neighbour;
  changes.emplace_back(NeighbourSet{neighbour});
}

const Link* Mirror::link(int ifindex) const {
  const auto found = links_.find(ifindex);
  return found == links_.end() ? nullptr : &found->second.value;
}

const Link* Mirror::link(std::string_view name) const {
  for (const auto& [ifindex, entry] : links_) {
    if (entry.value.name == name) return &entry.value;
  }
  return nullptr;
}

std::vector<Link> Mirror::links() const {
  std::vector<Link> links;
  for (const auto& [ifindex, entry] : links_) links.push_back(entry.value);
  return links;
}

std::vector<InterfaceAddress> Mirror::addresses() const {
  std::vector<InterfaceAddress> addresses;
  for (const auto& [address, entry] : addresses_) addresses.push_back(address);
  return addresses;
}

std::vector<InterfaceAddress> Mirror::addresses_of(int ifindex) const {
  std::vector<const Entry<InterfaceAddress>*> found;
  for (auto it = addresses_.lower_bound({ifindex, {}, 0}); it != addresses_.end() && it->first.ifindex == ifindex; ++it)
    found.push_back(&it->second);
  std::ranges::sort(found, {}, &Entry<InterfaceAddress>::order);
  std::vector<InterfaceAddress> addresses;
  for (const auto* entry : found) addresses.push_back(entry->value);
  return addresses;
}

const Neighbour* Mirror::neighbour(const NeighbourKey& key) const {
  const auto found = neighbours_.find(key);
  return found == neighbours_.end() ? nullptr : &found->second.value;
}

bool Mirror::is_local(const net::IpAddr& address) const {
  if (address.is_v4() ? address.v4().is_loopback() : address == ipv6_loopback) return true;
  return carriers_.contains(address);
}

const Link* Mirror::link_with(const net::IpAddr& address) const {
  const auto found = carriers_.find(address);
  return found == carriers_.end() ? nullptr : link(*found->second.begin());
}

}  // namespace sluice::control::netlink
