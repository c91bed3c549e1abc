// virtual_server_group: several addresses and fwmarks under one name, kept as they were written.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model/common.h"
#include "net/error.h"

namespace sluice::control::config {

enum class Family : std::uint8_t { v4, v6 };

[[nodiscard]] inline Family family_of(const net::IpAddr& address) { return address.is_v6() ? Family::v6 : Family::v4; }

/// One line of a group.
struct GroupEntry {
  enum class Form : std::uint8_t {
    address,    ///< IP
    last_part,  ///< IP-LASTPART: the last byte runs on (IPv6: the last 16 bits)
    range,      ///< IP-IP
    network,    ///< NET/LEN
    fwmark      ///< fwmark N [inet|inet6]
  };
  Position position;
  Form form = Form::address;
  net::IpAddr first;
  net::IpAddr last;            ///< of last_part and range; not below first, of its family
  unsigned prefix_length = 0;  ///< of a network
  net::L4Port port{};          ///< zero: none
  std::uint32_t fwmark = 0;
  std::optional<Family> family;  ///< of a fwmark, if given

  bool operator==(const GroupEntry&) const = default;
};

struct VirtualServerGroup {
  Position position;
  std::string name;
  std::vector<GroupEntry> entries;  ///< in the order of the file; never empty

  bool operator==(const VirtualServerGroup&) const = default;
};

/// What one service stands for: an address with a port (or without), or a fwmark.
struct GroupMember {
  net::IpAddr address;
  net::L4Port port{};
  std::uint32_t fwmark = 0;      ///< not 0: address and port mean nothing
  std::optional<Family> family;  ///< of a fwmark, if given

  auto operator<=>(const GroupMember&) const = default;
};

/// One group's services; more would be a slip of a prefix length rather than a wish.
inline constexpr std::size_t group_members_max = 65536;

/// How many services the entry stands for; saturates above group_members_max.
[[nodiscard]] std::size_t size_of(const GroupEntry& entry);
/// Every service of the group in the order of the file, each once. Fails above group_members_max.
[[nodiscard]] Result<std::vector<GroupMember>> expand(const VirtualServerGroup& group);

}  // namespace sluice::control::config
