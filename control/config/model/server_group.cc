// Expanding groups; see server_group.h.
#include "control/config/model/server_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace sluice::control::config {

namespace {

using Bytes = std::array<std::uint8_t, 16>;

Bytes bytes_of(const net::IpAddr& address) {
  if (address.is_v6()) return address.v6().bytes;
  Bytes bytes{};
  const std::uint32_t host = address.v4().host();
  for (unsigned i = 0; i < 4; ++i) bytes[12 + i] = static_cast<std::uint8_t>(host >> (24 - 8 * i));
  return bytes;
}

net::IpAddr next(const net::IpAddr& address) {
  if (address.is_v4()) return net::Ipv4Addr::from_host(address.v4().host() + 1);
  net::Ipv6Addr v6 = address.v6();
  for (unsigned i = 16; i-- > 0;) {
    if (++v6.bytes[i] != 0) break;
  }
  return v6;
}

/// last - first + 1, saturating above group_members_max.
std::size_t distance(const net::IpAddr& first, const net::IpAddr& last) {
  const Bytes low = bytes_of(first);
  const Bytes high = bytes_of(last);
  std::int64_t difference = 0;
  for (unsigned i = 0; i < 16; ++i) {
    difference = difference * 256 + (high[i] - low[i]);
    // It only grows from here: at most 256 * 1 - 255 can be taken away again.
    if (difference > static_cast<std::int64_t>(group_members_max)) return group_members_max + 1;
  }
  return static_cast<std::size_t>(std::max<std::int64_t>(difference, 0)) + 1;
}

}  // namespace

std::size_t size_of(const GroupEntry& entry) {
  switch (entry.form) {
    case GroupEntry::Form::address:
    case GroupEntry::Form::fwmark: return 1;
    case GroupEntry::Form::last_part:
    case GroupEntry::Form::range: return distance(entry.first, entry.last);
    case GroupEntry::Form::network: {
      const unsigned host_bits = (entry.first.is_v6() ? 128 : 32) - entry.prefix_length;
      return host_bits > 16 ? group_members_max + 1 : std::size_t{1} << host_bits;
    }
  }
  return 0;
}

Result<std::vector<GroupMember>> expand(const VirtualServerGroup& group) {
  std::vector<GroupMember> members;
  std::set<GroupMember> seen;
  std::size_t total = 0;
  for (const GroupEntry& entry : group.entries) {
    const std::size_t size = size_of(entry);
    total += size;
    if (size > group_members_max || total > group_members_max) {
      return fail(entry.position.text(), fmt::format("virtual_server_group {} stands for more than {} addresses",
                                                     group.name, group_members_max));
    }
    net::IpAddr address = entry.first;
    for (std::size_t i = 0; i < size; ++i) {
      const GroupMember member{address, entry.port, entry.fwmark, entry.family};
      if (seen.insert(member).second) members.push_back(member);
      if (i + 1 < size) address = next(address);
    }
  }
  return members;
}

}  // namespace sluice::control::config
