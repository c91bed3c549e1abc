// Golden packets of services that take a mark: classify rules bring them packets to any address and port, which keep
// both. As in worker_test.cc, port 0 faces clients, port 1 servers, port 2 the host's own stack.
#include <gtest/gtest.h>

#include "dataplane/testing/director.h"
#include "dataplane/worker.h"

namespace sluice::dataplane {
namespace {

using testing::Bytes;
using testing::client_side;
using testing::Director;
using testing::endpoint;
using testing::host_side;
using testing::PacketBuilder;
using testing::server_side;
using Sent = std::vector<std::pair<PortId, Bytes>>;

constexpr auto client_mac = "02:00:00:00:01:01", front_mac = "02:00:00:00:00:01", back_mac = "02:00:00:00:00:02",
               server_mac = "02:00:00:00:02:0b";
constexpr std::uint32_t mark = 5;
const net::Endpoint client = endpoint("10.0.1.1", 30010);
const net::Endpoint vip = endpoint("10.0.0.5", 80);
const net::Endpoint other_vip = endpoint("10.0.0.6", 85);

Ipv4Prefix prefix(const char* address, unsigned length) { return {*net::Ipv4Addr::parse(address), length}; }

PacketBuilder in(net::Endpoint to, net::Endpoint from = client) {
  return PacketBuilder().link(client_mac, front_mac).from(from).to(to);
}
PacketBuilder forwarded(net::Endpoint to, net::Endpoint from = client) {
  return PacketBuilder().link(back_mac, server_mac).from(from).to(to).ttl(63);
}
PacketBuilder reply(std::uint16_t port, net::Endpoint to = client) {
  return PacketBuilder().link(server_mac, back_mac).from("10.0.2.11", port).to(to);
}
PacketBuilder out(net::Endpoint from, net::Endpoint to = client) {
  return PacketBuilder().link(front_mac, client_mac).from(from).to(to).ttl(63);
}

void expect_sent(const Sent& sent, PortId port, const Bytes& expected) {
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, port);
  EXPECT_EQ(testing::difference(expected, sent[0].second), "");
}

class Marked : public ::testing::Test {
 protected:
  /// A service of the mark with one real server without a port of its own.
  void use(ForwardMethod method) {
    service = director.add_service(mark);
    destination = director.add_destination(service, endpoint("10.0.2.11", 0), method);
  }
  /// Packets to both VIPs, TCP, ports 80 to 89.
  static ClassifyRule rule() {
    return {.mark = mark,
            .destination = prefix("10.0.0.4", 30),
            .protocol = net::Protocol::tcp,
            .port_first = 80,
            .port_last = 89};
  }
  void TearDown() override { EXPECT_EQ(director.broken_law(), ""); }

