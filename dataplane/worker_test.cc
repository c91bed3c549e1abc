// Golden packets: what goes in, what must come out, every byte compared. What a real kernel's IPVS was seen to do is
// the measure. Port 0 faces clients, port 1 servers, port 2 the host's own stack (testing/director.h).
#include "dataplane/worker.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/testing/director.h"
#include "net/checksum.h"

namespace sluice::dataplane {
namespace {

using testing::Bytes;
using testing::client_side;
using testing::Director;
using testing::DirectorOptions;
using testing::endpoint;
using testing::host_side;
using testing::PacketBuilder;
using testing::server_side;
using Sent = std::vector<std::pair<PortId, Bytes>>;

constexpr auto client_mac = "02:00:00:00:01:01", front_mac = "02:00:00:00:00:01", back_mac = "02:00:00:00:00:02",
               server_mac = "02:00:00:00:02:0b";
const net::Endpoint client = endpoint("10.0.1.1", 30010);
const net::Endpoint vip = endpoint("10.0.0.5", 80);
const net::Endpoint server = endpoint("10.0.2.11", 8080);

PacketBuilder from_client() { return PacketBuilder().link(client_mac, front_mac).from(client).to(vip); }
PacketBuilder to_server() { return PacketBuilder().link(back_mac, server_mac).from(client).to(server).ttl(63); }
PacketBuilder from_server() { return PacketBuilder().link(server_mac, back_mac).from(server).to(client); }
PacketBuilder to_client() { return PacketBuilder().link(front_mac, client_mac).from(vip).to(client).ttl(63); }

void expect_sent(const Sent& sent, PortId port, const Bytes& expected) {
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, port);
  EXPECT_EQ(testing::difference(expected, sent[0].second), "");
}

class Golden : public ::testing::Test {
 protected:
  void use(ForwardMethod method, net::Protocol protocol = net::Protocol::tcp) {
    service = director.add_service(protocol, vip);
    const net::Endpoint address = method == ForwardMethod::nat ? server : net::Endpoint{server.address, vip.port};
    destination = director.add_destination(service, address, method);
  }
  void TearDown() override { EXPECT_EQ(director.broken_law(), ""); }

