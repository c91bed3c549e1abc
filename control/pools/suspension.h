// keepalived's ha_suspend: which virtual servers' checkers rest, because their address isn't on this host. Pure; who
// tells of addresses is the netlink reflector, and who carries it out are pool_manager.h and the health thread.
#pragma once

#include <set>

#include "control/pools/pool_spec.h"
#include "net/address.h"

namespace sluice::control {

/// Control thread only.
class Suspension {
 public:
  /// On any interface, loopback too, whoever put it there. Returns whether that is news.
  bool set_here(const net::IpAddr& address, bool is_here) {
    return is_here ? here_.insert(address).second : here_.erase(address) > 0;
  }

  /// Do the checkers of `pool` rest? A group has no address that could be here, so with ha_suspend its checkers rest
  /// for ever (observed with keepalived 2.2.7); of fwmark services the configuration takes ha_suspend away.
  [[nodiscard]] bool rests(const PoolSpec& pool) const {
    return pool.ha_suspend && !(pool.group.empty() && here_.contains(pool.services.front().key.address));
  }

 private:
  std::set<net::IpAddr> here_;
};

}  // namespace sluice::control
