// Why a packet went nowhere. The one list from which come the counters, the names that sluicectl and the metrics
// show, and the table in docs/operations.md. A packet is dropped under exactly one reason.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::dataplane {

// name, meaning for the operator
#define SLUICE_DROP_REASONS(X)                                                                                 \
  X(truncated, "shorter than its own headers say")                                                             \
  X(not_ipv4, "neither IPv4 nor IPv4 in one VLAN tag")                                                         \
  X(bad_ipv4_header, "version, header length or total length make no sense")                                   \
  X(bad_ipv4_checksum, "IPv4 header checksum is wrong")                                                        \
  X(martian, "a source that no host may have: loopback, multicast, broadcast, 0/8, or the destination itself") \
  X(fragment, "an IPv4 fragment (not supported yet)")                                                          \
  X(unknown_protocol, "neither TCP, UDP nor an ICMP error")                                                    \
  X(bad_tcp_header, "TCP header length makes no sense")                                                        \
  X(bad_icmp, "ICMP error with a wrong checksum or without a usable embedded packet")                          \
  X(icmp_without_flow, "ICMP error about a connection that isn't known")                                       \
  X(ttl_exceeded, "TTL is used up; answered with time exceeded")                                               \
  X(no_destination, "no real server is available; answered with port unreachable")                             \
  X(destination_removed, "the connection's real server was removed")                                           \
  X(next_hop_unresolved, "no route or no neighbour for the real server")                                       \
  X(too_big, "larger than the next link with don't-fragment set; answered with fragmentation needed")          \
  X(too_big_to_fragment, "larger than the next link and not sent on in fragments (not supported yet)")         \
  X(flow_table_full, "no room for a new connection")                                                           \
  X(flow_bucket_full, "too many connections from one client address and port")                                 \
  X(transmit_full, "the port's transmit queue was full")                                                       \
  X(hand_over_full, "the ring to the worker that owns the connection was full")                                \
  X(host_unavailable, "was for the host's own stack, but there is no way to it")                               \
  X(host_rate_limited, "was for the host's own stack, but too many already were")                              \
  X(host_reply_without_flow, "came from the host's own stack and belongs to no connection")                    \
  X(icmp_rate_limited, "would have been answered with an ICMP error, but too many already were")

enum class DropReason : std::uint8_t {
#define SLUICE_NAME(name, meaning) name,
  SLUICE_DROP_REASONS(SLUICE_NAME)
#undef SLUICE_NAME
};

inline constexpr std::array drop_reason_names = {
#define SLUICE_TEXT(name, meaning) std::string_view(#name),
    SLUICE_DROP_REASONS(SLUICE_TEXT)
#undef SLUICE_TEXT
};

inline constexpr std::size_t drop_reasons = drop_reason_names.size();

[[nodiscard]] constexpr std::string_view to_string(DropReason reason) {
  return drop_reason_names[static_cast<std::size_t>(reason)];
}

}  // namespace sluice::dataplane
