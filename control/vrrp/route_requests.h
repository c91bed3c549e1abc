// Routes and rules of the configuration as rtnetlink requests. Pure: interfaces' indices come with the call.
#pragma once

#include <functional>
#include <string>

#include "control/config/model/statics.h"
#include "control/netlink/messages.h"
#include "net/error.h"

namespace sluice::control {

/// An interface's index now; 0: it isn't there.
using IndexOf = std::function<int(const std::string& name)>;

/// As `ip route prepend|append|add`, by RoutePlace. Error: an interface that it needs isn't there.
[[nodiscard]] Result<netlink::Bytes> add_route_request(const config::IpRoute& route, const IndexOf& index_of);
[[nodiscard]] Result<netlink::Bytes> remove_route_request(const config::IpRoute& route, const IndexOf& index_of);

/// As `ip rule add`, `ip rule del`. Interfaces of rules are names: they need not be there.
[[nodiscard]] netlink::Bytes add_rule_request(const config::IpRule& rule);
[[nodiscard]] netlink::Bytes remove_rule_request(const config::IpRule& rule);

}  // namespace sluice::control
