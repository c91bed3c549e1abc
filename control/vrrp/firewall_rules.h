// no_accept as nftables commands: a table in which the virtual addresses of masters are sets, and chains that drop
// what goes to them or comes from them. Pure text; having it carried out is firewall.h's.
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <string>

#include "net/address.h"

namespace sluice::control {

/// What is dropped: packets to and from this address.
struct BlockedAddress {
  net::IpAddr address;
  /// Where, as a set's element names it: a name or, with nftables_ifindex, a number. Empty: everywhere; then the
  /// address isn't link-local.
  std::string interface;

  auto operator<=>(const BlockedAddress&) const = default;
};

struct FirewallSettings {
  std::string table = "keepalived";  ///< as nft reads a name: the configuration takes no others
  std::int32_t priority = -1;        ///< of the chains in their hooks
  bool counters = false;
  bool by_ifindex = false;

  bool operator==(const FirewallSettings&) const = default;
};

/// fe80::/10.
[[nodiscard]] bool is_link_local(const net::IpAddr& address);

/// Makes the table, in place of one that is there, in one transaction. Neighbour discovery goes on: who asks for an
/// IPv6 address is answered, as by ARP.
[[nodiscard]] std::string table_commands(const FirewallSettings& settings);
[[nodiscard]] std::string removal_commands(const std::string& table);
/// From one content of the sets to another. Empty: there is nothing to do.
[[nodiscard]] std::string element_commands(const FirewallSettings& settings, const std::set<BlockedAddress>& before,
                                           const std::set<BlockedAddress>& after);

}  // namespace sluice::control
