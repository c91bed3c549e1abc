// The door to the host's own stack, with a real listener on 127.0.0.1 behind it, in a network namespace of the test's
// own.
#include "dataplane/port/tun.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/port/memory.h"
#include "dataplane/port/private_network.h"
#include "net/headers.h"

namespace sluice::dataplane {
namespace {

using testing::Bytes;
using testing::endpoint;
using testing::PacketBuilder;
using testing::PrivateNetwork;

constexpr PortId tun_port{3};
const auto client = endpoint("192.0.2.7", 30010);
const auto listener = endpoint("127.0.0.1", 8080);

class TunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = PrivateNetwork::why_not(); !why.empty()) GTEST_SKIP() << why;
    if (access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun";
    network_.emplace();
    // Clients come over another interface, as they do on a director: the host needs a route back to them.
    network_->wire("dir", "peer");
    network_->run("ip addr add 192.0.2.1/24 dev dir");
    network_->run("sysctl -qw net.ipv4.conf.all.rp_filter=1");
  }

  Frame frame_of(const Bytes& bytes) {
    Frame frame;
    EXPECT_EQ(pool_.allocate({&frame, 1}), 1u);
    std::ranges::copy(bytes, frame.data);
    frame.length = static_cast<std::uint16_t>(bytes.size());
    return frame;
  }

  /// From whichever queue it comes out of.
  std::optional<Bytes> receive(std::span<const std::unique_ptr<Port>> ports) {
    std::vector<pollfd> waiting;
    for (const auto& port : ports) waiting.push_back({.fd = port->wait_fd(), .events = POLLIN, .revents = 0});
    if (poll(waiting.data(), waiting.size(), 2000) < 1) return std::nullopt;
    Frame frame;
    for (const auto& port : ports) {
      if (port->receive({&frame, 1}) != 1) continue;
      EXPECT_EQ(frame.port, tun_port);
      EXPECT_GE(frame.headroom, headroom_min);
      const Bytes bytes(frame.data, frame.data + frame.length);
      pool_.release({&frame, 1});
      return bytes;
    }
    return std::nullopt;
  }

  std::optional<PrivateNetwork> network_;
  MemoryPool pool_{64};
  std::array<FramePool*, 2> pools_{&pool_, &pool_};
};

int listen_on(net::Endpoint where) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = where.address.value.raw();
  address.sin_port = where.port.value.raw();
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd, 5), 0);
  return fd;
}

TEST_F(TunTest, AListenerOnLoopbackAnswersAndTheAnswerComesBack) {
  auto ports = open_tun(tun_port, pools_);
  ASSERT_TRUE(ports) << ports.error().text();
  ASSERT_EQ(ports->size(), 2u);
  const int fd = listen_on(listener);
  auto from = client;
  for (const std::uint16_t vlan : {0, 7}) {
    for (auto& port : *ports) {
      from.port = net::L4Port::of(from.port.host() + 1);
      const Frame frame = frame_of(PacketBuilder().from(from).to(listener).vlan(vlan).tcp(net::tcp_syn));
      ASSERT_EQ(port->transmit({&frame, 1}), 1u);
      const auto answer = receive(*ports);
      ASSERT_TRUE(answer) << "vlan " << vlan << ", queue " << port->status().queue;
      const auto link = net::load<net::EthernetHeader>(answer->data());
      EXPECT_TRUE(link.source.is_zero() && link.destination.is_zero());
      EXPECT_EQ(link.ether_type, net::ether_type_ipv4);
      const auto ip = net::load<net::Ipv4Header>(answer->data() + 14);
      EXPECT_EQ(ip.source, listener.address);
      EXPECT_EQ(ip.destination, client.address);
      const auto tcp = net::load<net::TcpHeader>(answer->data() + 34);
      EXPECT_EQ(tcp.source, listener.port);
      EXPECT_EQ(tcp.destination, from.port);
      EXPECT_EQ(tcp.flags & (net::tcp_syn | net::tcp_ack), net::tcp_syn | net::tcp_ack) << testing::describe(*answer);
    }
  }
  close(fd);
  EXPECT_EQ(pool_.outstanding(), 0u);
}

TEST_F(TunTest, WhatIsNotIpIsRefusedAndItsFrameComesBack) {
  auto ports = open_tun(tun_port, pools_);
  ASSERT_TRUE(ports) << ports.error().text();
  auto& tun = static_cast<TunPort&>(*ports->front());
  auto arp = PacketBuilder().from(client).to(listener).tcp(net::tcp_syn);
  arp[13] = 0x06;
  for (const auto& bytes : {arp, Bytes(13), Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0x00, 0}}) {
    const Frame frame = frame_of(bytes);
    EXPECT_EQ(tun.transmit({&frame, 1}), 1u);
  }
  EXPECT_EQ(tun.lost(), 3u);
  EXPECT_EQ(pool_.outstanding(), 0u);
  Frame none;
  EXPECT_EQ(tun.receive({&none, 1}), 0u);
  EXPECT_EQ(pool_.outstanding(), 0u);
}

TEST_F(TunTest, RuleRouteAndSettingsAreThereWhileItIsOpenAndGoneAfter) {
  {
    const auto ports = open_tun(tun_port, pools_);
    ASSERT_TRUE(ports) << ports.error().text();
    EXPECT_NE(PrivateNetwork::output("ip rule").find("1089:\tfrom 127.0.0.0/8 lookup 1089"), std::string::npos);
    EXPECT_NE(PrivateNetwork::output("ip route show table 1089").find("default dev sluice0"), std::string::npos);
    EXPECT_EQ(PrivateNetwork::output("cat /proc/sys/net/ipv4/conf/sluice0/{rp_filter,route_localnet} 2>/dev/null || "
                                     "cat /proc/sys/net/ipv4/conf/sluice0/rp_filter "
                                     "/proc/sys/net/ipv4/conf/sluice0/route_localnet"),
              "2\n1\n");
  }
  EXPECT_EQ(PrivateNetwork::output("ip rule").find("1089"), std::string::npos);
  EXPECT_EQ(PrivateNetwork::output("ip link show sluice0 2>/dev/null"), "");
}

TEST_F(TunTest, ARuleLeftBehindByACrashIsTakenOver) {
  network_->run("ip rule add pref 1089 from 127.0.0.0/8 lookup 1089");
  {
    const auto ports = open_tun(tun_port, pools_);
    ASSERT_TRUE(ports) << ports.error().text();
  }
  EXPECT_EQ(PrivateNetwork::output("ip rule").find("1089"), std::string::npos);
}

TEST_F(TunTest, WithoutPermissionTheErrorSaysSo) {
  ASSERT_EQ(seteuid(65534), 0);
  const auto ports = open_tun(tun_port, pools_);
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_FALSE(ports);
  EXPECT_NE(ports.error().text().find("sluice0: no permission to make it"), std::string::npos) << ports.error().text();
}

TEST_F(TunTest, ANameThatIsTakenIsAnError) {
  network_->run("ip link add sluice0 type veth peer name other");
  const auto ports = open_tun(tun_port, pools_);
  ASSERT_FALSE(ports);
  EXPECT_NE(ports.error().text().find("isn't ours"), std::string::npos) << ports.error().text();
}

}  // namespace
}  // namespace sluice::dataplane