  Director director;
  ServiceId service{};
  DestinationId destination{};
};

TEST_F(Marked, NatKeepsThePortAndEachReplyHasTheAddressThatWasAsked) {
  use(ForwardMethod::nat);
  director.classify({rule()});
  for (const net::Endpoint& asked : {vip, other_vip}) {
    const std::uint16_t port = asked.port.host();
    const net::Endpoint server = endpoint("10.0.2.11", port);
    expect_sent(director.send(client_side, in(asked).tcp(net::tcp_syn)), server_side,
                forwarded(server).tcp(net::tcp_syn));
    expect_sent(director.send(server_side, reply(port).tcp(net::tcp_syn | net::tcp_ack)), client_side,
                out(asked).tcp(net::tcp_syn | net::tcp_ack));
    expect_sent(director.send(client_side, in(asked).payload(9).tcp(net::tcp_ack)), server_side,
                forwarded(server).payload(9).tcp(net::tcp_ack));
  }
}

TEST_F(Marked, NatToAPortOfTheRealServersOwn) {
  service = director.add_service(mark);
  director.add_destination(service, endpoint("10.0.2.11", 8080), ForwardMethod::nat);
  director.classify({rule()});
  expect_sent(director.send(client_side, in(other_vip).tcp(net::tcp_syn)), server_side,
              forwarded(endpoint("10.0.2.11", 8080)).tcp(net::tcp_syn));
  expect_sent(director.send(server_side, reply(8080).tcp(net::tcp_ack)), client_side, out(other_vip).tcp(net::tcp_ack));
}

TEST_F(Marked, DirectRoutingLeavesAddressAndPortAlone) {
  use(ForwardMethod::direct);
  director.classify({rule()});
  for (const net::Endpoint& asked : {vip, other_vip}) {
    expect_sent(director.send(client_side, in(asked).tcp(net::tcp_syn)), server_side,
                forwarded(asked).tcp(net::tcp_syn));
  }
}

TEST_F(Marked, WhatNoRuleMatchesIsTheHostsUntouched) {
  use(ForwardMethod::nat);
  ClassifyRule from_one_net = rule();
  from_one_net.source = prefix("10.0.1.0", 24);
  director.classify({from_one_net});
  const Bytes other_source = in(vip, endpoint("10.7.0.1", 30010)).tcp(net::tcp_syn);
  const Bytes other_port = in(endpoint("10.0.0.5", 22)).tcp(net::tcp_syn);
  const Bytes udp = in(vip).udp();
  for (const Bytes& packet : {other_source, other_port, udp}) {
    expect_sent(director.send(client_side, packet), host_side, packet);
  }
}

TEST_F(Marked, WhereThePacketComesInAndItsVlanCount) {
  use(ForwardMethod::direct);
  ClassifyRule from_front = rule();
  from_front.ingress = Ingress{client_side, 1, 7};
  director.classify({from_front});
  const Bytes tagged = in(vip).vlan(7).tcp(net::tcp_syn);
  const Bytes untagged = in(vip).tcp(net::tcp_syn);
  expect_sent(director.send(client_side, untagged), host_side, untagged);
  expect_sent(director.send(server_side, tagged), host_side, tagged);
  expect_sent(director.send(client_side, tagged), server_side, forwarded(vip).tcp(net::tcp_syn));
}

TEST_F(Marked, AMarkComesBeforeTheAddressIfAServiceTakesIt) {
  const auto by_address = director.add_service(net::Protocol::tcp, vip);
  director.add_destination(by_address, endpoint("10.0.2.12", 80), ForwardMethod::direct);
  director.classify({rule()});
  const auto by_address_mac = "02:00:00:00:02:0c";
  expect_sent(director.send(client_side, in(vip).tcp(net::tcp_syn)), server_side,
              forwarded(vip).link(back_mac, by_address_mac).tcp(net::tcp_syn));
  use(ForwardMethod::direct);
  const net::Endpoint another = endpoint("10.0.1.2", 30010);
  expect_sent(director.send(client_side, in(vip, another).tcp(net::tcp_syn)), server_side,
              forwarded(vip, another).tcp(net::tcp_syn));
  // A connection stays where it was.
  expect_sent(director.send(client_side, in(vip).tcp(net::tcp_ack)), server_side,
              forwarded(vip).link(back_mac, by_address_mac).tcp(net::tcp_ack));
}

TEST_F(Marked, ConnectionsOutliveTheirRule) {
  use(ForwardMethod::nat);
  director.classify({rule()});
  director.send(client_side, in(vip).tcp(net::tcp_syn));
  ClassifyRule retired = rule();
  retired.mark = 0;
  director.classify({retired});
  expect_sent(director.send(client_side, in(vip).tcp(net::tcp_ack)), server_side,
              forwarded(endpoint("10.0.2.11", 80)).tcp(net::tcp_ack));
  expect_sent(director.send(server_side, reply(80).tcp(net::tcp_ack)), client_side, out(vip).tcp(net::tcp_ack));
  const Bytes fresh = in(other_vip).tcp(net::tcp_syn);
  expect_sent(director.send(client_side, fresh), host_side, fresh);
}

TEST_F(Marked, WithoutRulesItsPacketsAreTheHosts) {
  use(ForwardMethod::nat);
  director.classify({rule()});
  director.classify({});
  const Bytes request = in(vip).tcp(net::tcp_syn);
  expect_sent(director.send(client_side, request), host_side, request);
}

TEST_F(Marked, WithoutItsServiceItsPacketsAreTheHosts) {
  use(ForwardMethod::nat);
  director.classify({rule()});
  director.remove_service(service);
  const Bytes request = in(vip).tcp(net::tcp_syn);
  expect_sent(director.send(client_side, request), host_side, request);
}

TEST_F(Marked, ClientsMayLieInTheSamePrefixAsTheVirtualAddresses) {
  use(ForwardMethod::nat);
  ClassifyRule all = rule();
  all.destination = prefix("10.0.0.0", 8);
  director.classify({all});
  director.send(client_side, in(vip).tcp(net::tcp_syn));
  expect_sent(director.send(server_side, reply(80).tcp(net::tcp_syn | net::tcp_ack)), client_side,
              out(vip).tcp(net::tcp_syn | net::tcp_ack));
}

TEST_F(Marked, ARealServerMayBeAClient) {
  use(ForwardMethod::nat);
  const net::Endpoint server_as_client = endpoint("10.0.2.12", 40000);
  director.add_destination(service, endpoint("10.0.2.12", 0), ForwardMethod::nat, 0);
  director.classify({rule()});
  expect_sent(director.send(server_side, in(vip, server_as_client).tcp(net::tcp_syn)), server_side,
              forwarded(endpoint("10.0.2.11", 80), server_as_client).tcp(net::tcp_syn));
}

TEST_F(Marked, IcmpErrorsReachTheConnectionOrTheHost) {
  use(ForwardMethod::nat);
  director.classify({rule()});
  const auto router = in(vip, endpoint("10.9.9.9", 0));
  const Bytes known = router.icmp_error(3, 4, PacketBuilder().from(vip).to(client).tcp(net::tcp_ack), 28, 1400);
  expect_sent(director.send(client_side, known), host_side, known);
  director.send(client_side, in(vip).tcp(net::tcp_syn));
  const Sent sent = director.send(client_side, known);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, server_side);
  EXPECT_EQ(director.dropped(DropReason::icmp_without_flow), 0u);
}

TEST_F(Marked, WithoutARealServerTheAddressThatWasAskedIsUnreachable) {
  service = director.add_service(mark);
  director.classify({rule()});
  const Bytes request = in(other_vip).tcp(net::tcp_syn);
  const Sent sent = director.send(client_side, request);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, client_side);
  EXPECT_EQ(director.dropped(DropReason::no_destination), 1u);
  EXPECT_NE(testing::describe(sent[0].second).find("10.0.0.6"), std::string::npos) << testing::describe(sent[0].second);
}

}  // namespace
}  // namespace sluice::dataplane
