// What checkers that speak in datagrams share: a connected UDP or ICMP socket whose ICMP errors are read as errors, one
// datagram out, datagrams in until a deadline. What a datagram means is each checker's own business.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "health/probe.h"
#include "health/spec.h"

namespace sluice::health {

/// Opens `socket`, which must be closed, for UDP towards to.address and to.port. Only datagrams and ICMP errors of that
/// peer come back. Nothing if all is well; classified as for TCP.
[[nodiscard]] std::optional<ProbeResult> open_udp(Socket& socket, const Connect& to);

/// The same for ICMP echo (to.port is ignored).
struct IcmpSocket {
  /// A raw socket: IPv4 answers begin with their IP header, and every ICMP message of the peer comes in. Otherwise the
  /// kernel sets the identifier and passes on only the answers to it.
  bool raw = false;
  std::optional<ProbeResult> problem;
};
[[nodiscard]] IcmpSocket open_icmp(Socket& socket, const Connect& to);

/// Nothing if it was sent.
[[nodiscard]] std::optional<ProbeResult> send_datagram(Socket& socket, std::span<const std::uint8_t> bytes);

/// The next datagram, or why there is none.
struct Received {
  std::optional<std::size_t> size;  ///< of the whole datagram, more than the buffer if it was cut; nothing: none came
  std::string error;                ///< what the network says of the peer; empty and no size: the deadline has passed
};

/// Waits for one datagram until `deadline`, and puts as much of it into `buffer` as there is room for.
Task<Received> receive_datagram(Socket& socket, std::span<std::uint8_t> buffer,
                                std::chrono::steady_clock::time_point deadline);

}  // namespace sluice::health
