// TCP (and UDP) as a director sees it: IPVS's states, its transition tables, its timeouts. Pure tables.
// Source: behaviour of Linux 6.1's IPVS, checked against the running kernel.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "net/address.h"

namespace sluice::dataplane {

/// Numbers are IPVS's (they travel in its sync messages).
enum class TcpState : std::uint8_t {
  none = 0,
  established = 1,
  syn_sent = 2,
  syn_recv = 3,
  fin_wait = 4,
  time_wait = 5,
  close = 6,
  close_wait = 7,
  last_ack = 8,
  listen = 9,
  synack = 10,
};
inline constexpr std::size_t tcp_states = 11;

enum class FlowDirection : std::uint8_t {
  in = 0,       ///< client to server, replies are seen as well (NAT)
  out = 1,      ///< server to client
  in_only = 2,  ///< client to server, replies don't pass the director (DR, TUN)
};

/// The state after a packet with these TCP flags. RST counts before SYN before FIN before ACK; a packet with none
/// of them closes the connection. No sequence numbers are looked at.
[[nodiscard]] TcpState next_state(TcpState state, FlowDirection direction, std::uint8_t tcp_flags);

/// Counted in a destination's active connections: ESTABLISHED, SYN_SENT, SYN_RECV, SYNACK. UDP never is.
[[nodiscard]] constexpr bool is_active(TcpState state) {
  return state == TcpState::established || state == TcpState::syn_sent || state == TcpState::syn_recv ||
         state == TcpState::synack;
}

/// "ESTABLISHED", "SYN_RECV" ... as ipvsadm -Lc prints them; "UDP" for UDP.
[[nodiscard]] std::string_view state_name(net::Protocol protocol, TcpState state);

/// Seconds per state; defaults of IPVS. tcp, tcpfin and udp can be set (`ipvsadm --set`, lvs_timeouts).
struct Timeouts {
  std::array<std::uint32_t, tcp_states> tcp_s = {2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120};
  std::uint32_t udp_s = 300;

  [[nodiscard]] std::uint32_t of(net::Protocol protocol, TcpState state) const {
    return protocol == net::Protocol::tcp ? tcp_s[static_cast<std::size_t>(state)] : udp_s;
  }
};

}  // namespace sluice::dataplane
