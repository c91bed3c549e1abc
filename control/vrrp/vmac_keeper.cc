#include "control/vrrp/vmac_keeper.h"

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "control/netlink/link_changes.h"

namespace sluice::control {

namespace {

constexpr std::uint8_t mld2_report = 143;

// Reports of group membership and router solicitations carry the sender's MAC: from a backup they would teach switches
// that the virtual MAC is here. A filter for each VMAC stops them; the receivers have joined below it as well, and
// those reports tell switches what they need to know.
//
// MLD comes behind a hop-by-hop header of 8 bytes, the router alert (RFC 3810, 5).
constexpr std::array<sock_filter, 16> no_reports{{
    /* 0*/ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, std::uint32_t(SKF_AD_OFF + SKF_AD_PROTOCOL)),
    /* 1*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0800, 0, 2),
    /* 2*/ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, std::uint32_t(SKF_NET_OFF + 9)),
    /* 3*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IGMP, 11, 10),
    /* 4*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x86dd, 0, 9),
    /* 5*/ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, std::uint32_t(SKF_NET_OFF + 6)),
    /* 6*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 2),
    /* 7*/ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, std::uint32_t(SKF_NET_OFF + 40)),
    /* 8*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_ROUTER_SOLICIT, 6, 5),
    /* 9*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 0, 4),
    /*10*/ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, std::uint32_t(SKF_NET_OFF + 48)),
    /*11*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mld2_report, 3, 0),
    /*12*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MLD_LISTENER_REPORT, 2, 0),
    /*13*/ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MLD_LISTENER_REDUCTION, 1, 0),
    /*14*/ BPF_STMT(BPF_RET | BPF_K, TC_ACT_OK),
    /*15*/ BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
}};

constexpr std::array<std::pair<const char*, int>, 3> of_base{
    {{"arp_ignore", 1}, {"arp_filter", 1}, {"arp_announce", 2}}};

std::string setting(int version, const std::string& interface, const char* name) {
  return fmt::format("ipv{}/conf/{}/{}", version, interface, name);
}

std::uint16_t flags_of(config::IpvlanMode mode) {
  switch (mode) {
    case config::IpvlanMode::bridge: return 0;
    case config::IpvlanMode::private_: return IPVLAN_F_PRIVATE;
    case config::IpvlanMode::vepa: return IPVLAN_F_VEPA;
  }
  return 0;
}

}  // namespace

void VmacKeeper::configure(std::vector<VmacPlan> plans) {
  plans_ = std::move(plans);
  for (const VmacPlan& plan : plans_) make(plan);
  want_sysctls();
}

void VmacKeeper::drop_unwanted() {
  const std::vector<std::string> made = made_;
  for (const std::string& name : made) {
    if (std::ranges::find(plans_, name, &VmacPlan::name) == plans_.end()) remove(name);
  }
}

void VmacKeeper::release() {
  plans_.clear();
  drop_unwanted();
  sysctls_.restore();
}

void VmacKeeper::link_changed(const std::string& name) {
  const netlink::Link* link = mirror_.link(name);
  bool concerns_us = false;
  for (const VmacPlan& plan : plans_) {
    if (plan.parent == name) {
      concerns_us = true;
      // Without a parent that is up it couldn't be set up.
      if (link != nullptr && link->up && mirror_.link(plan.name) == nullptr) make(plan);
      if (link != nullptr && link->up) {
        if (const netlink::Link* own = mirror_.link(plan.name); own != nullptr && !own->up) make(plan);
      }
    } else if (plan.name == name && link == nullptr && mirror_.link(plan.parent) != nullptr) {
      log_(fmt::format("interface {} was removed by somebody else, it is made again", name));
      make(plan);
    }
  }
  if (!concerns_us) return;
  if (link == nullptr) sysctls_.forget_interface(name);
  want_sysctls();
}

void VmacKeeper::make(const VmacPlan& plan) {
  const netlink::Link* parent = mirror_.link(plan.parent);
  if (parent == nullptr) return;  // link_changed() tells when it comes
  if (!parent->ethernet) {
    return log_(fmt::format("{}: no virtual MAC on {}, which isn't Ethernet", plan.instance, plan.parent));
  }
  const netlink::Link* there = mirror_.link(plan.name);
  if (there != nullptr && !is_as_planned(*there, plan, *parent)) {
    (void)changer_.apply(netlink::remove_link_request(there->ifindex));
    there = nullptr;
  }
  if (there == nullptr) {
    const int error = create(plan, *parent);
    if (error != 0 && error != EEXIST) {
      return log_(
          fmt::format("{}: {} can't be made on {}: {}", plan.instance, plan.name, plan.parent, std::strerror(error)));
    }
  }
  // The mirror doesn't know it yet.
  const int ifindex = int(::if_nametoindex(plan.name.c_str()));
  if (ifindex == 0) return;
  if (std::ranges::find(made_, plan.name) == made_.end()) {
    made_.push_back(plan.name);
    if (there != nullptr) inherited_.insert(plan.parent);
  }
  set_up(plan, ifindex);
}

