// The two ICMP messages of PING_CHECK: echo request and echo reply, for both families (RFC 792, RFC 4443 4). Pure, so
// it can be fuzzed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::health {

struct EchoId {
  bool v6 = false;
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
};

/// With the checksum filled in for IPv4; the kernel does IPv6's.
[[nodiscard]] std::vector<std::uint8_t> echo_request(const EchoId& id);

/// Whether `message` answers it. raw: from a raw socket, so that IPv4 begins with its IP header and the identifier is
/// ours; otherwise the kernel chose the identifier and has compared it.
[[nodiscard]] bool is_echo_reply(std::span<const std::uint8_t> message, const EchoId& id, bool raw);

}  // namespace sluice::health
