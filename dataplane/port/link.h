// What a port needs to know of a network interface before it opens it.
#pragma once

#include <string>

#include "net/address.h"
#include "net/error.h"

namespace sluice::dataplane {

struct LinkInfo {
  int index = 0;
  unsigned mtu = 0;  ///< bytes of layer 3
  net::MacAddr mac{};
  unsigned queues = 1;  ///< that AF_XDP can bind: pairs of receive and transmit queues
};

/// Looks in the network namespace of the calling thread.
[[nodiscard]] Result<LinkInfo> link_info(const std::string& name);

}  // namespace sluice::dataplane
