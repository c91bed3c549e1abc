#include "control/vrrp/vmac_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "vrrp/protocol.h"

namespace sluice::control {

namespace {

constexpr std::size_t name_max = 15;

const netlink::Link* find(std::span<const netlink::Link> links, std::string_view name) {
  const auto found = std::ranges::find(links, name, &netlink::Link::name);
  return found != links.end() ? &*found : nullptr;
}

std::string numbered(std::string_view prefix, std::string_view number, unsigned vrid) {
  const std::string tail = fmt::format("{}.{}", number, vrid);
  return fmt::format("{}{}", prefix.substr(0, name_max - tail.size()), tail);
}

/// A VMAC that this address has for itself, or shares with the instance's others of its family and device.
bool wants_extra(const config::VrrpInstance& instance, const config::InterfaceAddress& address) {
  if (!instance.use_vmac_addr && !address.use_vmac) return false;
  const bool is_at_home = address.dev.empty() || address.dev == instance.interface;
  const bool fits_own = is_at_home && address.address.is_v6() == instance.is_v6;
  return !fits_own || !(instance.vmac || instance.ipvlan);
}

const std::string& device_of(const config::VrrpInstance& instance, const config::InterfaceAddress& address) {
  return address.dev.empty() ? instance.interface : address.dev;
}

class Planner {
 public:
  Planner(const config::Config& config, std::span<const netlink::Link> there) : config_(config), there_(there) {}

  std::vector<VmacPlan> run() {
    for (const config::VrrpInstance& instance : config_.vrrp_instances) {
      if (instance.vmac && !instance.vmac->name.empty()) taken_.insert(instance.vmac->name);
      if (instance.ipvlan && !instance.ipvlan->name.empty()) taken_.insert(instance.ipvlan->name);
    }
    for (const config::VrrpInstance& instance : config_.vrrp_instances) add_own(instance);
    for (const config::VrrpInstance& instance : config_.vrrp_instances) {
      for (const auto* list : {&instance.addresses, &instance.excluded_addresses}) {
        for (const config::InterfaceAddress& address : *list) {
          if (wants_extra(instance, address)) add_extra(instance, address);
        }
      }
    }
    return std::move(plans_);
  }

 private:
  void add_own(const config::VrrpInstance& instance) {
    const auto vrid = std::uint8_t(instance.virtual_router_id);
    VmacPlan plan{.instance = instance.name, .parent = instance.interface, .is_v6 = instance.is_v6};
    const std::string& prefix = config_.global.vrrp.vmac_prefix;
    if (instance.vmac) {
      const config::Vmac& vmac = *instance.vmac;
      if (!vmac.parent.empty()) plan.parent = vmac.parent;
      plan.mac = vmac.mac.value_or(vrrp::virtual_router_mac(vrid, instance.is_v6));
      plan.group = vmac.group;
      plan.name = name_of(vmac.name, prefix, vrid, plan);
    } else if (instance.ipvlan) {
      plan.ipvlan = instance.ipvlan;
      plan.group = instance.ipvlan->group;
      plan.name = name_of(instance.ipvlan->name, prefix, vrid, plan);
    } else {
      return;
    }
    plans_.push_back(std::move(plan));
  }

  void add_extra(const config::VrrpInstance& instance, const config::InterfaceAddress& address) {
    const auto vrid = std::uint8_t(instance.virtual_router_id);
    const bool is_v6 = address.address.is_v6();
    VmacPlan plan{.instance = instance.name,
                  .parent = device_of(instance, address),
                  .mac = vrrp::virtual_router_mac(vrid, is_v6),
                  .is_v6 = is_v6,
                  .is_extra = true};
    const bool known = std::ranges::any_of(plans_, [&](const VmacPlan& other) {
      return other.instance == plan.instance && other.parent == plan.parent && other.is_v6 == is_v6 && other.is_extra;
    });
    if (known || plan.parent.empty()) return;
    const config::VrrpDefaults& defaults = config_.global.vrrp;
    plan.name =
        name_of("", defaults.vmac_addr_prefix.empty() ? defaults.vmac_prefix : defaults.vmac_addr_prefix, vrid, plan);
    plans_.push_back(std::move(plan));
  }

  std::string name_of(const std::string& given, std::string_view prefix, unsigned vrid, const VmacPlan& plan) {
    const auto is_usable = [&](const std::string& name) {
      const netlink::Link* link = find(there_, name);
      return link == nullptr || link->kind == (plan.ipvlan ? "ipvlan" : "macvlan");
    };
    if (!given.empty() && is_usable(given)) return given;
    // One that is there, and is what is wanted, keeps its name.
    if (const netlink::Link* parent = find(there_, plan.parent); parent != nullptr && !plan.ipvlan) {
      for (const netlink::Link& link : there_) {
        if (is_as_planned(link, plan, *parent) && taken_.insert(link.name).second) return link.name;
      }
    }
    const auto take = [&](const std::string& name) {
      return find(there_, name) == nullptr && taken_.insert(name).second;
    };
    std::string name = numbered(prefix, "", vrid);
    if (take(name)) return name;
    if (plan.is_v6 && take(name = numbered(prefix, "6", vrid))) return name;
    for (unsigned i = 1; !take(name = numbered(prefix, std::to_string(i), vrid)); ++i) {
    }
    return name;
  }

  const config::Config& config_;
  std::span<const netlink::Link> there_;
  std::set<std::string> taken_;
  std::vector<VmacPlan> plans_;
};

}  // namespace

std::vector<VmacPlan> plan_vmacs(const config::Config& config, std::span<const netlink::Link> there) {
  return Planner(config, there).run();
}

const VmacPlan* vmac_of(std::span<const VmacPlan> plans, const config::VrrpInstance& instance) {
  const auto own = std::ranges::find_if(
      plans, [&](const VmacPlan& plan) { return plan.instance == instance.name && !plan.is_extra; });
  return own != plans.end() ? &*own : nullptr;
}

std::string advert_interface(std::span<const VmacPlan> plans, const config::VrrpInstance& instance) {
  const VmacPlan* own = vmac_of(plans, instance);
  return own != nullptr && !instance.vmac_xmit_base ? own->name : instance.interface;
}

std::string address_interface(std::span<const VmacPlan> plans, const config::VrrpInstance& instance,
                              const config::InterfaceAddress& address) {
  const bool is_v6 = address.address.is_v6();
  const std::string& device = device_of(instance, address);
  if (wants_extra(instance, address)) {
    for (const VmacPlan& plan : plans) {
      if (plan.instance == instance.name && plan.is_extra && plan.parent == device && plan.is_v6 == is_v6) {
        return plan.name;
      }
    }
  }
  const VmacPlan* own = vmac_of(plans, instance);
  if (own != nullptr && device == instance.interface && is_v6 == instance.is_v6) return own->name;
  return device;
}

bool is_as_planned(const netlink::Link& link, const VmacPlan& plan, const netlink::Link& parent) {
  // A macvlan on a macvlan is put beside it by the kernel.
  const int below = parent.kind == "macvlan" ? parent.parent_ifindex : parent.ifindex;
  if (link.parent_ifindex != below || link.ifindex == parent.ifindex) return false;
  if (plan.ipvlan) return link.kind == "ipvlan";
  return link.kind == "macvlan" && link.private_mode && link.mac == plan.mac;
}

}  // namespace sluice::control