  Director director;
  ServiceId service{};
  DestinationId destination{};
};

TEST(Flood, OfSynsLeavesRoomForOthersAndConnectionsAlone) {
  Director director({.connections = FlowTable::capacity_min});
  director.add_destination(director.add_service(net::Protocol::tcp, vip), {server.address, vip.port},
                           ForwardMethod::direct);
  const auto syn = [&](std::uint32_t source) {
    return PacketBuilder()
        .link(client_mac, front_mac)
        .from({net::Ipv4Addr::from_host(source), client.port})
        .to(vip)
        .tcp(net::tcp_syn);
  };
  director.send(client_side, from_client().tcp(net::tcp_syn));
  director.send(client_side, from_client().tcp(net::tcp_ack));
  const std::size_t capacity = director.worker().flows().capacity();
  for (std::uint32_t i = 0; i < 3 * capacity; ++i) {
    ASSERT_EQ(director.send(client_side, syn(0x0a800000 + i)).size(), 1u) << i;
  }
  EXPECT_LT(director.worker().flows().size(), capacity);
  EXPECT_GT(director.worker().view().counters->flows_evicted.read(), capacity);
  EXPECT_EQ(director.send(client_side, from_client().tcp(net::tcp_ack)).size(), 1u);
  EXPECT_EQ(director.broken_law(), "");
}

// --- NAT

TEST_F(Golden, NatTranslatesBothDirections) {
  use(ForwardMethod::nat);
  expect_sent(director.send(client_side, from_client().tos(0x12).tcp(net::tcp_syn)), server_side,
              to_server().tos(0x12).tcp(net::tcp_syn));
  expect_sent(director.send(server_side, from_server().tcp(net::tcp_syn | net::tcp_ack)), client_side,
              to_client().tcp(net::tcp_syn | net::tcp_ack));
  expect_sent(director.send(client_side, from_client().payload(100).tcp(net::tcp_ack)), server_side,
              to_server().payload(100).tcp(net::tcp_ack));
}

TEST_F(Golden, NatRepliesGoBackToTheNeighbourTheyCameFrom) {
  use(ForwardMethod::nat);
  director.send(client_side, from_client().tcp(net::tcp_syn));
  // The client's router fails over: its packets come from another MAC, in a VLAN, and replies follow.
  director.send(client_side, from_client().link("02:00:00:00:01:99", front_mac).vlan(7).tcp(net::tcp_ack));
  expect_sent(director.send(server_side, from_server().tcp(net::tcp_ack)), client_side,
              to_client().link(front_mac, "02:00:00:00:01:99").vlan(7).tcp(net::tcp_ack));
}

TEST_F(Golden, NatOfUdpKeepsAZeroChecksumAndUpdatesOthers) {
  use(ForwardMethod::nat, net::Protocol::udp);
  for (const std::size_t payload : {0u, 1u, 2u, 17u, 1472u}) {
    for (const bool with_checksum : {true, false}) {
      expect_sent(director.send(client_side, from_client().payload(payload).udp(with_checksum)), server_side,
                  to_server().payload(payload).udp(with_checksum));
      expect_sent(director.send(server_side, from_server().payload(payload).udp(with_checksum)), client_side,
                  to_client().payload(payload).udp(with_checksum));
    }
  }
}

TEST_F(Golden, NatOfUdpWritesFfffWhereTheChecksumBecomesZero) {
  use(ForwardMethod::nat, net::Protocol::udp);
  int seen = 0;
  // The sum runs through all values with the client's port; one of them gives a computed zero.
  for (std::uint32_t port = 1; port < 65536 && seen == 0; ++port) {
    const auto p = std::uint16_t(port);
    const Bytes expected = to_server().from("10.0.1.1", p).udp();
    if (net::load<net::Be16>(expected.data() + 40).host() != 0xffff) continue;
    ++seen;
    expect_sent(director.send(client_side, from_client().from("10.0.1.1", p).udp()), server_side, expected);
  }
  EXPECT_EQ(seen, 1);
}

TEST_F(Golden, NatKeepsIpOptionsAndPadding) {
  use(ForwardMethod::nat);
  const Bytes router_alert = {0x94, 0x04, 0x00, 0x00};
  const Bytes longest(40, 0x01);
  for (const Bytes& options : {router_alert, longest}) {
    expect_sent(director.send(client_side, from_client().options(options).tcp(net::tcp_syn)), server_side,
                to_server().options(options).tcp(net::tcp_syn));
  }
  expect_sent(director.send(client_side, from_client().pad_to(60).tcp(net::tcp_ack)), server_side,
              to_server().pad_to(60).tcp(net::tcp_ack));
}

TEST_F(Golden, NatReachesAServerInAVlan) {
  use(ForwardMethod::nat);
  director.edit(destination, [](Destination& d) { d.next_hop.vlan = 42; });
  expect_sent(director.send(client_side, from_client().tcp(net::tcp_syn)), server_side,
              to_server().vlan(42).tcp(net::tcp_syn));
  expect_sent(director.send(server_side, from_server().vlan(42).tcp(net::tcp_ack)), client_side,
              to_client().tcp(net::tcp_ack));
}

TEST_F(Golden, NatTranslatesIcmpErrorsFromTheClientsSide) {
  use(ForwardMethod::nat);
  director.send(client_side, from_client().tcp(net::tcp_syn));
  // A router on the way to the client complains about a reply of ours.
  const Bytes complaint = PacketBuilder()
                              .link(client_mac, front_mac)
                              .from("10.9.9.9", 0)
                              .to(vip)
                              .icmp_error(3, 4, to_client().payload(600).tcp(net::tcp_ack), 576, 1400);
  const Bytes expected =
      PacketBuilder()
          .link(back_mac, server_mac)
          .from("10.9.9.9", 0)
          .to(server)
          .ttl(63)
          .icmp_error(3, 4, PacketBuilder().from(server).to(client).ttl(63).payload(600).tcp(net::tcp_ack), 576, 1400);
  Sent sent = director.send(client_side, complaint);
  ASSERT_EQ(sent.size(), 1u);
  // IPVS leaves the embedded TCP checksum as it was: put the translated one there before comparing.
  const std::size_t embedded_checksum = 14 + 20 + 8 + 20 + 16;
  Bytes& actual = sent[0].second;
  EXPECT_EQ(net::load<net::Be16>(&actual[embedded_checksum]), net::load<net::Be16>(&complaint[embedded_checksum]));
  EXPECT_EQ(net::checksum_sum(&actual[34], actual.size() - 34), 0xffff);
  net::ChecksumDelta delta;
  delta.replace(net::load<net::Be16>(&actual[embedded_checksum]), net::load<net::Be16>(&expected[embedded_checksum]));
  net::store(&actual[embedded_checksum], net::load<net::Be16>(&expected[embedded_checksum]));
  net::store(&actual[36], delta.apply(net::load<net::Be16>(&actual[36])));
  EXPECT_EQ(testing::difference(expected, actual), "");
}

TEST_F(Golden, NatTranslatesIcmpErrorsFromTheServersSideToComeFromTheVirtualAddress) {
  use(ForwardMethod::nat);
  director.send(client_side, from_client().tcp(net::tcp_syn));
  const Bytes complaint = PacketBuilder()
                              .link(server_mac, back_mac)
                              .from("10.0.2.77", 0)
                              .to(client)
                              .icmp_error(3, 1, to_server().tcp(net::tcp_syn), 28);
  const Bytes expected = PacketBuilder()
                             .link(front_mac, client_mac)
                             .from(vip)
                             .to(client)
                             .ttl(63)
                             .icmp_error(3, 1, PacketBuilder().from(client).to(vip).ttl(63).tcp(net::tcp_syn), 28);
  expect_sent(director.send(server_side, complaint), client_side, expected);
}

// --- DR

TEST_F(Golden, DirectRoutingChangesMacsAndTtlOnly) {
  use(ForwardMethod::direct);
  const auto expected = [] { return PacketBuilder().link(back_mac, server_mac).from(client).to(vip).ttl(63); };
  expect_sent(director.send(client_side, from_client().tcp(net::tcp_syn)), server_side, expected().tcp(net::tcp_syn));
  expect_sent(director.send(client_side, from_client().payload(1460).tcp(net::tcp_ack)), server_side,
              expected().payload(1460).tcp(net::tcp_ack));
  expect_sent(director.send(client_side, from_client().vlan(9).tcp(net::tcp_ack)), server_side,
              expected().tcp(net::tcp_ack));
}

TEST_F(Golden, DirectRoutingOfUdp) {
  use(ForwardMethod::direct, net::Protocol::udp);
  expect_sent(director.send(client_side, from_client().payload(5).udp()), server_side,
              PacketBuilder().link(back_mac, server_mac).from(client).to(vip).ttl(63).payload(5).udp());
}

TEST_F(Golden, DirectRoutingForwardsIcmpErrorsUnchanged) {
  use(ForwardMethod::direct);
  director.send(client_side, from_client().tcp(net::tcp_syn));
  const auto complaint = [](const char* from, const char* to, std::uint8_t ttl) {
    return PacketBuilder()
        .link(from, to)
        .from("10.9.9.9", 0)
        .to(vip)
        .ttl(ttl)
        .icmp_error(3, 4, to_client().payload(600).tcp(net::tcp_ack), 300, 1400);
  };
  expect_sent(director.send(client_side, complaint(client_mac, front_mac, 64)), server_side,
              complaint(back_mac, server_mac, 63));
}

// --- TUN

TEST_F(Golden, TunnelPutsAnIpipHeaderInFront) {
  use(ForwardMethod::tunnel);
  const auto outer = [] {
    return PacketBuilder().link(back_mac, server_mac).from("10.0.2.254", 0).to("10.0.2.11", 0).ttl(63).id(0);
  };
  const auto inner = [] { return PacketBuilder().from(client).to(vip).ttl(63); };
  expect_sent(director.send(client_side, from_client().tos(0x12).tcp(net::tcp_syn)), server_side,
              outer().tos(0x12).around(net::Protocol::ipip, inner().tos(0x12).tcp(net::tcp_syn)));
  // Congestion experienced inside becomes ECT(0) outside; padding goes.
  expect_sent(director.send(client_side, from_client().tos(0x13).pad_to(60).tcp(net::tcp_ack)), server_side,
              outer().tos(0x12).around(net::Protocol::ipip, inner().tos(0x13).tcp(net::tcp_ack)));
  // Largest that fits, from a tagged frame.
  expect_sent(director.send(client_side, from_client().vlan(9).payload(1440).tcp(net::tcp_ack)), server_side,
              outer().around(net::Protocol::ipip, inner().payload(1440).tcp(net::tcp_ack)));
}

TEST_F(Golden, TunnelWithoutDontFragmentCountsIds) {
  use(ForwardMethod::tunnel, net::Protocol::udp);
  for (std::uint16_t id = 0; id < 3; ++id) {
    expect_sent(director.send(client_side, from_client().dont_fragment(false).payload(9).udp()), server_side,
                PacketBuilder()
                    .link(back_mac, server_mac)
                    .from("10.0.2.254", 0)
                    .to("10.0.2.11", 0)
                    .ttl(63)
                    .id(id)
                    .dont_fragment(false)
                    .around(net::Protocol::ipip,
                            PacketBuilder().from(client).to(vip).ttl(63).dont_fragment(false).payload(9).udp()));
  }
}

TEST_F(Golden, TooBigForTheTunnelIsAnsweredWithTheMtuThatFits) {
  use(ForwardMethod::tunnel);
  director.send(client_side, from_client().tcp(net::tcp_syn));
  const Bytes big = from_client().payload(1441).tcp(net::tcp_ack);
  const Bytes expected = PacketBuilder()
                             .link(front_mac, client_mac)
                             .from(vip)
                             .to(client)
                             .tos(0xc0)
                             .id(0)
                             .dont_fragment(false)
                             .icmp_error(3, 4, big, 548, 1480);
  expect_sent(director.send(client_side, big), client_side, expected);
  EXPECT_EQ(director.dropped(DropReason::too_big), 1u);
  EXPECT_TRUE(director.send(client_side, from_client().dont_fragment(false).payload(1441).tcp(net::tcp_ack)).empty());
  EXPECT_EQ(director.dropped(DropReason::too_big_to_fragment), 1u);
}

// --- TTL, no destination, no service

TEST_F(Golden, AUsedUpTtlIsAnsweredFromTheVirtualAddress) {
  for (const auto method : {ForwardMethod::nat, ForwardMethod::direct, ForwardMethod::tunnel}) {
    SCOPED_TRACE(int(method));
    Director fresh;
    const ServiceId id = fresh.add_service(net::Protocol::tcp, vip);
    fresh.add_destination(id, server, method);
    const Bytes dying = from_client().ttl(1).tcp(net::tcp_syn);
    expect_sent(fresh.send(client_side, dying), client_side,
                PacketBuilder()
                    .link(front_mac, client_mac)
                    .from(vip)
                    .to(client)
                    .tos(0xc0)
                    .id(0)
                    .dont_fragment(false)
                    .icmp_error(11, 0, dying, 548));
    EXPECT_EQ(fresh.dropped(DropReason::ttl_exceeded), 1u);
    EXPECT_EQ(fresh.broken_law(), "");
  }
}

TEST_F(Golden, WithoutADestinationTheClientGetsPortUnreachable) {
  director.add_service(net::Protocol::tcp, vip);
  const Bytes syn = from_client().vlan(3).tcp(net::tcp_syn);
  expect_sent(director.send(client_side, syn), client_side,
              PacketBuilder()
                  .link(front_mac, client_mac)
                  .vlan(3)
                  .from(vip)
                  .to(client)
                  .tos(0xc0)
                  .id(0)
                  .dont_fragment(false)
                  .icmp_error(3, 3, syn, 548));
  EXPECT_EQ(director.dropped(DropReason::no_destination), 1u);
}

TEST_F(Golden, IcmpAnswersAreLimitedPerSecond) {
  director.add_service(net::Protocol::tcp, vip);
  std::size_t answers = 0;
  for (int i = 0; i < 1200; ++i) answers += director.send(client_side, from_client().tcp(net::tcp_syn)).size();
  EXPECT_EQ(answers, 1000u);
  EXPECT_EQ(director.dropped(DropReason::icmp_rate_limited), 200u);
  director.now_s += 1;
  EXPECT_EQ(director.send(client_side, from_client().tcp(net::tcp_syn)).size(), 1u);
}

TEST_F(Golden, WhatOpensNoConnectionIsLeftToTheHost) {
  use(ForwardMethod::nat);
  for (const std::uint8_t flags : {std::uint8_t(net::tcp_ack), std::uint8_t(net::tcp_rst),
                                   std::uint8_t(net::tcp_syn | net::tcp_rst), std::uint8_t(net::tcp_fin)}) {
    const Bytes stray = from_client().tcp(flags);
    expect_sent(director.send(client_side, stray), host_side, stray);
  }
  const Bytes unknown_reply = from_server().tcp(net::tcp_ack);
  expect_sent(director.send(server_side, unknown_reply), host_side, unknown_reply);
  EXPECT_EQ(director.worker().flows().size(), 0u);
  // Nothing that comes from the host goes back to it.
  EXPECT_TRUE(director.send(host_side, unknown_reply).empty());
  EXPECT_EQ(director.dropped(DropReason::host_reply_without_flow), 1u);
}

TEST_F(Golden, AServerOnTheDirectorItselfIsReachedThroughTheHost) {
  use(ForwardMethod::nat);
  director.edit(destination, [](Destination& d) {
    d.is_local = true;
    d.address = net::Ipv4Addr::of(127, 0, 0, 1);
  });
  const auto local = endpoint("127.0.0.1", 8080);
  expect_sent(director.send(client_side, from_client().tcp(net::tcp_syn)), host_side,
              PacketBuilder().link(client_mac, front_mac).from(client).to(local).tcp(net::tcp_syn));
  const auto reply = PacketBuilder().link("00:00:00:00:00:00", "00:00:00:00:00:00").from(local).to(client);
  expect_sent(director.send(host_side, reply.tcp(net::tcp_syn | net::tcp_ack)), client_side,
              to_client().ttl(64).tcp(net::tcp_syn | net::tcp_ack));
}

TEST_F(Golden, ALocalServerUnderDirectRoutingGetsThePacketAsItIs) {
  use(ForwardMethod::direct);
  director.edit(destination, [](Destination& d) { d.is_local = true; });
  const Bytes syn = from_client().ttl(1).tcp(net::tcp_syn);
  expect_sent(director.send(client_side, syn), host_side, syn);
}

// --- connections

TEST_F(Golden, ConnectionsStayWithTheirServerWhenWeightsChange) {
  use(ForwardMethod::nat);
  director.send(client_side, from_client().tcp(net::tcp_syn));
  director.add_destination(service, endpoint("10.0.2.12", 8080), ForwardMethod::nat);
  director.set_weight(destination, 0);
  expect_sent(director.send(client_side, from_client().tcp(net::tcp_ack)), server_side, to_server().tcp(net::tcp_ack));
  const auto other = from_client().from("10.0.1.2", 1);
  const Sent sent = director.send(client_side, other.tcp(net::tcp_syn));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].second[5], 12) << "a new connection goes to the other server";
}

