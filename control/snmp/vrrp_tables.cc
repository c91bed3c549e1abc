// KEEPALIVED-MIB::vrrp: sync groups and their members, instances, addresses.
#include <algorithm>
#include <array>

#include "control/snmp/mibs.h"

namespace sluice::control::snmp {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

bool runs_scripts(const config::VrrpNotify& notify) {
  return notify.master || notify.backup || notify.fault || notify.stop || notify.deleted ||
         notify.master_rx_lower_pri || notify.any;
}

// --- vrrpSyncGroupTable

struct Group {
  const Snapshot* all;
  const config::SyncGroup* config;
  vrrp::State state;
};

constexpr std::array group_columns = {
    Column<Group>{2, [](const Group& g) -> Cell { return text(g.config->name); }},
    Column<Group>{3, [](const Group& g) -> Cell { return state_value(g.state); }},
    Column<Group>{4, [](const Group& g) -> Cell { return truth(bool(g.config->smtp_alert)); }},
    Column<Group>{5, [](const Group& g) -> Cell { return truth(runs_scripts(g.config->notify)); }},
    Column<Group>{6, [](const Group& g) { return script_text(*g.all, g.config->notify.master); }},
    Column<Group>{7, [](const Group& g) { return script_text(*g.all, g.config->notify.backup); }},
    Column<Group>{8, [](const Group& g) { return script_text(*g.all, g.config->notify.fault); }},
    Column<Group>{9, [](const Group& g) { return script_text(*g.all, g.config->notify.any); }},
    Column<Group>{10, [](const Group& g) -> Cell { return truth(g.config->sync_group_tracking_weight); }},
    Column<Group>{11, [](const Group& g) { return script_text(*g.all, g.config->notify.stop); }},
};

constexpr std::array member_columns = {
    Column<const std::string*>{2, [](const std::string* const& name) -> Cell { return text(*name); }},
};

// --- vrrpInstanceTable

using I = InstanceRow;

bool follows_lvs_sync(const I& i) {
  const auto& daemon = i.all->config->global.lvs.sync_daemon;
  return daemon && daemon->vrrp_instance == i.config->name;
}

/// Seconds in version 2, hundredths in version 3.
std::uint64_t interval_of(const config::VrrpInstance& instance) {
  return std::uint64_t(instance.version == 3 ? instance.advert_int / std::chrono::milliseconds(10)
                                             : instance.advert_int / seconds(1));
}

bool is_master(const I& i) { return i.status->state == vrrp::State::master; }

bool has_all_addresses(const I& i) {
  return is_master(i) && std::ranges::all_of(i.status->held.addresses, [](bool held) { return held; });
}

bool is_unicast(const I& i) { return !i.config->unicast_peers.empty(); }

net::IpAddr group_address(const I& i) {
  if (i.config->multicast_group) return *i.config->multicast_group;
  const config::VrrpDefaults& defaults = i.all->config->global.vrrp;
  return i.config->is_v6 ? defaults.mcast_group6 : defaults.mcast_group4;
}

constexpr std::array instance_columns = {
    Column<I>{2, [](const I& i) -> Cell { return text(i.config->name); }},
    Column<I>{3, [](const I& i) -> Cell { return gauge32(i.config->virtual_router_id); }},
    Column<I>{4, [](const I& i) -> Cell { return state_value(i.status->state); }},
    Column<I>{5, [](const I& i) -> Cell { return integer(i.config->state == config::InitialState::master ? 2 : 1); }},
    Column<I>{6, [](const I& i) -> Cell { return state_value(i.status->state); }},
    Column<I>{7, [](const I& i) -> Cell { return integer(i.config->priority); }},
    Column<I>{8, [](const I& i) -> Cell { return integer(i.status->effective_priority); }},
    Column<I>{9, [](const I& i) -> Cell { return truth(has_all_addresses(i)); }},
    Column<I>{10,
              [](const I& i) -> Cell {
                return text(i.status->advert_interface.empty() ? i.config->interface : i.status->advert_interface);
              }},
    // keepalived: whether it tracks any interface; its own one is watched anyway.
    Column<I>{11, [](const I& i) -> Cell { return truth(!i.config->tracking.interfaces.empty()); }},
    Column<I>{12, [](const I& i) -> Cell { return gauge32(interval_of(*i.config)); }},
    Column<I>{13, [](const I& i) -> Cell { return truth(!i.config->nopreempt); }},
    Column<I>{14,
              [](const I& i) -> Cell {
                // An instance that starts as master has none.
                if (i.config->state == config::InitialState::master) return gauge32(0);
                return gauge32(std::uint64_t(duration_cast<seconds>(i.config->preempt_delay).count()));
              }},
    Column<I>{15,
              [](const I& i) -> Cell {
                if (!i.config->authentication) return integer(0);
                return integer(i.config->authentication->type == config::AuthType::ah ? 2 : 1);
              }},
    Column<I>{16, [](const I& i) -> Cell { return truth(follows_lvs_sync(i)); }},
    Column<I>{17,
              [](const I& i) -> Cell {
                if (!follows_lvs_sync(i)) return std::nullopt;
                return text(i.all->config->global.lvs.sync_daemon->interface);
              }},
    Column<I>{18, [](const I& i) -> Cell { return i.group != nullptr ? Cell(text(i.group->name)) : Cell(); }},
    Column<I>{19, [](const I& i) -> Cell { return gauge32(std::uint64_t(i.config->garp.master_delay.value.count())); }},
    Column<I>{20, [](const I& i) -> Cell { return truth(bool(i.config->smtp_alert)); }},
    Column<I>{21, [](const I& i) -> Cell { return truth(runs_scripts(i.config->notify)); }},
    Column<I>{22, [](const I& i) { return script_text(*i.all, i.config->notify.master); }},
    Column<I>{23, [](const I& i) { return script_text(*i.all, i.config->notify.backup); }},
    Column<I>{24, [](const I& i) { return script_text(*i.all, i.config->notify.fault); }},
    Column<I>{25, [](const I& i) { return script_text(*i.all, i.config->notify.stop); }},
    Column<I>{26, [](const I& i) { return script_text(*i.all, i.config->notify.any); }},
    // keepalived has 0 for version 2, which the MIB doesn't know.
    Column<I>{27,
              [](const I& i) -> Cell { return i.config->version == 2 ? integer(0) : truth(bool(i.config->accept)); }},
    Column<I>{28, [](const I& i) -> Cell { return truth(i.config->promote_secondaries); }},
    Column<I>{29, [](const I& i) -> Cell { return truth(i.config->linkbeat_use_polling); }},
    Column<I>{30, [](const I& i) -> Cell { return integer(i.config->version); }},
    Column<I>{31, [](const I& i) { return script_text(*i.all, i.config->notify.master_rx_lower_pri); }},
    Column<I>{32, [](const I& i) { return script_text(*i.all, i.config->notify.deleted); }},
    Column<I>{
        33,
        [](const I& i)
            -> Cell { return truth(i.config->notify.deleted_not_fault || i.config->notify.deleted.has_value()); }},
    Column<I>{34, [](const I& i) { return is_unicast(i) ? Cell() : Cell(address_type(group_address(i))); }},
    Column<I>{35, [](const I& i) { return is_unicast(i) ? Cell() : Cell(address(group_address(i))); }},
};

// --- vrrpAddressTable

struct Address {
  const Snapshot* all;
  const config::InterfaceAddress* config;
  std::string interface;
  bool is_set;
  bool is_advertised;
};

constexpr std::array address_columns = {
    Column<Address>{2, [](const Address& a) -> Cell { return address_type(a.config->address); }},
    Column<Address>{3, [](const Address& a) -> Cell { return address(a.config->address); }},
    Column<Address>{4,
                    [](const Address& a) -> Cell {
                      if (a.config->address.is_v6()) return std::nullopt;
                      return address(a.config->broadcast.value_or(net::Ipv4Addr{}));
                    }},
    Column<Address>{5, [](const Address& a) -> Cell { return gauge32(a.config->prefix_length); }},
    Column<Address>{6, [](const Address& a) -> Cell { return scope_type(a.config->scope); }},
    Column<Address>{7, [](const Address& a) -> Cell { return integer(a.all->ifindex(a.interface)); }},
    Column<Address>{8, [](const Address& a) -> Cell { return text(a.interface); }},
    Column<Address>{9, [](const Address& a) -> Cell { return text_if_any(a.config->label); }},
    Column<Address>{10, [](const Address& a) -> Cell { return truth(a.is_set); }},
    Column<Address>{11, [](const Address& a) -> Cell { return truth(a.is_advertised); }},
    Column<Address>{
        12, [](const Address& a) -> Cell { return a.config->peer ? Cell(address(a.config->peer->address)) : Cell(); }},
};

bool held(const std::vector<bool>& list, std::size_t at) { return at < list.size() && list[at]; }

void add_addresses(View& view, const Snapshot& snapshot, const std::vector<InstanceRow>& instances) {
  std::vector<Indexed<Address>> rows;
  const auto add = [&](std::uint32_t instance, const config::InterfaceAddress& address, const HeldStatus& status,
                       std::uint32_t number, bool advertised) {
    const std::size_t at = number - 1;
    std::string interface = at < status.interfaces.size() ? status.interfaces[at] : std::string();
    if (interface.empty()) interface = address.interface;
    rows.push_back(
        {{instance, number}, {&snapshot, &address, std::move(interface), held(status.addresses, at), advertised}});
  };
  std::uint32_t number = 0;
  for (const auto& address : snapshot.config->static_network.addresses) {
    add(0, address, snapshot.vrrp.held_static, ++number, false);
  }
  for (std::uint32_t i = 0; i < instances.size(); ++i) {
    number = 0;
    const I& row = instances[i];
    for (const auto& address : row.config->addresses) add(i + 1, address, row.status->held, ++number, true);
    for (const auto& address : row.config->excluded_addresses) add(i + 1, address, row.status->held, ++number, false);
  }
  view.add<Address>(keepalived_oid({2, 6, 1}), address_columns, std::move(rows));
}

}  // namespace

