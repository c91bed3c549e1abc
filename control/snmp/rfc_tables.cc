// VRRP-MIB (RFC 2787), for IPv4 instances of version 2; and VRRPV3-MIB (RFC 6527), for all instances, as keepalived
// has it: version 2 is shown there, too.
#include <array>

#include "control/snmp/mibs.h"

namespace sluice::control::snmp {

namespace {

using I = InstanceRow;
using vrrp::ReceiveError;

/// initialize(1), backup(2), master(3).
Value state_of(const I& i) {
  switch (i.status->state) {
    case vrrp::State::backup: return integer(2);
    case vrrp::State::master: return integer(3);
    case vrrp::State::init:
    case vrrp::State::fault: break;
  }
  return integer(1);
}

bool is_master(const I& i) { return i.status->state == vrrp::State::master; }

net::IpAddr nowhere(bool is_v6) { return is_v6 ? net::IpAddr(net::Ipv6Addr{}) : net::IpAddr(net::Ipv4Addr{}); }

net::IpAddr own_address(const I& i) { return i.status->source.value_or(nowhere(i.config->is_v6)); }
/// Whom it has heard last.
net::IpAddr heard_address(const I& i) { return i.status->master_address.value_or(nowhere(i.config->is_v6)); }

std::uint32_t ifindex_of(const I& i) {
  return i.status->ifindex != 0 ? std::uint32_t(i.status->ifindex) : i.all->ifindex(i.config->interface);
}

template <ReceiveError... Kinds>
std::uint64_t errors(const I& i) {
  return count(i.status->errors, {Kinds...});
}

// As keepalived sorts what is wrong with a packet.
constexpr auto interval_errors = errors<ReceiveError::interval>;
constexpr auto ttl_errors = errors<ReceiveError::ttl, ReceiveError::unicast_ttl>;
constexpr auto type_errors = errors<ReceiveError::type>;
constexpr auto length_errors = errors<ReceiveError::length, ReceiveError::ip_length>;
constexpr auto auth_failures = errors<ReceiveError::password, ReceiveError::ah_header, ReceiveError::ah_spi,
                                      ReceiveError::ah_replay, ReceiveError::ah_digest, ReceiveError::hmac_missing,
                                      ReceiveError::hmac_malformed, ReceiveError::hmac_unknown_key,
                                      ReceiveError::hmac_digest, ReceiveError::hmac_stale, ReceiveError::hmac_replay>;

/// A TimeStamp: sysUpTime when it left INIT or FAULT.
Value up_at(const I& i) {
  return i.status->up_since ? time_ticks(*i.status->up_since - i.all->agent_started) : time_ticks({});
}
Value up_for(const I& i) {
  return i.status->up_since ? time_ticks(i.all->taken - *i.status->up_since) : time_ticks({});
}

// --- RFC 2787

constexpr std::array oper_columns = {
    Column<I>{2, [](const I& i) -> Cell { return mac_address(mac_of(i)); }},
    Column<I>{3, [](const I& i) -> Cell { return state_of(i); }},
    Column<I>{4, [](const I&) -> Cell { return integer(1); }},  // up
    Column<I>{5, [](const I& i) -> Cell { return integer(i.config->priority); }},
    Column<I>{6, [](const I& i) -> Cell { return integer(std::int64_t(i.config->addresses.size())); }},
    Column<I>{7, [](const I& i) -> Cell { return ip_address(heard_address(i).v4()); }},
    Column<I>{8, [](const I& i) -> Cell { return ip_address(own_address(i).v4()); }},
    Column<I>{9,
              [](const I& i) -> Cell {
                if (!i.config->authentication) return integer(1);
                return integer(i.config->authentication->type == config::AuthType::ah ? 3 : 2);
              }},
    // 10 is the password.
    Column<I>{11, [](const I& i) -> Cell { return integer(i.config->advert_int / std::chrono::seconds(1)); }},
    Column<I>{12, [](const I& i) -> Cell { return truth(!i.config->nopreempt); }},
    Column<I>{13, [](const I& i) -> Cell { return up_at(i); }},
    Column<I>{14, [](const I&) -> Cell { return integer(1); }},  // IP
    Column<I>{15, [](const I&) -> Cell { return integer(1); }},  // active
};

constexpr std::array statistics2_columns = {
    Column<I>{1, [](const I& i) -> Cell { return counter32(i.status->counters.become_master); }},
    Column<I>{2, [](const I& i) -> Cell { return counter32(i.status->counters.adverts_received); }},
    Column<I>{3, [](const I& i) -> Cell { return counter32(interval_errors(i)); }},
    Column<I>{4, [](const I& i) -> Cell { return counter32(auth_failures(i)); }},
    Column<I>{5, [](const I& i) -> Cell { return counter32(ttl_errors(i)); }},
    Column<I>{6, [](const I& i) -> Cell { return counter32(i.status->counters.priority_zero_received); }},
    Column<I>{7, [](const I& i) -> Cell { return counter32(i.status->counters.priority_zero_sent); }},
    Column<I>{8, [](const I& i) -> Cell { return counter32(type_errors(i)); }},
    Column<I>{9, [](const I& i) -> Cell { return counter32(i.status->counters.address_list_errors); }},
    Column<I>{10, [](const I& i) -> Cell { return counter32(errors<ReceiveError::auth_type_unknown>(i)); }},
    Column<I>{
        11,
        [](const I& i) -> Cell { return counter32(errors<ReceiveError::auth_type, ReceiveError::ah_presence>(i)); }},
    Column<I>{12, [](const I& i) -> Cell { return counter32(length_errors(i)); }},
};

// --- RFC 6527

constexpr std::array operations_columns = {
    Column<I>{3, [](const I& i) -> Cell { return address(is_master(i) ? own_address(i) : heard_address(i)); }},
    Column<I>{4, [](const I& i) -> Cell { return address(own_address(i)); }},
    Column<I>{5, [](const I& i) -> Cell { return mac_address(mac_of(i)); }},
    Column<I>{6, [](const I& i) -> Cell { return state_of(i); }},
    Column<I>{7, [](const I& i) -> Cell { return gauge32(i.config->priority); }},
    Column<I>{8, [](const I& i) -> Cell { return integer(std::int64_t(i.config->addresses.size())); }},
    Column<I>{9, [](const I& i) -> Cell { return integer(i.config->advert_int / std::chrono::milliseconds(10)); }},
    Column<I>{10, [](const I& i) -> Cell { return truth(!i.config->nopreempt); }},
    Column<I>{11, [](const I& i) -> Cell { return truth(i.config->version == 2 || i.config->accept); }},
    Column<I>{12, [](const I& i) -> Cell { return up_for(i); }},
    Column<I>{13, [](const I&) -> Cell { return integer(1); }},  // active
};

/// noError(0), ipTtlError(1), versionError(2), checksumError(3), vrIdError(4).
Value last_error(const I& i) {
  if (!i.status->last_error) return integer(0);
  switch (*i.status->last_error) {
    case ReceiveError::ttl:
    case ReceiveError::unicast_ttl: return integer(1);
    case ReceiveError::version: return integer(2);
    case ReceiveError::checksum: return integer(3);
    default: return integer(0);
  }
}

constexpr std::array statistics3_columns = {
    Column<I>{1, [](const I& i) -> Cell { return counter32(i.status->counters.become_master); }},
    Column<I>{2, [](const I& i) -> Cell { return integer(int(i.status->master_reason)); }},
    Column<I>{3, [](const I& i) -> Cell { return counter64(i.status->counters.adverts_received); }},
    Column<I>{4, [](const I& i) -> Cell { return counter64(interval_errors(i)); }},
    Column<I>{5, [](const I& i) -> Cell { return counter64(ttl_errors(i)); }},
    Column<I>{6, [](const I& i) -> Cell { return last_error(i); }},
    Column<I>{7, [](const I& i) -> Cell { return counter64(i.status->counters.priority_zero_received); }},
    Column<I>{8, [](const I& i) -> Cell { return counter64(i.status->counters.priority_zero_sent); }},
    Column<I>{9, [](const I& i) -> Cell { return counter64(type_errors(i)); }},
    Column<I>{10, [](const I& i) -> Cell { return counter64(i.status->counters.address_list_errors); }},
    Column<I>{11, [](const I& i) -> Cell { return counter64(length_errors(i)); }},
    Column<I>{12, [](const I&) -> Cell { return time_ticks({}); }},
    // Milliseconds: nothing changes between two advertisements.
    Column<I>{13, [](const I& i) -> Cell { return gauge32(std::uint64_t(i.config->advert_int.count()) / 1000); }},
};

// --- both

using S = const Snapshot*;

constexpr std::array oper_scalars = {
    Column<S>{1, [](const S&) -> Cell { return integer(2); }},  // the version
    Column<S>{2, [](const S& s) -> Cell { return truth(s->config->global.monitoring.snmp_traps); }},
};
constexpr std::array statistics2_scalars = {
    Column<S>{1, [](const S& s) -> Cell { return counter32(count_all(*s, {ReceiveError::checksum})); }},
    Column<S>{2, [](const S& s) -> Cell { return counter32(count_all(*s, {ReceiveError::version})); }},
    Column<S>{3, [](const S& s) -> Cell { return counter32(count_all(*s, {ReceiveError::unknown_vrid})); }},
};
constexpr std::array statistics3_scalars = {
    Column<S>{1, [](const S& s) -> Cell { return counter64(count_all(*s, {ReceiveError::checksum})); }},
    Column<S>{2, [](const S& s) -> Cell { return counter64(count_all(*s, {ReceiveError::version})); }},
    Column<S>{3, [](const S& s) -> Cell { return counter64(count_all(*s, {ReceiveError::unknown_vrid})); }},
    Column<S>{4, [](const S&) -> Cell { return time_ticks({}); }},
};

// A row per address, which is in its index, so that all that is left to tell is that it is active(1).
struct Nothing {};
constexpr std::array address_columns = {
    Column<Nothing>{2, [](const Nothing&) -> Cell { return integer(1); }},
};

}  // namespace

void add_rfc2787(View& view, const Snapshot& snapshot) {
  std::vector<Indexed<I>> rows;
  std::vector<Indexed<Nothing>> addresses;
  for (const I& row : instance_rows(snapshot)) {
    if (row.config->version != 2 || row.config->is_v6) continue;
    rows.push_back({{ifindex_of(row), row.config->virtual_router_id}, row});
    for (const config::InterfaceAddress& address : row.config->addresses) {
      Oid index = rows.back().index;
      append(index, address.address);
      addresses.push_back({std::move(index), {}});
    }
  }
  view.add_scalars<S>(below(vrrp_mib, {1}), oper_scalars, &snapshot);
  view.add<I>(below(vrrp_mib, {1, 3, 1}), oper_columns, rows);
  view.add<Nothing>(below(vrrp_mib, {1, 4, 1}), address_columns, std::move(addresses));
  view.add_scalars<S>(below(vrrp_mib, {2}), statistics2_scalars, &snapshot);
  view.add<I>(below(vrrp_mib, {2, 4, 1}), statistics2_columns, std::move(rows));
}

void add_rfc6527(View& view, const Snapshot& snapshot) {
  std::vector<Indexed<I>> rows;
  std::vector<Indexed<Nothing>> addresses;
  for (const I& row : instance_rows(snapshot)) {
    rows.push_back({{ifindex_of(row), row.config->virtual_router_id, row.config->is_v6 ? 2U : 1U}, row});
    for (const config::InterfaceAddress& address : row.config->addresses) {
      Oid index = rows.back().index;
      append(index, address.address);
      addresses.push_back({std::move(index), {}});
    }
  }
  view.add<I>(below(vrrpv3_mib, {1, 1, 1, 1}), operations_columns, rows);
  view.add<Nothing>(below(vrrpv3_mib, {1, 1, 2, 1}), address_columns, std::move(addresses));
  view.add_scalars<S>(below(vrrpv3_mib, {1, 2}), statistics3_scalars, &snapshot);
  view.add<I>(below(vrrpv3_mib, {1, 2, 5, 1}), statistics3_columns, std::move(rows));
}

}  // namespace sluice::control::snmp
