// The interfaces that virtual routers live on: makes them, sets them and what lies below them up, makes them again when
// somebody removes them, and takes them away. Which they are is vmac_plan.h's. Used on the vrrp thread.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "control/netlink/changes.h"
#include "control/netlink/mirror.h"
#include "control/vrrp/sysctl_keeper.h"
#include "control/vrrp/vmac_plan.h"

namespace sluice::control {

class VmacKeeper {
 public:
  using Log = std::function<void(const std::string&)>;

  /// Borrows both.
  VmacKeeper(netlink::Changer& changer, const netlink::Mirror& mirror, Log log)
      : changer_(changer), mirror_(mirror), log_(log), sysctls_(std::move(log)) {}

  /// Makes what isn't there and takes over what is. What was planned before and isn't now stays until drop_unwanted().
  /// The mirror hears of it later.
  void configure(std::vector<VmacPlan> plans);
  void drop_unwanted();
  /// The mirror says that this link came, changed or went.
  void link_changed(const std::string& name);
  /// Everything as it was before.
  void release();

  [[nodiscard]] std::span<const VmacPlan> plans() const { return plans_; }

 private:
  void make(const VmacPlan& plan);
  int create(const VmacPlan& plan, const netlink::Link& parent);
  void set_up(const VmacPlan& plan, int ifindex);
  void remove(const std::string& name);
  void want_sysctls();

  netlink::Changer& changer_;
  const netlink::Mirror& mirror_;
  Log log_;
  SysctlKeeper sysctls_;
  std::vector<VmacPlan> plans_;
  std::vector<std::string> made_;    ///< or taken over
  std::set<std::string> inherited_;  ///< bases of those that were taken over just now
  std::vector<Sysctl> reverse_path_;
};

}  // namespace sluice::control