void add_vrrp(View& view, const Snapshot& snapshot) {
  std::vector<Indexed<Group>> groups;
  std::vector<Indexed<const std::string*>> members;
  for (const config::SyncGroup& group : snapshot.config->sync_groups) {
    const auto number = std::uint32_t(groups.size()) + 1;
    const auto status = std::ranges::find(snapshot.vrrp.groups, group.name, &SyncGroupStatus::name);
    groups.push_back(
        {{number}, {&snapshot, &group, status != snapshot.vrrp.groups.end() ? status->state : vrrp::State::init}});
    std::uint32_t member = 0;
    for (const std::string& name : group.instances) members.push_back({{number, ++member}, &name});
  }
  view.add<Group>(keepalived_oid({2, 1, 1}), group_columns, std::move(groups));
  view.add<const std::string*>(keepalived_oid({2, 2, 1}), member_columns, std::move(members));

  const std::vector<InstanceRow> all = instance_rows(snapshot);
  std::vector<Indexed<InstanceRow>> instances;
  for (const InstanceRow& row : all) instances.push_back({{std::uint32_t(instances.size()) + 1}, row});
  view.add<InstanceRow>(keepalived_oid({2, 3, 1}), instance_columns, std::move(instances));
  add_addresses(view, snapshot, all);
}

}  // namespace sluice::control::snmp