int VmacKeeper::create(const VmacPlan& plan, const netlink::Link& parent) {
  const netlink::Link* master = parent.master_ifindex != 0 ? mirror_.link(parent.master_ifindex) : nullptr;
  const int vrf = master != nullptr && master->kind == "vrf" ? master->ifindex : 0;
  if (!plan.ipvlan) {
    return changer_.apply(netlink::add_macvlan_request({plan.name, parent.ifindex, plan.mac, vrf, plan.group}));
  }
  return changer_.apply(
      netlink::add_ipvlan_request({plan.name, parent.ifindex, flags_of(plan.ipvlan->mode), vrf, plan.group}));
}

// All of it may be done again to one that is there.
void VmacKeeper::set_up(const VmacPlan& plan, int ifindex) {
  const std::string& name = plan.name;
  if (plan.is_v6) {
    // Nobody asks for an address that isn't a virtual one: a link-local address of the VMAC's own would be answered
    // for with the virtual MAC by backups, too.
    (void)changer_.apply(netlink::no_generated_address_request(ifindex));
    sysctls_.set({setting(6, name, "accept_ra"), 0});
    sysctls_.set({setting(6, name, "dad_transmits"), 0});
    sysctls_.set({setting(6, name, "disable_ipv6"), 0});
  } else {
    sysctls_.set({setting(6, name, "disable_ipv6"), 1});
    sysctls_.set({setting(4, name, "accept_local"), 1});
    sysctls_.set({setting(4, name, "rp_filter"), 0});
    sysctls_.set({setting(4, name, "promote_secondaries"), 1});
  }
  sysctls_.set({setting(4, name, "arp_ignore"), 1});

  int error = changer_.apply(netlink::add_filter_hook_request(ifindex));
  if (error == 0 || error == EEXIST) error = changer_.apply(netlink::add_egress_filter_request(ifindex, no_reports));
  if (error != 0 && error != EEXIST) {
    log_(
        fmt::format("{}: reports of group membership will carry the virtual MAC, because {} can't have a filter "
                    "(clsact and cls_bpf in the kernel): {}",
                    plan.instance, name, std::strerror(error)));
  }
  error = changer_.apply(netlink::set_up_request(ifindex));
  if (error != 0 && error != ENETDOWN) {
    log_(fmt::format("{}: {} can't be set up: {}", plan.instance, name, std::strerror(error)));
  }
  if (!plan.ipvlan || !plan.ipvlan->address) return;
  // Frames find an ipvlan by its addresses: without one it hears nothing.
  const config::Prefix& own = *plan.ipvlan->address;
  netlink::NewAddress address{.address = {ifindex, own.address, std::uint8_t(own.length)}};
  error = changer_.apply(netlink::add_address_request(address));
  if (error != 0 && error != EEXIST) {
    log_(fmt::format("{}: {} can't be added to {}: {}", plan.instance, own.address.text(), name, std::strerror(error)));
  }
}

void VmacKeeper::remove(const std::string& name) {
  std::erase(made_, name);
  const int ifindex = int(::if_nametoindex(name.c_str()));
  if (ifindex == 0) return;
  if (const int error = changer_.apply(netlink::remove_link_request(ifindex)); error != 0 && error != ENODEV) {
    log_(fmt::format("{} can't be removed: {}", name, std::strerror(error)));
  }
}

// The base must not answer for what is its VMAC's. Nor may it ask in its name: answers to clients leave by the base,
// and an ARP request for a client that comes from the virtual address would teach it the base's MAC (arp_announce;
// keepalived leaves that as it is). And as the kernel takes the strictest of an
// interface's reverse path filter and the one of `all`, a strict one for all goes to the interfaces one by one.
void VmacKeeper::want_sysctls() {
  std::set<std::string> bases;
  for (const VmacPlan& plan : plans_) {
    if (!plan.is_v6 && !plan.ipvlan) bases.insert(plan.parent);
  }
  if (!bases.empty() && reverse_path_.empty() && sysctls_.read(setting(4, "all", "rp_filter")) == 1) {
    const auto add = [&](const std::string& name) {
      if (std::ranges::find(plans_, name, &VmacPlan::name) != plans_.end()) return;
      if (sysctls_.read(setting(4, name, "rp_filter")) == 0)
        reverse_path_.emplace_back(setting(4, name, "rp_filter"), 1);
    };
    add("default");
    for (const netlink::Link& link : mirror_.links()) add(link.name);
    reverse_path_.emplace_back(setting(4, "all", "rp_filter"), 0);
  }
  if (bases.empty()) reverse_path_.clear();
  std::vector<Sysctl> wanted = reverse_path_;
  for (const std::string& base : bases) {
    for (const auto& [name, value] : of_base) {
      if (inherited_.contains(base)) {
        sysctls_.inherit(setting(4, base, name), sysctls_.read(setting(4, "default", name)).value_or(0), value);
      }
      wanted.emplace_back(setting(4, base, name), value);
    }
  }
  inherited_.clear();
  sysctls_.want(wanted);
}

}  // namespace sluice::control
