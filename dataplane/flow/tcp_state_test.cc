#include "dataplane/flow/tcp_state.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/headers.h"

namespace sluice::dataplane {
namespace {

struct Step {
  FlowDirection direction;
  std::uint8_t flags;
  std::string_view state;
  std::uint32_t timeout_s;
};

constexpr auto in = FlowDirection::in, out = FlowDirection::out, in_only = FlowDirection::in_only;

void walk(const std::vector<Step>& steps) {
  TcpState state = TcpState::none;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    state = next_state(state, steps[i].direction, steps[i].flags);
    EXPECT_EQ(state_name(net::Protocol::tcp, state), steps[i].state) << "step " << i;
    EXPECT_EQ(Timeouts{}.of(net::Protocol::tcp, state), steps[i].timeout_s) << "step " << i;
  }
}

// The walks are those seen on a running kernel's IPVS.
TEST(TcpState, NatClientCloses) {
  walk({{in, net::tcp_syn, "SYN_RECV", 60},
        {out, net::tcp_syn | net::tcp_ack, "SYN_RECV", 60},
        {in, net::tcp_ack, "ESTABLISHED", 900},
        {in, net::tcp_fin | net::tcp_ack, "CLOSE_WAIT", 60},
        {out, net::tcp_ack, "CLOSE_WAIT", 60},
        {out, net::tcp_fin | net::tcp_ack, "TIME_WAIT", 120},
        {in, net::tcp_ack, "TIME_WAIT", 120}});
}

TEST(TcpState, NatServerCloses) {
  walk({{in, net::tcp_syn, "SYN_RECV", 60},
        {in, net::tcp_ack, "ESTABLISHED", 900},
        {out, net::tcp_fin | net::tcp_ack, "FIN_WAIT", 120},
        {in, net::tcp_ack, "FIN_WAIT", 120},
        {in, net::tcp_fin | net::tcp_ack, "TIME_WAIT", 120}});
}

TEST(TcpState, NatServerRefuses) {
  walk({{in, net::tcp_syn, "SYN_RECV", 60}, {out, net::tcp_rst | net::tcp_ack, "CLOSE", 10}});
}

TEST(TcpState, DirectRoutingSeesOneSide) {
  walk({{in_only, net::tcp_syn, "SYN_RECV", 60},
        {in_only, net::tcp_ack, "ESTABLISHED", 900},
        {in_only, net::tcp_fin | net::tcp_ack, "FIN_WAIT", 120},
        {in_only, net::tcp_ack, "FIN_WAIT", 120},
        {in_only, net::tcp_syn, "SYN_RECV", 60}});
}

TEST(TcpState, AClientsResetLeavesSynRecv) {
  walk({{in, net::tcp_syn, "SYN_RECV", 60}, {in, net::tcp_rst, "SYN_RECV", 60}});
}

TEST(TcpState, ASynLeavesEstablished) {
  walk({{in, net::tcp_syn, "SYN_RECV", 60},
        {in, net::tcp_ack, "ESTABLISHED", 900},
        {in, net::tcp_syn, "ESTABLISHED", 900}});
}

TEST(TcpState, APacketWithoutAnyFlagCloses) {
  EXPECT_EQ(next_state(TcpState::established, in, 0), TcpState::close);
  EXPECT_EQ(next_state(TcpState::established, in, net::tcp_psh), TcpState::close);
}

TEST(TcpState, ActiveIsWhatIpvsCountsAsActive) {
  std::string active;
  for (std::size_t i = 0; i < tcp_states; ++i) active += is_active(TcpState(i)) ? '1' : '0';
  EXPECT_EQ(active, "01110000001");
}

}  // namespace
}  // namespace sluice::dataplane