TEST_F(Golden, ConnectionsOfARemovedServerAreDroppedUntilItIsBack) {
  use(ForwardMethod::nat);
  director.send(client_side, from_client().tcp(net::tcp_syn));
  director.remove_destination(destination);
  EXPECT_TRUE(director.send(client_side, from_client().tcp(net::tcp_ack)).empty());
  EXPECT_TRUE(director.send(server_side, from_server().tcp(net::tcp_ack)).empty());
  EXPECT_EQ(director.dropped(DropReason::destination_removed), 2u);
  director.edit(destination, [](Destination& d) { d.available = true; });
  EXPECT_EQ(director.send(client_side, from_client().tcp(net::tcp_ack)).size(), 1u);
}

TEST_F(Golden, ASynOnAFinishedConnectionIsScheduledAnew) {
  use(ForwardMethod::nat);
  director.add_destination(service, endpoint("10.0.2.12", 8080), ForwardMethod::nat);
  const Sent first = director.send(client_side, from_client().tcp(net::tcp_syn));
  EXPECT_EQ(first[0].second[5], 12);
  director.send(server_side, from_server().from("10.0.2.12", 8080).tcp(net::tcp_rst | net::tcp_ack));  // CLOSE
  const Sent second = director.send(client_side, from_client().tcp(net::tcp_syn));
  EXPECT_EQ(second[0].second[5], 11) << "round robin goes on";
  EXPECT_EQ(director.worker().flows().size(), 1u);
  // But in SYN_RECV or ESTABLISHED it is a retransmission.
  const Sent third = director.send(client_side, from_client().tcp(net::tcp_syn));
  EXPECT_EQ(third[0].second[5], 11);
}

