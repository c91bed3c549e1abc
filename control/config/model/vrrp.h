// VRRP instances and what belongs to them.
#pragma once

#include <string>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

/// One line of virtual_ipaddress or virtual_ipaddress_excluded.
struct VirtualAddress {
  Position position;
  net::IpAddr address;
  unsigned prefix_length = 32;
  std::string interface;  ///< dev, or the instance's; may be empty

  bool operator==(const VirtualAddress&) const = default;
};

/// As much of a vrrp_instance as the engine needs to choose its interfaces.
struct VrrpInstance {
  Position position;
  std::string name;
  std::string interface;  ///< may be empty
  std::vector<VirtualAddress> addresses;

  bool operator==(const VrrpInstance&) const = default;
};

}  // namespace sluice::control::config
