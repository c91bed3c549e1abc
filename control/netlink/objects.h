// What the kernel tells about its network, as plain values: links, addresses, neighbours, prefixes, and the events
// that change them. Bytes become these in messages.h; nothing here knows about sockets or the netlink format.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <variant>

#include "net/address.h"

namespace sluice::control::netlink {

/// A network interface.
struct Link {
  int ifindex = 0;
  std::string name;
  net::MacAddr mac{};     ///< zero when the interface has none
  std::uint32_t mtu = 0;  ///< bytes of layer 3
  bool up = false;        ///< the operator wants it up (IFF_UP)
  bool running = false;   ///< up and able to carry packets: carrier is there (IFF_RUNNING)
  bool loopback = false;
  bool no_arp = false;          ///< neighbours are not resolved on it (IFF_NOARP): tun, some tunnels
  bool ethernet = false;        ///< frames begin with an Ethernet header (loopback: false)
  std::string kind;             ///< "veth", "vlan", "macvlan", "bridge", ...; empty for hardware
  bool vlan_8021q = false;      ///< kind is "vlan" and the tag is 802.1Q's, not 802.1ad's
  std::uint16_t vlan = 0;       ///< VLAN id when kind is "vlan"
  bool private_mode = false;    ///< kind is "macvlan", and it hears no other macvlan on its parent
  int parent_ifindex = 0;       ///< the lower device of vlan, macvlan ...; 0 = none, or it is in another namespace
  int master_ifindex = 0;       ///< the bridge, bond or VRF it belongs to; 0 = none
  std::uint32_t rx_queues = 0;  ///< 0 = not known

  bool operator==(const Link&) const = default;
};

/// An address of this host. The same address may be on several interfaces, and with several prefix lengths on one.
struct InterfaceAddress {
  int ifindex = 0;
  net::IpAddr address;
  std::uint8_t prefix_length = 0;

  auto operator<=>(const InterfaceAddress&) const = default;
};

struct NeighbourKey {
  int ifindex = 0;
  net::IpAddr address;

  auto operator<=>(const NeighbourKey&) const = default;
};

/// An entry of the neighbour table (ARP, NDP).
/// state: the kernel's NUD_* bits; 0 (NUD_NONE) when there is no entry.
struct Neighbour {
  NeighbourKey key;
  net::MacAddr mac{};
  std::uint16_t state = 0;

  /// The kernel would send to `mac` now: its NUD_VALID (reachable, stale, delay, probe, permanent, no ARP).
  [[nodiscard]] bool usable() const;
  /// Usable, but nobody has confirmed it lately (NUD_STALE).
  [[nodiscard]] bool stale() const;
  /// The kernel is asking right now and has no answer yet (NUD_INCOMPLETE).
  [[nodiscard]] bool incomplete() const;

  bool operator==(const Neighbour&) const = default;
};

struct Prefix {
  net::IpAddr address;  ///< host bits may be set
  std::uint8_t length = 0;

  /// Lowest and highest address within.
  [[nodiscard]] net::IpAddr first() const;
  [[nodiscard]] net::IpAddr last() const;
  bool operator==(const Prefix&) const = default;
};

struct LinkSet {
  Link link;
};
struct LinkRemoved {
  Link link;  ///< from the kernel only ifindex is sure; the mirror fills in what it knew
};
struct AddressSet {
  InterfaceAddress address;
};
struct AddressRemoved {
  InterfaceAddress address;
};
/// A neighbour appeared or changed; removed: state is 0.
struct NeighbourSet {
  Neighbour neighbour;
};
/// A route to this prefix appeared, changed or went, in whichever table.
struct RouteChanged {
  Prefix prefix;
};
/// A routing rule or a next-hop object changed: any route decision may differ now.
struct PolicyChanged {};

using Event = std::variant<LinkSet, LinkRemoved, AddressSet, AddressRemoved, NeighbourSet, RouteChanged, PolicyChanged>;

}  // namespace sluice::control::netlink