TEST_F(Golden, AFullTableRefusesNewConnectionsAndKeepsTheOld) {
  Director small({.connections = 1024});
  const ServiceId id = small.add_service(net::Protocol::udp, vip);
  small.add_destination(id, server, ForwardMethod::nat);
  for (std::uint32_t i = 0; i < 1500; ++i) {
    const auto source = net::Endpoint{net::Ipv4Addr::from_host(0x0a010000 + i), net::L4Port::of(5)};
    EXPECT_EQ(small.send(client_side, from_client().from(source).udp()).size(), i < 1024 ? 1u : 0u);
  }
  EXPECT_EQ(small.dropped(DropReason::flow_table_full), 476u);
  EXPECT_EQ(small.send(client_side, from_client().from("10.1.0.0", 5).udp()).size(), 1u);
  EXPECT_EQ(small.broken_law(), "");
  // When they end, there is room again.
  small.now_s += 301;
  small.run();
  EXPECT_EQ(small.worker().flows().size(), 0u);
  EXPECT_EQ(small.send(client_side, from_client().udp()).size(), 1u);
  EXPECT_EQ(small.broken_law(), "");
}

TEST_F(Golden, CountsActiveAndInactiveAsIpvsDoes) {
  use(ForwardMethod::nat);
  const auto load = [&] { return read_load(director.worker().view().loads[index(destination)]); };
  director.send(client_side, from_client().tcp(net::tcp_syn));
  EXPECT_EQ(load().active, 1u);
  director.send(server_side, from_server().tcp(net::tcp_fin | net::tcp_ack));
  EXPECT_EQ(load().active, 0u);
  EXPECT_EQ(load().inactive, 1u);
  director.now_s += 121;
  director.run();
  EXPECT_EQ(load().inactive, 0u);
  const auto& counters = director.worker().view().destination_counters[index(destination)];
  EXPECT_EQ(counters.connections.read(), 1u);
  EXPECT_EQ(counters.in_packets.read(), 1u);
  EXPECT_EQ(counters.in_bytes.read(), 40u);
  EXPECT_EQ(counters.out_packets.read(), 1u);
}

