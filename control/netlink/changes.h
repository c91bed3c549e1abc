// What we have the kernel change: addresses, at first. Values become rtnetlink requests here (pure), and a Changer has
// them carried out. What is there already, and who wants it there, is others' business.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/netlink/messages.h"
#include "control/netlink/objects.h"
#include "control/netlink/socket.h"
#include "net/error.h"

namespace sluice::control::netlink {

/// An address as `ip address add` takes it.
struct NewAddress {
  InterfaceAddress address;
  std::optional<net::Ipv4Addr> broadcast;
  std::string label;       ///< IPv4 only; empty: none
  std::uint8_t scope = 0;  ///< RT_SCOPE_*
  std::optional<Prefix> peer;
  std::optional<std::chrono::seconds> preferred_lifetime;  ///< nothing: forever
  std::uint32_t flags = 0;                                 ///< IFA_F_*

  bool operator==(const NewAddress& other) const {
    return address == other.address && broadcast == other.broadcast && label == other.label && scope == other.scope &&
           peer == other.peer && preferred_lifetime == other.preferred_lifetime && flags == other.flags;
  }
};

[[nodiscard]] Bytes add_address_request(const NewAddress& address);
[[nodiscard]] Bytes remove_address_request(const NewAddress& address);

/// Carries requests out and waits for the kernel's word on each; some microseconds apiece. Not thread-safe.
class Changer {
 public:
  static Result<Changer> open();

  /// The errno of each request, 0 where it was done, in their order. Their sequence numbers are replaced.
  [[nodiscard]] std::vector<int> apply(std::span<Bytes> requests);
  [[nodiscard]] int apply(Bytes request);

 private:
  explicit Changer(Socket socket) : socket_(std::move(socket)) {}
  Socket socket_;
};

}  // namespace sluice::control::netlink
