// What the host needs to be told so that it takes what comes through the TUN device: packets for 127.0.0.1 (a real
// server on the director itself) may come in there and answers from 127.0.0.0/8 go out there; packets for the virtual
// address that belong to no connection may come in, too.
#pragma once

#include <memory>
#include <string>

#include "net/error.h"

namespace sluice::dataplane {

/// Undone at destruction: the rule is removed; settings and route go with the device.
class TunRouting {
 public:
  /// The routing table, and the rule's preference: after the local table, before main.
  static constexpr unsigned table = 1089;

  /// device: exists, in the calling thread's network namespace. Sets it up, without IPv6, with rp_filter=2,
  /// route_localnet=1 and an address that is used for nothing; adds `ip rule from 127.0.0.0/8 lookup 1089` and a
  /// default route in that table. A rule left behind by a crash is taken over.
  static Result<std::unique_ptr<TunRouting>> set_up(const std::string& device);
  ~TunRouting();
  TunRouting(const TunRouting&) = delete;
  TunRouting& operator=(const TunRouting&) = delete;

 private:
  TunRouting() = default;
};

}  // namespace sluice::dataplane