TEST_F(Golden, ThresholdsTurnAServerAwayAndTakeItBackAsIpvsDoes) {
  // rr, A with upper 3 lower 1, B with upper 4: nine connections go B A B A B A B, then there is none.
  service = director.add_service(net::Protocol::tcp, vip);
  const auto a = director.add_destination(service, endpoint("10.0.2.11", 80), ForwardMethod::direct);
  const auto b = director.add_destination(service, endpoint("10.0.2.12", 80), ForwardMethod::direct);
  director.edit(a, [](Destination& d) { d.upper_threshold = 3, d.lower_threshold = 1; });
  director.edit(b, [](Destination& d) { d.upper_threshold = 4; });
  std::string sequence;
  for (std::uint16_t i = 0; i < 9; ++i) {
    const Sent sent =
        director.send(client_side, from_client().from("10.0.1.1", std::uint16_t(100 + i)).tcp(net::tcp_syn));
    sequence += sent[0].first == client_side ? '-' : sent[0].second[5] == 11 ? 'A' : 'B';
  }
  EXPECT_EQ(sequence, "BABABAB--");
}

// --- bad packets

TEST_F(Golden, EveryTruncationIsDroppedAndCounted) {
  use(ForwardMethod::nat);
  director.send(client_side, from_client().tcp(net::tcp_syn));
  const Bytes whole = from_client().vlan(5).options({1, 1, 1, 1}).payload(10).tcp(net::tcp_ack);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_TRUE(director.send(client_side, Bytes(whole.begin(), whole.begin() + std::ptrdiff_t(length))).empty())
        << length;
  }
  EXPECT_EQ(director.dropped(DropReason::truncated), whole.size());
}

