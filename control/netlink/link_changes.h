// Requests that make, set up and remove interfaces of our own: the macvlans and ipvlans that virtual routers live on.
// Pure; a Changer has them carried out.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "control/netlink/messages.h"
#include "net/address.h"

namespace sluice::control::netlink {

/// A macvlan in private mode: it hears its parent's wire, and no other macvlan there.
struct NewMacvlan {
  std::string name;
  int parent_ifindex = 0;
  net::MacAddr mac{};
  int master_ifindex = 0;  ///< the VRF it belongs to; 0: none
  std::optional<std::uint32_t> group;
};

/// An ipvlan in L2 mode: it shares its parent's MAC.
struct NewIpvlan {
  std::string name;
  int parent_ifindex = 0;
  std::uint16_t flags = 0;  ///< IPVLAN_F_*; 0: bridge
  int master_ifindex = 0;
  std::optional<std::uint32_t> group;
};

/// Both fail with EEXIST when the name is taken; the interface is down at first.
[[nodiscard]] Bytes add_macvlan_request(const NewMacvlan& macvlan);
[[nodiscard]] Bytes add_ipvlan_request(const NewIpvlan& ipvlan);
[[nodiscard]] Bytes remove_link_request(int ifindex);
[[nodiscard]] Bytes set_up_request(int ifindex);
/// The kernel makes no IPv6 address for it by itself. To be done before it is up.
[[nodiscard]] Bytes no_generated_address_request(int ifindex);

/// Where filters for what leaves can be put. EEXIST: it has that already.
[[nodiscard]] Bytes add_filter_hook_request(int ifindex);
/// What leaves is shown to this program of classic BPF, whose result is a TC_ACT_*. EEXIST: it has one already.
[[nodiscard]] Bytes add_egress_filter_request(int ifindex, std::span<const sock_filter> program);

}  // namespace sluice::control::netlink
