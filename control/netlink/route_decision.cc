#include "control/netlink/route_decision.h"

namespace sluice::control::netlink {

namespace {

NextHop unresolved(NextHop hop, std::string reason) {
  hop.state = NextHop::State::unresolved;
  hop.reason = std::move(reason);
  hop.destination_mac = {};
  return hop;
}

std::string not_running_text(const Link& link) { return link.name + (link.up ? " has no carrier" : " is down"); }

/// Replaces a VLAN sub-interface by its lower device and the tag. Says why if that isn't possible.
std::optional<std::string> descend_to_lower_device(NextHop& hop, const Link& link, const Mirror& mirror) {
  if (link.kind != "vlan") return std::nullopt;
  const Link* lower = mirror.link(link.parent_ifindex);
  if (lower == nullptr) return link.name + " has its lower device in another network namespace";
  if (!link.vlan_8021q) return link.name + " tags with 802.1ad, only 802.1Q is supported";
  if (lower->kind == "vlan") return link.name + " is a VLAN within a VLAN, only one tag is supported";
  hop.ifindex = lower->ifindex;
  hop.vlan = link.vlan;
  if (!lower->running) return not_running_text(*lower);
  return std::nullopt;
}

}  // namespace

std::optional<NeighbourKey> deciding_neighbour(const net::IpAddr& address, const RouteDecision& decision,
                                               const Mirror& mirror) {
  if (decision.kind != RouteDecision::Kind::unicast) return std::nullopt;
  const Link* link = mirror.link(decision.ifindex);
  if (link == nullptr || link->no_arp || !link->ethernet) return std::nullopt;
  return NeighbourKey{decision.ifindex, decision.gateway.value_or(address)};
}

NextHop choose_next_hop(const net::IpAddr& address, const RouteDecision& decision, const Mirror& mirror) {
  NextHop hop;
  if (decision.kind == RouteDecision::Kind::refused) return unresolved(hop, address.text() + ": " + decision.reason);

  hop.ifindex = decision.ifindex;
  hop.source_address = decision.source_address;
  hop.mtu = decision.mtu;
  const Link* link = mirror.link(decision.ifindex);
  if (link != nullptr && hop.mtu == 0) hop.mtu = link->mtu;
  if (decision.kind == RouteDecision::Kind::local) {
    hop.state = NextHop::State::local;
    return hop;
  }
  // The kernel knew it a moment ago: the link's event is about to arrive, or it is just being removed.
  if (link == nullptr) return unresolved(hop, "interface " + std::to_string(decision.ifindex) + " is not there");
  hop.source_mac = link->mac;
  if (!link->running) return unresolved(hop, not_running_text(*link));
  if (auto refusal = descend_to_lower_device(hop, *link, mirror)) return unresolved(hop, std::move(*refusal));

  const auto key = deciding_neighbour(address, decision, mirror);
  if (!key) {
    // What the kernel does for IFF_NOARP on Ethernet: its own MAC as destination. Without Ethernet there is no MAC.
    hop.destination_mac = link->ethernet ? link->mac : net::MacAddr{};
    hop.state = NextHop::State::resolved;
    return hop;
  }
  const Neighbour* neighbour = mirror.neighbour(*key);
  if (neighbour == nullptr || !neighbour->usable() || neighbour->mac.is_zero()) {
    // One sentence for "asked, no answer yet", "asking again" and "given up for now": they alternate every second.
    const char* question = key->address.is_v4() ? "ARP" : "neighbour discovery";
    return unresolved(hop,
                      "no answer to " + std::string(question) + " for " + key->address.text() + " on " + link->name);
  }
  hop.destination_mac = neighbour->mac;
  hop.state = NextHop::State::resolved;
  return hop;
}

}  // namespace sluice::control::netlink