struct BadPacket {
  const char* description;
  DropReason reason;
  Bytes packet;
};

Bytes patched(Bytes packet, std::size_t offset, std::initializer_list<std::uint8_t> bytes, bool fix_checksum = true) {
  std::copy(bytes.begin(), bytes.end(), packet.begin() + std::ptrdiff_t(offset));
  if (fix_checksum) {
    packet[24] = packet[25] = 0;
    net::store(&packet[24], net::checksum(&packet[14], std::size_t((packet[14] & 0xf) * 4)));
  }
  return packet;
}

TEST_F(Golden, BadPacketsAreDroppedForTheRightReason) {
  use(ForwardMethod::nat);
  const Bytes good = from_client().tcp(net::tcp_syn);
  const Bytes error = PacketBuilder()
                          .link(client_mac, front_mac)
                          .from("10.9.9.9", 0)
                          .to(vip)
                          .icmp_error(3, 4, to_client().tcp(net::tcp_ack), 100, 1400);
  const BadPacket rows[] = {
      {"ARP", DropReason::not_ipv4, patched(good, 12, {0x08, 0x06}, false)},
      {"IPv6", DropReason::not_ipv4, patched(good, 12, {0x86, 0xdd}, false)},
      {"two VLAN tags", DropReason::not_ipv4,
       patched(from_client().vlan(5).tcp(net::tcp_syn), 16, {0x81, 0x00}, false)},
      {"version 5", DropReason::bad_ipv4_header, patched(good, 14, {0x55}, false)},
      {"header of 16 bytes", DropReason::bad_ipv4_header, patched(good, 14, {0x44}, false)},
      {"total length below the header's", DropReason::bad_ipv4_header, patched(good, 16, {0, 19})},
      {"total length beyond the frame", DropReason::truncated, patched(good, 16, {0, 41})},
      {"wrong header checksum", DropReason::bad_ipv4_checksum, patched(good, 24, {0xab, 0xcd}, false)},
      {"from 127.0.0.1", DropReason::martian, patched(good, 26, {127, 0, 0, 1})},
      {"from multicast", DropReason::martian, patched(good, 26, {224, 0, 0, 1})},
      {"from broadcast", DropReason::martian, patched(good, 26, {255, 255, 255, 255})},
      {"from 0.0.0.0", DropReason::martian, patched(good, 26, {0, 0, 0, 0})},
      {"from the virtual address", DropReason::martian, patched(good, 26, {10, 0, 0, 5})},
      {"first fragment", DropReason::fragment, patched(good, 20, {0x20, 0x00})},
      {"last fragment", DropReason::fragment, patched(good, 20, {0x00, 0x10})},
      {"protocol 47", DropReason::unknown_protocol, patched(good, 23, {47})},
      {"TCP header of 16 bytes", DropReason::bad_tcp_header, patched(good, 46, {0x40})},
      {"TCP header beyond the packet", DropReason::bad_tcp_header, patched(good, 46, {0x60})},
      {"echo request", DropReason::unknown_protocol, patched(error, 34, {8})},
      {"ICMP with a wrong checksum", DropReason::bad_icmp, patched(error, 36, {1, 2})},
      {"ICMP error about nothing known", DropReason::icmp_without_flow, error},
  };
  for (const BadPacket& row : rows) {
    const std::uint64_t before = director.dropped(row.reason);
    EXPECT_TRUE(director.send(client_side, row.packet).empty()) << row.description;
    EXPECT_EQ(director.dropped(row.reason), before + 1) << row.description;
  }
  EXPECT_EQ(director.send(client_side, good).size(), 1u) << "a good packet after the bad ones";
}

