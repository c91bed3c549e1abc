// Which interfaces of their own the virtual routers live on, under which names and MACs, and which address lives where.
// Pure; making them is vmac_keeper.h's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/netlink/objects.h"
#include "net/address.h"

namespace sluice::control {

/// An interface to be made for a virtual router.
struct VmacPlan {
  std::string instance;  ///< whose it is
  std::string name;
  std::string parent;
  net::MacAddr mac{};  ///< zero: its parent's (ipvlan)
  bool is_v6 = false;
  bool is_extra = false;  ///< for single addresses, beside the instance's own
  std::optional<std::uint32_t> group;
  /// An ipvlan instead of a macvlan.
  std::optional<config::Ipvlan> ipvlan;

  [[nodiscard]] bool is_same(const VmacPlan& other) const {
    return name == other.name && parent == other.parent && mac == other.mac && is_v6 == other.is_v6 &&
           group == other.group && ipvlan == other.ipvlan;
  }
};

/// Of all instances. there: the links of this host; what a former run or a former configuration left keeps its name.
/// Names that aren't given are PREFIX.VRID, or if that is taken PREFIX6.VRID (IPv6), PREFIX1.VRID, PREFIX2.VRID ...
/// (keepalived).
[[nodiscard]] std::vector<VmacPlan> plan_vmacs(const config::Config& config, std::span<const netlink::Link> there);

/// The instance's own, null: it has none.
[[nodiscard]] const VmacPlan* vmac_of(std::span<const VmacPlan> plans, const config::VrrpInstance& instance);
/// Where its advertisements leave and come in.
[[nodiscard]] std::string advert_interface(std::span<const VmacPlan> plans, const config::VrrpInstance& instance);
/// Where one of its addresses lives: on its VMAC if the family is the instance's and no other device is named.
[[nodiscard]] std::string address_interface(std::span<const VmacPlan> plans, const config::VrrpInstance& instance,
                                            const config::InterfaceAddress& address);

/// Does this link do for the plan as it is? parent: the plan's, as it is now.
[[nodiscard]] bool is_as_planned(const netlink::Link& link, const VmacPlan& plan, const netlink::Link& parent);

}  // namespace sluice::control
