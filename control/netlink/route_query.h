// Asks the kernel, on the spot: which way it would send to an address, and to resolve or confirm a neighbour. rtnetlink
// works on a request while it is being sent, so the answer is there when send() returns, and nothing waits.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "control/netlink/objects.h"
#include "control/netlink/route_decision.h"
#include "control/netlink/socket.h"
#include "net/error.h"

struct nlmsghdr;

namespace sluice::control::netlink {

/// Owned by one thread. Every call costs some microseconds; the neighbour calls wait for the kernel's RTNL lock.
class RouteQuery {
 public:
  static Result<RouteQuery> open();

  /// The kernel's decision, a refusal included. An error only when the kernel couldn't be asked.
  Result<RouteDecision> decide(const net::IpAddr& address);
  /// Makes the kernel ask the network for the neighbour, as a packet for it would (RTM_NEWNEIGH, NTF_USE).
  Result<> resolve(const NeighbourKey& key);
  /// Makes the kernel ask a stale neighbour directly whether it is still there (RTM_NEWNEIGH, NUD_PROBE).
  Result<> probe(const NeighbourKey& key);

 private:
  explicit RouteQuery(Socket socket) : socket_(std::move(socket)) {}
  /// Sends, then looks for the first message with `sequence` of which take() makes something.
  template <typename Take>
  auto exchange(const std::vector<std::uint8_t>& request, std::uint32_t sequence, Take&& take)
      -> Result<typename std::invoke_result_t<Take, const nlmsghdr&>::value_type>;
  Result<> acknowledged(const std::vector<std::uint8_t>& request, std::uint32_t sequence);

  Socket socket_;
};

}  // namespace sluice::control::netlink
