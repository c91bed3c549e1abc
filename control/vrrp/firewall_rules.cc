#include "control/vrrp/firewall_rules.h"

#include <fmt/format.h>

#include <string_view>

namespace sluice::control {

namespace {

std::string element(const BlockedAddress& blocked) {
  if (blocked.interface.empty()) return blocked.address.text();
  const bool is_number = blocked.interface.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? fmt::format("{} . {}", blocked.address.text(), blocked.interface)
                   : fmt::format("{} . \"{}\"", blocked.address.text(), blocked.interface);
}

void add_commands(std::string& text, std::string_view verb, const FirewallSettings& settings,
                  const std::set<BlockedAddress>& some, const std::set<BlockedAddress>& unless) {
  std::string v4, v6, link_local;
  for (const BlockedAddress& each : some) {
    if (unless.contains(each)) continue;
    std::string& list = each.address.is_v4() ? v4 : each.interface.empty() ? v6 : link_local;
    list += list.empty() ? element(each) : ", " + element(each);
  }
  const auto add = [&](std::string_view family, std::string_view set, const std::string& list) {
    if (!list.empty()) text += fmt::format("{} element {} {} {} {{ {} }}\n", verb, family, settings.table, set, list);
  };
  add("ip", "vips", v4);
  add("ip6", "vips", v6);
  add("ip6", "vips_link_local", link_local);
}

}  // namespace

bool is_link_local(const net::IpAddr& address) {
  return address.is_v6() && address.v6().bytes[0] == 0xfe && (address.v6().bytes[1] & 0xc0) == 0x80;
}

std::string removal_commands(const std::string& table) {
  // To remove what isn't there is an error, to add what is there isn't.
  return fmt::format("add table ip {0}\ndelete table ip {0}\nadd table ip6 {0}\ndelete table ip6 {0}\n", table);
}

std::string table_commands(const FirewallSettings& settings) {
  const std::string_view drop = settings.counters ? "counter drop" : "drop";
  const std::string_view accept = settings.counters ? "counter accept" : "accept";
  const std::string_view interface = settings.by_ifindex ? "iface_index" : "ifname";
  const std::string_view meta = settings.by_ifindex ? "if" : "ifname";
  return removal_commands(settings.table) +
         fmt::format(R"(table ip {table} {{
  set vips {{ type ipv4_addr; }}
  chain in {{
    type filter hook input priority {priority}; policy accept;
    ip daddr @vips {drop}
  }}
  chain out {{
    type filter hook output priority {priority}; policy accept;
    ip saddr @vips {drop}
  }}
}}
table ip6 {table} {{
  set vips {{ type ipv6_addr; }}
  set vips_link_local {{ type ipv6_addr . {interface}; }}
  chain in {{
    type filter hook input priority {priority}; policy accept;
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} {accept}
    ip6 daddr @vips {drop}
    ip6 daddr . i{meta} @vips_link_local {drop}
  }}
  chain out {{
    type filter hook output priority {priority}; policy accept;
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} {accept}
    ip6 saddr @vips {drop}
    ip6 saddr . o{meta} @vips_link_local {drop}
  }}
}}
)",
                     fmt::arg("table", settings.table), fmt::arg("priority", settings.priority), fmt::arg("drop", drop),
                     fmt::arg("accept", accept), fmt::arg("interface", interface), fmt::arg("meta", meta));
}

std::string element_commands(const FirewallSettings& settings, const std::set<BlockedAddress>& before,
                             const std::set<BlockedAddress>& after) {
  std::string text;
  add_commands(text, "delete", settings, before, after);
  add_commands(text, "add", settings, after, before);
  return text;
}

}  // namespace sluice::control