TEST_F(Golden, AFullTransmitQueueDropsAndCounts) {
  use(ForwardMethod::nat, net::Protocol::udp);
  director.port(server_side).limit_transmit(3);
  for (std::uint16_t i = 0; i < 10; ++i) director.port(client_side).inject(from_client().from("10.0.1.1", i).udp());
  director.run();
  EXPECT_EQ(director.port(server_side).take_transmitted().size(), 3u);
  EXPECT_EQ(director.dropped(DropReason::transmit_full), 7u);
}

TEST_F(Golden, AnUnresolvedNextHopDropsAndCounts) {
  use(ForwardMethod::nat);
  director.edit(destination, [](Destination& d) { d.next_hop.port = no_port; });
  EXPECT_TRUE(director.send(client_side, from_client().tcp(net::tcp_syn)).empty());
  EXPECT_EQ(director.dropped(DropReason::next_hop_unresolved), 1u);
}

// Two packets of one new connection in one burst are one connection.
TEST_F(Golden, ABurstOfOneNewConnectionMakesOneRecord) {
  use(ForwardMethod::nat, net::Protocol::udp);
  director.add_destination(service, endpoint("10.0.2.12", 8080), ForwardMethod::nat);
  for (int i = 0; i < 64; ++i) director.port(client_side).inject(from_client().udp());
  director.run();
  EXPECT_EQ(director.worker().flows().size(), 1u);
  const auto sent = director.port(server_side).take_transmitted();
  EXPECT_EQ(sent.size(), 64u);
  for (const Bytes& packet : sent) EXPECT_EQ(packet[5], sent[0][5]);
}

