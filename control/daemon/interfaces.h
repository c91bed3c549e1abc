// Which interfaces the engine serves when the file doesn't say: those that carry the virtual addresses, and those that
// lead to the real servers. Pure but for the kernel's routing decisions, which come in through a function.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/netlink/mirror.h"
#include "control/netlink/route_decision.h"
#include "net/error.h"

namespace sluice::control {

/// The kernel's way to an address (netlink::RouteQuery::decide).
using RouteTo = std::function<Result<netlink::RouteDecision>(const net::IpAddr&)>;

struct InterfaceChoices {
  std::vector<std::string> names;     ///< Ethernet devices, each once, by ifindex
  std::vector<std::string> warnings;  ///< what couldn't be decided, for the log
};

/// config.dataplane.interfaces if given (each must exist: the error names the line), else derived. VLAN sub-interfaces
/// and macvlans stand for the device below them. For a fwmark those count that its classify rules name, or that carry
/// the addresses that the rules name. A virtual address that no interface carries yet (this director is the
/// backup) counts with the interface its vrrp_instance names, or the one that leads to it. An error when nothing is
/// left.
[[nodiscard]] Result<InterfaceChoices> choose_interfaces(const config::Config& config, const netlink::Mirror& mirror,
                                                         const RouteTo& route_to);

/// The device whose queues the packets of this interface come through: below VLAN sub-interfaces and macvlans.
[[nodiscard]] const netlink::Link* lowest_link(const netlink::Link* link, const netlink::Mirror& mirror);

}  // namespace sluice::control
