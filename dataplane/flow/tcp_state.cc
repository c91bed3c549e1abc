#include "dataplane/flow/tcp_state.h"

#include "net/headers.h"

namespace sluice::dataplane {

namespace {

constexpr TcpState ES = TcpState::established, SS = TcpState::syn_sent, SR = TcpState::syn_recv,
                   FW = TcpState::fin_wait, TW = TcpState::time_wait, CL = TcpState::close, CW = TcpState::close_wait,
                   LA = TcpState::last_ack, LI = TcpState::listen;

enum Event { event_syn, event_fin, event_ack, event_rst, events };

using Row = std::array<TcpState, tcp_states>;

// Columns: the current state, in TcpState's order.
constexpr std::array<std::array<Row, events>, 3> table = {{
    {{
        /*                 NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA */
        /* in SYN */ Row{SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR},
        /* in FIN */ Row{CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW},
        /* in ACK */ Row{ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES},
        /* in RST */ Row{CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR},
    }},
    {{
        /* out SYN */ Row{SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR},
        /* out FIN */ Row{TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW},
        /* out ACK */ Row{ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES},
        /* out RST */ Row{CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL},
    }},
    {{
        /* in-only SYN */ Row{SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR},
        /* in-only FIN */ Row{CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW},
        /* in-only ACK */ Row{ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES},
        /* in-only RST */ Row{CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL},
    }},
}};

constexpr std::array<std::string_view, tcp_states> names = {"NONE",     "ESTABLISHED", "SYN_SENT", "SYN_RECV",
                                                            "FIN_WAIT", "TIME_WAIT",   "CLOSE",    "CLOSE_WAIT",
                                                            "LAST_ACK", "LISTEN",      "SYNACK"};

}  // namespace

TcpState next_state(TcpState state, FlowDirection direction, std::uint8_t tcp_flags) {
  Event event;
  if ((tcp_flags & net::tcp_rst) != 0)
    event = event_rst;
  else if ((tcp_flags & net::tcp_syn) != 0)
    event = event_syn;
  else if ((tcp_flags & net::tcp_fin) != 0)
    event = event_fin;
  else if ((tcp_flags & net::tcp_ack) != 0)
    event = event_ack;
  else
    return TcpState::close;
  return table[static_cast<std::size_t>(direction)][event][static_cast<std::size_t>(state)];
}

std::string_view state_name(net::Protocol protocol, TcpState state) {
  if (protocol == net::Protocol::udp) return "UDP";
  return names[static_cast<std::size_t>(state)];
}

}  // namespace sluice::dataplane