// Random good, odd and broken packets in both directions, with updates in between: the law holds at every rest.
TEST_F(Golden, TheLawHoldsUnderRandomTraffic) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<DestinationId> destinations;
  for (const auto protocol : {net::Protocol::tcp, net::Protocol::udp}) {
    const ServiceId id =
        director.add_service(protocol, vip, protocol == net::Protocol::tcp ? SchedulerKind::wlc : SchedulerKind::wrr);
    for (const auto method : {ForwardMethod::nat, ForwardMethod::direct, ForwardMethod::tunnel}) {
      destinations.push_back(director.add_destination(
          id, {net::Ipv4Addr::of(10, 0, 2, std::uint8_t(11 + destinations.size())), vip.port}, method));
    }
  }
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < 100; ++i) {
      const net::Endpoint who{net::Ipv4Addr::of(10, 0, 1, std::uint8_t(random() % 20)),
                              net::L4Port::of(std::uint16_t(1 + random() % 20))};
      const bool reply = random() % 3 == 0;
      PacketBuilder builder;
      builder.ttl(std::uint8_t(random() % 65)).payload(random() % 1600 % 1480).dont_fragment(random() % 4 != 0);
      if (random() % 8 == 0) builder.vlan(std::uint16_t(1 + random() % 4000));
      if (reply)
        builder.from({net::Ipv4Addr::of(10, 0, 2, std::uint8_t(11 + random() % 6)), vip.port}).to(who);
      else
        builder.from(who).to(vip);
      Bytes packet = random() % 2 == 0 ? builder.udp() : builder.tcp(std::uint8_t(random() % 32));
      if (random() % 10 == 0) packet[random() % packet.size()] ^= std::uint8_t(random());
      if (random() % 20 == 0) packet.resize(random() % packet.size());
      director.port(reply ? server_side : client_side).inject(packet);
    }
    if (random() % 4 == 0) director.now_s += random() % 90;
    if (random() % 4 == 0) {
      director.edit(destinations[random() % destinations.size()],
                    [&](Destination& d) { d.available = random() % 4 != 0; });
    }
    director.run();
    for (const PortId id : {client_side, server_side, host_side}) director.port(id).take_transmitted();
    ASSERT_EQ(director.broken_law(), "") << "round " << round;
  }
}

// --- dumps

TEST_F(Golden, ADumpCopiesAllConnectionsInPieces) {
  use(ForwardMethod::nat, net::Protocol::udp);
  for (std::uint16_t i = 1; i <= 1300; ++i) director.send(client_side, from_client().from("10.0.1.1", i).udp());
  const auto dump = [&](FlowIndex next, std::size_t room) {
    DumpFlows request{next, room, {}, 0};
    request.flows.reserve(room);
    director.mailbox().post(std::move(request));
    while (director.worker().poll(director.now_s)) {
    }
    auto done = director.mailbox().collect();
    EXPECT_EQ(done.size(), 1u);
    return std::move(std::get<DumpFlows>(*done[0]));
  };
  const DumpFlows first = dump(FlowIndex{0}, 1000);
  EXPECT_EQ(first.flows.size(), 1000u);
  const DumpFlows rest = dump(first.next, 1000);
  EXPECT_EQ(rest.flows.size(), 300u);
  EXPECT_EQ(rest.next, no_flow);
  EXPECT_EQ(rest.flows[0].client().text(), "10.0.1.1:1001");
}

}  // namespace
}  // namespace sluice::dataplane
