// The steering program's verdicts, exhaustively, by running it in the kernel on made-up packets (BPF_PROG_TEST_RUN),
// and its life on an interface. Live traffic over AF_XDP is in af_xdp_test.cc.
#include "dataplane/port/steer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>
#include <string>

#include "dataplane/classify/classifier.h"
#include "dataplane/port/af_xdp.h"
#include "dataplane/port/private_network.h"
#include "net/headers.h"

namespace sluice::dataplane {
namespace {

using testing::Bytes;
using testing::endpoint;
using testing::PacketBuilder;
using testing::PrivateNetwork;

const auto client = endpoint("10.0.1.1", 30010);
const auto service = endpoint("10.0.0.5", 80);
const auto vip_other_port = endpoint("10.0.0.5", 22);
const auto real_server = endpoint("10.0.2.11", 8080);
const auto host = endpoint("10.0.0.1", 22);

PacketBuilder packet(net::Endpoint from, net::Endpoint to) { return PacketBuilder().from(from).to(to); }

/// What the second byte pair of the fragment field says: 0x2000 more fragments, the rest offset / 8.
Bytes fragment(Bytes frame, std::uint16_t field) {
  net::store(frame.data() + testing::ipv4_offset(frame) + 6, net::Be16(field));
  return frame;
}

Bytes with_byte(Bytes frame, std::size_t at, std::uint8_t value) {
  frame.at(at) = value;
  return frame;
}

class SteerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = PrivateNetwork::why_not(); !why.empty()) GTEST_SKIP() << why;
    network_.emplace();
    auto loaded = Steer::load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    steer_ = std::move(*loaded);
    ASSERT_TRUE(steer_->add_service(net::Protocol::tcp, service));
    ASSERT_TRUE(steer_->add_service(net::Protocol::udp, endpoint("10.0.0.5", 53)));
    ASSERT_TRUE(steer_->add_nat_destination(net::Protocol::tcp, real_server));
    ASSERT_TRUE(steer_->add_mac(testing::mac("02:00:00:00:00:01")));  // where PacketBuilder sends to
    ASSERT_TRUE(steer_->add_mac(testing::mac("00:00:5e:00:01:05")));  // a virtual router of ours
    for (const auto* address : {"10.0.0.1", "10.0.0.5", "10.0.2.1"}) {
      ASSERT_TRUE(steer_->add_local_address(*net::Ipv4Addr::parse(address)));
    }
  }

  /// An AF_XDP socket on lo, where packets of test runs come from.
  void start_engine() {
    network_->run("ip link set dev lo mtu 1500");
    auto opened = open_af_xdp({.interfaces = {{.name = "lo"}}, .ring_size = 64}, *steer_, {});
    ASSERT_TRUE(opened) << opened.error().text();
    engine_ = std::move(*opened);
  }
  void stop_engine() { engine_ = {}; }

  int verdict(const Bytes& frame) const {
    std::array<std::uint8_t, 4096> out;
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.data_out = out.data();
    options.data_size_out = out.size();
    options.repeat = 1;
    const int error = bpf_prog_test_run_opts(steer_->program_fd(), &options);
    EXPECT_EQ(error, 0) << "for a frame of " << frame.size() << " bytes";
    return static_cast<int>(options.retval);
  }

  std::optional<PrivateNetwork> network_;
  std::unique_ptr<Steer> steer_;
  AfXdpSet engine_;
};

struct Row {
  const char* description;
  Bytes frame;
  bool for_engine;
  std::size_t decided_at;  ///< bytes of the frame that must be there for it to be the engine's
};

std::vector<Row> rows() {
  const auto request = packet(client, service);
  const auto to_real_server = packet(client, real_server).tcp(net::tcp_ack);
  const auto to_real_server_udp = packet(client, real_server).udp();
  const Bytes options(12, 1);
  const Bytes max_options(40, 1);
  const auto icmp_to_vip = packet(endpoint("192.0.2.1", 0), service);
  const auto icmp_to_client = packet(endpoint("10.0.2.250", 0), client);
  const auto reply = packet(real_server, client);
  return {
      {"TCP to a service", request.tcp(net::tcp_syn), true, 14 + 20 + 4},
      {"UDP to a service", packet(client, endpoint("10.0.0.5", 53)).udp(), true, 14 + 20 + 4},
      {"behind a VLAN tag", PacketBuilder(request).vlan(7).tcp(net::tcp_syn), true, 18 + 20 + 4},
      {"with IP options", PacketBuilder(request).options(options).tcp(net::tcp_syn), true, 14 + 32 + 4},
      {"with all IP options", PacketBuilder(request).options(max_options).tcp(net::tcp_syn), true, 14 + 60 + 4},
      {"the other protocol", request.udp(), false, 0},
      {"another port of a VIP", packet(client, vip_other_port).tcp(net::tcp_syn), false, 0},
      {"from the service's port to somewhere else", packet(service, client).tcp(net::tcp_ack), false, 0},
      {"to the host", packet(client, host).tcp(net::tcp_syn), false, 0},
      {"to a stranger", packet(client, endpoint("10.9.9.9", 80)).tcp(net::tcp_syn), false, 0},
      {"to a real server, from a client", to_real_server, false, 0},

      {"first fragment to a VIP", fragment(request.tcp(net::tcp_ack), 0x2000), true, 14 + 20},
      {"middle fragment to a VIP", fragment(request.tcp(net::tcp_ack), 0x2010), true, 14 + 20},
      {"last fragment to a VIP", fragment(request.tcp(net::tcp_ack), 0x0010), true, 14 + 20},
      {"fragment to a VIP, not for a service", fragment(packet(client, vip_other_port).udp(), 0x0010), true, 14 + 20},
      {"DF is no fragment", fragment(packet(client, vip_other_port).udp(), 0x4000), false, 0},
      {"fragment to the host", fragment(packet(client, host).udp(), 0x2000), false, 0},
      {"ICMP unreachable to a VIP", icmp_to_vip.icmp_error(3, 4, packet(service, client).tcp(0), 28), true, 42},
      {"ICMP source quench to a VIP", icmp_to_vip.icmp_error(4, 0, packet(service, client).tcp(0), 28), true, 42},
      {"ICMP time exceeded to a VIP", icmp_to_vip.icmp_error(11, 0, packet(service, client).tcp(0), 28), true, 42},
      {"ICMP redirect to a VIP", icmp_to_vip.icmp_error(5, 0, packet(service, client).tcp(0), 28), false, 0},
      {"ping to a VIP", icmp_to_vip.icmp_error(8, 0, packet(service, client).tcp(0), 28), false, 0},
      {"protocol without ports to a VIP", request.around(net::Protocol::ipip, to_real_server), false, 0},

      {"reply of a NAT destination", reply.tcp(net::tcp_ack), true, 14 + 20 + 4},
      {"reply behind a VLAN tag", PacketBuilder(reply).vlan(7).tcp(net::tcp_ack), true, 18 + 20 + 4},
      {"reply with IP options", PacketBuilder(reply).options(options).tcp(net::tcp_ack), true, 14 + 32 + 4},
      {"first fragment of a reply", fragment(reply.tcp(net::tcp_ack), 0x2000), true, 14 + 20 + 4},
      {"further fragment of a reply", fragment(reply.tcp(net::tcp_ack), 0x2010), false, 0},
      {"last fragment of a reply", fragment(reply.tcp(net::tcp_ack), 0x0010), false, 0},
      {"reply to this host, as to a health check", packet(real_server, host).tcp(net::tcp_ack), false, 0},
      {"reply to a VIP's other port", packet(real_server, vip_other_port).tcp(net::tcp_ack), false, 0},
      {"the real server's other port", packet(endpoint("10.0.2.11", 22), client).tcp(net::tcp_ack), false, 0},
      {"the real server's other protocol", reply.udp(), false, 0},
      {"another host's same port", packet(endpoint("10.0.2.12", 8080), client).tcp(net::tcp_ack), false, 0},
      {"ICMP about a packet to a NAT destination", icmp_to_client.icmp_error(3, 4, to_real_server, 28), true,
       14 + 20 + 8 + 20 + 4},
      {"ICMP quoting IP options",
       icmp_to_client.icmp_error(3, 4, packet(client, real_server).options(options).tcp(0), 40), true,
       14 + 20 + 8 + 32 + 4},
      {"ICMP with options quoting IP options",
       PacketBuilder(icmp_to_client)
           .options(max_options)
           .icmp_error(11, 0, packet(client, real_server).options(max_options).tcp(0), 68),
       true, 14 + 60 + 8 + 60 + 4},
      {"ICMP to this host about a check",
       packet(endpoint("10.0.2.250", 0), host).icmp_error(3, 1, packet(host, real_server).tcp(0), 28), false, 0},
      {"ICMP about the other protocol", icmp_to_client.icmp_error(3, 4, to_real_server_udp, 28), false, 0},
      {"ICMP about another port", icmp_to_client.icmp_error(3, 4, packet(client, vip_other_port).tcp(0), 28), false, 0},
      {"ICMP about a packet from a NAT destination", icmp_to_client.icmp_error(3, 4, reply.tcp(0), 28), false, 0},
      {"ICMP quoting a later fragment", icmp_to_client.icmp_error(3, 4, fragment(to_real_server, 0x0010), 28), false,
       0},
      {"ICMP redirect about a NAT destination", icmp_to_client.icmp_error(5, 0, to_real_server, 28), false, 0},
      {"ping through us", icmp_to_client.icmp_error(8, 0, to_real_server, 28), false, 0},

      {"broadcast MAC", PacketBuilder(request).link("02:00:00:00:01:01", "ff:ff:ff:ff:ff:ff").tcp(0), false, 0},
      {"multicast MAC", PacketBuilder(request).link("02:00:00:00:01:01", "01:00:5e:00:00:05").tcp(0), false, 0},
      {"VRRP's virtual MAC", PacketBuilder(request).link("02:00:00:00:01:01", "00:00:5e:00:01:05").tcp(0), true, 38},
      {"a virtual MAC of somebody else's", PacketBuilder(request).link("02:00:00:00:01:01", "00:00:5e:00:01:06").tcp(0),
       false, 0},
      {"another ether type", with_byte(request.tcp(0), 13, 0x06), false, 0},
      {"IP version 6 in an IPv4 frame", with_byte(request.tcp(0), 14, 0x65), false, 0},
      {"header length under 20", with_byte(request.tcp(0), 14, 0x44), false, 0},
      {"IP version 6, as a fragment", with_byte(fragment(request.tcp(0), 0x0010), 14, 0x65), false, 0},
      {"header length under 20, as a fragment", with_byte(fragment(request.tcp(0), 0x0010), 14, 0x44), false, 0},
      {"ports in the padding, after the packet's end", with_byte(PacketBuilder(request).pad_to(60).tcp(0), 17, 20 + 3),
       false, 0},
  };
}

TEST_F(SteerTest, EveryClassOfPacketGoesWhereItBelongs) {
  start_engine();
  for (const auto& row : rows()) {
    EXPECT_EQ(verdict(row.frame), row.for_engine ? XDP_REDIRECT : XDP_PASS) << row.description;
  }
}

TEST_F(SteerTest, WithoutAnEngineWhatIsItsIsDroppedAndTheRestPasses) {
  for (const auto& row : rows()) EXPECT_EQ(verdict(row.frame), row.for_engine ? XDP_DROP : XDP_PASS) << row.description;
  start_engine();
  for (const auto& row : rows()) {
    EXPECT_EQ(verdict(row.frame), row.for_engine ? XDP_REDIRECT : XDP_PASS) << row.description;
  }
  stop_engine();
  for (const auto& row : rows()) EXPECT_EQ(verdict(row.frame), row.for_engine ? XDP_DROP : XDP_PASS) << row.description;
}

TEST_F(SteerTest, TruncatedPacketsPassUntilTheirPortsAreThere) {
  start_engine();
  for (const auto& row : rows()) {
    for (std::size_t length = 14; length <= row.frame.size(); ++length) {
      const Bytes cut(row.frame.begin(), row.frame.begin() + std::ptrdiff_t(length));
      const bool expected = row.for_engine && length >= row.decided_at;
      ASSERT_EQ(verdict(cut), expected ? XDP_REDIRECT : XDP_PASS) << row.description << ", cut to " << length;
    }
  }
}

TEST_F(SteerTest, EveryPacketIsCountedOnce) {
  const auto steered = packet(client, service).tcp(net::tcp_syn);
  const auto passed = packet(client, host).tcp(net::tcp_syn);
  EXPECT_EQ(verdict(steered), XDP_DROP);
  start_engine();
  const auto before = steer_->counters();
  EXPECT_EQ(before.dropped_no_engine, 1u);
  for (int i = 0; i < 3; ++i) verdict(steered);
  for (int i = 0; i < 2; ++i) verdict(passed);
  EXPECT_EQ(steer_->counters(), (SteerCounters{before.steered + 3, before.passed + 2, 1}));
}

TEST_F(SteerTest, FramesForAnotherMacAreNotOurs) {
  const auto flooded = PacketBuilder().link("02:00:00:00:01:01", "02:00:00:00:02:0b").from(client).to(service).tcp(0);
  EXPECT_EQ(verdict(flooded), XDP_PASS);
  const auto virtual_router = testing::mac("00:00:5e:00:01:07");
  const auto to_it = PacketBuilder().link("02:00:00:00:01:01", "00:00:5e:00:01:07").from(client).to(service).tcp(0);
  ASSERT_TRUE(steer_->add_mac(virtual_router));
  EXPECT_EQ(verdict(to_it), XDP_DROP);
  steer_->remove_mac(virtual_router);
  EXPECT_EQ(verdict(to_it), XDP_PASS);
}

TEST_F(SteerTest, AVipIsOneAsLongAsItHasAService) {
  const auto any_fragment = fragment(packet(client, service).udp(), 0x0010);
  EXPECT_EQ(verdict(any_fragment), XDP_DROP);
  ASSERT_TRUE(steer_->add_service(net::Protocol::tcp, service));  // again: counts once
  steer_->remove_service(net::Protocol::tcp, service);
  EXPECT_EQ(verdict(packet(client, service).tcp(0)), XDP_PASS);
  EXPECT_EQ(verdict(any_fragment), XDP_DROP);
  steer_->remove_service(net::Protocol::tcp, service);  // not there: nothing happens
  steer_->remove_service(net::Protocol::udp, endpoint("10.0.0.5", 53));
  EXPECT_EQ(verdict(any_fragment), XDP_PASS);
}

TEST_F(SteerTest, ASharedNatDestinationStaysUntilItsLastServiceIsGone) {
  const auto reply = packet(real_server, client).tcp(net::tcp_ack);
  ASSERT_TRUE(steer_->add_nat_destination(net::Protocol::tcp, real_server));
  steer_->remove_nat_destination(net::Protocol::tcp, real_server);
  EXPECT_EQ(verdict(reply), XDP_DROP);
  steer_->remove_nat_destination(net::Protocol::tcp, real_server);
  EXPECT_EQ(verdict(reply), XDP_PASS);
  steer_->remove_nat_destination(net::Protocol::tcp, real_server);
  ASSERT_TRUE(steer_->add_nat_destination(net::Protocol::tcp, real_server));
  EXPECT_EQ(verdict(reply), XDP_DROP);
}

TEST_F(SteerTest, RepliesToAnAddressThatThisHostLosesAreSteered) {
  const auto reply = packet(real_server, host).tcp(net::tcp_ack);
  EXPECT_EQ(verdict(reply), XDP_PASS);
  steer_->remove_local_address(host.address);
  EXPECT_EQ(verdict(reply), XDP_DROP);
}

// --- classify rules

Ipv4Prefix prefix(const char* address, unsigned length) { return {*net::Ipv4Addr::parse(address), length}; }

struct ClassifyRow {
  const char* description;
  Bytes frame;
  bool for_engine;
};

std::vector<ClassifyRow> classify_rows() {
  const auto marked = endpoint("10.0.3.7", 80);
  const auto request = packet(client, marked);
  const auto other_port = packet(client, endpoint("10.0.3.7", 90));
  const auto from_elsewhere = packet(endpoint("10.5.1.1", 30010), marked);
  const auto error = packet(endpoint("192.0.2.1", 0), marked);
  return {
      {"TCP to the first port", request.tcp(net::tcp_syn), true},
      {"TCP to the last port", packet(client, endpoint("10.0.3.255", 89)).tcp(net::tcp_ack), true},
      {"behind a VLAN tag", PacketBuilder(request).vlan(7).tcp(net::tcp_syn), true},
      {"a port before", packet(client, endpoint("10.0.3.7", 79)).tcp(net::tcp_syn), false},
      {"a port behind", other_port.tcp(net::tcp_syn), false},
      {"UDP", request.udp(), false},
      {"an address before", packet(client, endpoint("10.0.2.255", 80)).tcp(net::tcp_syn), false},
      {"an address behind", packet(client, endpoint("10.0.4.0", 80)).tcp(net::tcp_syn), false},
      {"another source", from_elsewhere.tcp(net::tcp_syn), false},
      {"ping", error.icmp_error(8, 0, packet(marked, client).tcp(0), 28), false},
      {"a protocol without ports", request.around(net::Protocol::ipip, request.tcp(0)), false},
      {"first fragment", fragment(request.tcp(net::tcp_ack), 0x2000), true},
      {"later fragment", fragment(request.tcp(net::tcp_ack), 0x0010), true},
      {"fragment of what may be another port's", fragment(other_port.tcp(net::tcp_ack), 0x0010), true},
      {"fragment of another source", fragment(from_elsewhere.tcp(net::tcp_ack), 0x0010), false},
      {"fragment of another protocol", fragment(request.udp(), 0x0010), false},
      {"ICMP about a reply", error.icmp_error(3, 4, packet(marked, client).tcp(0), 28), true},
      {"ICMP about what the host sent from another port",
       error.icmp_error(3, 4, packet(endpoint("10.0.3.7", 22), client).tcp(0), 28), false},
      {"ICMP about what the host sent elsewhere",
       error.icmp_error(3, 4, packet(marked, endpoint("10.5.1.1", 1)).tcp(0), 28), false},
      {"ICMP about the other protocol", error.icmp_error(3, 4, packet(marked, client).udp(), 28), false},
      {"ICMP about a packet of another host", error.icmp_error(3, 4, packet(host, client).tcp(0), 28), false},
      {"ICMP redirect", error.icmp_error(5, 0, packet(marked, client).tcp(0), 28), false},
  };
}

TEST_F(SteerTest, WhatAClassifyRuleMayMarkIsTheEngines) {
  for (const auto& row : classify_rows()) EXPECT_EQ(verdict(row.frame), XDP_PASS) << row.description;
  ASSERT_TRUE(steer_->set_classify(std::vector<ClassifyRule>{{.mark = 5,
                                                              .destination = prefix("10.0.3.9", 24),
                                                              .protocol = net::Protocol::tcp,
                                                              .port_first = 80,
                                                              .port_last = 89,
                                                              .source = prefix("10.0.1.0", 24)}}));
  for (const auto& row : classify_rows()) {
    EXPECT_EQ(verdict(row.frame), row.for_engine ? XDP_DROP : XDP_PASS) << row.description;
  }
  for (const auto& row : rows()) EXPECT_EQ(verdict(row.frame), row.for_engine ? XDP_DROP : XDP_PASS) << row.description;
  start_engine();
  for (const auto& row : classify_rows()) {
    EXPECT_EQ(verdict(row.frame), row.for_engine ? XDP_REDIRECT : XDP_PASS) << row.description;
  }
  ASSERT_TRUE(steer_->set_classify({}));
  for (const auto& row : classify_rows()) EXPECT_EQ(verdict(row.frame), XDP_PASS) << row.description;
}

TEST_F(SteerTest, AClassifyRuleMayMarkAnotherPortOfAVipAndOfTheHost) {
  const auto to_vip = packet(client, vip_other_port).tcp(net::tcp_syn);
  const auto to_host = packet(client, host).tcp(net::tcp_syn);
  ASSERT_TRUE(steer_->set_classify(std::vector<ClassifyRule>{{.mark = 5, .destination = prefix("10.0.0.0", 28)}}));
  EXPECT_EQ(verdict(to_vip), XDP_DROP);
  EXPECT_EQ(verdict(to_host), XDP_DROP);
}

TEST_F(SteerTest, TheInterfaceOfAClassifyRuleIsHonoured) {
  const auto untagged = packet(client, endpoint("10.0.3.7", 80)).tcp(net::tcp_syn);
  const auto tagged = PacketBuilder(packet(client, endpoint("10.0.3.7", 80))).vlan(7).tcp(net::tcp_syn);
  const auto set = [&](Ingress ingress) {
    ASSERT_TRUE(steer_->set_classify(
        std::vector<ClassifyRule>{{.mark = 5, .destination = prefix("10.0.3.7", 32), .ingress = ingress}}));
  };
  const int lo = static_cast<int>(if_nametoindex("lo"));  // where packets of test runs come from
  set({PortId{0}, lo, 0});
  EXPECT_EQ(verdict(untagged), XDP_DROP);
  EXPECT_EQ(verdict(tagged), XDP_PASS);
  set({PortId{0}, lo, 7});
  EXPECT_EQ(verdict(untagged), XDP_PASS);
  EXPECT_EQ(verdict(tagged), XDP_DROP);
  set({PortId{0}, lo + 1, 0});
  EXPECT_EQ(verdict(untagged), XDP_PASS);
  // A router's complaint about a reply may come in anywhere.
  const auto error = packet(endpoint("192.0.2.1", 0), endpoint("10.0.3.7", 80));
  EXPECT_EQ(verdict(error.icmp_error(3, 4, packet(endpoint("10.0.3.7", 80), client).tcp(0), 28)), XDP_DROP);
}

TEST_F(SteerTest, MoreClassifyRulesThanFitTakeEverythingToTheirAddress) {
  std::vector<ClassifyRule> rules;
  const auto request = packet(client, endpoint("10.0.3.7", 22)).tcp(net::tcp_syn);
  for (std::uint16_t port = 1000; port < 1016; ++port) {
    rules.push_back({.mark = 5, .destination = prefix("10.0.3.7", 32), .port_first = port, .port_last = port});
  }
  ASSERT_TRUE(steer_->set_classify(rules));
  EXPECT_EQ(verdict(request), XDP_PASS);
  EXPECT_EQ(verdict(packet(client, endpoint("10.0.3.7", 1015)).tcp(net::tcp_syn)), XDP_DROP);
  rules.push_back({.mark = 5, .destination = prefix("10.0.3.7", 32), .port_first = 1016, .port_last = 1016});
  ASSERT_TRUE(steer_->set_classify(rules));
  EXPECT_EQ(verdict(request), XDP_DROP);
  EXPECT_EQ(verdict(packet(client, endpoint("10.0.3.8", 22)).tcp(net::tcp_syn)), XDP_PASS);
}

// The program and the workers read the same rules: the engine gets what it marks, and nothing else.
TEST_F(SteerTest, RandomClassifyRulesSteerWhatTheClassifierMarks) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t n) { return std::uint32_t(random() % n); };
  const auto address = [&] { return net::Ipv4Addr::from_host(0x0a090000u | below(2) << 8 | below(8)); };
  const auto port = [&] { return std::uint16_t(80 + below(6)); };
  const auto protocol = [&] { return below(2) == 0 ? net::Protocol::tcp : net::Protocol::udp; };
  const int lo = static_cast<int>(if_nametoindex("lo"));
  int steered = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<ClassifyRule> rules(below(16));
    for (ClassifyRule& rule : rules) {
      rule = {.mark = 1, .destination = {address(), 24 + below(9)}};
      if (below(2) == 0) rule.protocol = protocol();
      if (below(2) == 0) {
        rule.port_first = port();
        rule.port_last = std::uint16_t(rule.port_first + below(3));
      }
      if (below(2) == 0) rule.source = {address(), 24 + below(9)};
      if (below(3) == 0) rule.ingress = Ingress{PortId{0}, lo + int(below(2)), std::uint16_t(below(2) * 7)};
      if (rule.ingress && rule.ingress->ifindex != lo) rule.ingress->port = PortId{1};
    }
    ASSERT_TRUE(steer_->set_classify(rules));
    const Classifier classifier(rules);
    for (int i = 0; i < 60; ++i) {
      const net::FiveTuple tuple{
          {address(), net::L4Port::of(port())}, {address(), net::L4Port::of(port())}, protocol()};
      PacketBuilder builder = packet(tuple.source, tuple.destination);
      const auto vlan = std::uint16_t(below(2) * 7);
      if (vlan != 0) builder.vlan(vlan);
      const bool expected = classifier.mark_of(tuple, PortId{0}, vlan) != 0;
      const Bytes frame = tuple.protocol == net::Protocol::tcp ? builder.tcp(net::tcp_syn) : builder.udp();
      ASSERT_EQ(verdict(frame), expected ? XDP_DROP : XDP_PASS)
          << "round " << round << ": " << testing::describe(frame);
      steered += expected;
    }
  }
  EXPECT_GT(steered, 500);
}

TEST_F(SteerTest, ANatDestinationWithoutPortAnswersFromAnyPort) {
  const auto reply = packet(endpoint("10.0.2.12", 1234), client).tcp(net::tcp_ack);
  const auto error =
      packet(endpoint("10.0.2.250", 0), client).icmp_error(3, 4, packet(client, endpoint("10.0.2.12", 99)).tcp(0), 28);
  EXPECT_EQ(verdict(reply), XDP_PASS);
  ASSERT_TRUE(steer_->add_nat_destination(net::Protocol::tcp, endpoint("10.0.2.12", 0)));
  EXPECT_EQ(verdict(reply), XDP_DROP);
  EXPECT_EQ(verdict(error), XDP_DROP);
  EXPECT_EQ(verdict(packet(endpoint("10.0.2.12", 1234), client).udp()), XDP_PASS);
  EXPECT_EQ(verdict(packet(endpoint("10.0.2.12", 1234), host).tcp(0)), XDP_PASS);
  steer_->remove_nat_destination(net::Protocol::tcp, endpoint("10.0.2.12", 0));
  EXPECT_EQ(verdict(reply), XDP_PASS);
}

std::uint32_t attached_program(const std::string& interface) {
  std::uint32_t id = 0;
  bpf_xdp_query_id(static_cast<int>(if_nametoindex(interface.c_str())), 0, &id);
  return id;
}

TEST_F(SteerTest, ACleanStopDetaches) {
  network_->wire("dir", "peer");
  ASSERT_TRUE(steer_->attach("dir", XdpMode::native));
  EXPECT_NE(attached_program("dir"), 0u);
  steer_.reset();
  EXPECT_EQ(attached_program("dir"), 0u);
}

/// A director that attaches and dies without a goodbye.
void crash_on(const std::string& interface, XdpMode mode) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto steer = Steer::load();
    const bool good = steer && (*steer)->add_service(net::Protocol::tcp, service) && (*steer)->attach(interface, mode);
    _exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

TEST_F(SteerTest, AfterACrashTheProgramStaysUntilTheNextRunReplacesIt) {
  network_->wire("dir", "peer");
  for (const auto left_in : {XdpMode::native, XdpMode::generic}) {
    for (const auto wanted : {XdpMode::native, XdpMode::generic}) {
      crash_on("dir", left_in);
      const auto stale = attached_program("dir");
      ASSERT_NE(stale, 0u);

      std::string said;
      auto next = Steer::load([&](LogLevel, std::string_view line) { said += line; });
      ASSERT_TRUE(next);
      const auto attached = (*next)->attach("dir", wanted);
      ASSERT_TRUE(attached) << attached.error().text();
      EXPECT_NE(attached_program("dir"), stale);
      EXPECT_NE(said.find("left behind"), std::string::npos) << said;
      next->reset();
      EXPECT_EQ(attached_program("dir"), 0u);
    }
  }
}

TEST_F(SteerTest, AStrangersProgramIsLeftAlone) {
  network_->wire("dir", "peer");
  const std::array<bpf_insn, 2> pass{bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
                                     bpf_insn{.code = BPF_JMP | BPF_EXIT}};
  const int stranger = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass.data(), pass.size(), nullptr);
  ASSERT_GE(stranger, 0);
  ASSERT_EQ(bpf_xdp_attach(static_cast<int>(if_nametoindex("dir")), stranger, XDP_FLAGS_DRV_MODE, nullptr), 0);
  const auto id = attached_program("dir");
  close(stranger);

  const auto attached = steer_->attach("dir", XdpMode::native);
  ASSERT_FALSE(attached);
  EXPECT_NE(attached.error().what.find("'stranger'"), std::string::npos) << attached.error().text();
  EXPECT_NE(attached.error().what.find("ip link set dev dir xdp off"), std::string::npos);
  steer_.reset();
  EXPECT_EQ(attached_program("dir"), id);
}

TEST_F(SteerTest, AMissingInterfaceIsAnError) {
  const auto attached = steer_->attach("nosuch0", XdpMode::native);
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().where, "nosuch0");
  EXPECT_NE(attached.error().what.find("no such interface"), std::string::npos);
}

TEST_F(SteerTest, ADriverWithoutNativeXdpIsAnErrorAndGenericWorks) {
  const auto native = steer_->attach("lo", XdpMode::native);
  ASSERT_FALSE(native);
  EXPECT_NE(native.error().what.find("native XDP"), std::string::npos) << native.error().text();
  EXPECT_TRUE(steer_->attach("lo", XdpMode::generic));
}

TEST_F(SteerTest, WithoutPermissionTheErrorNamesTheCapabilities) {
  ASSERT_EQ(seteuid(65534), 0);
  const auto refused = Steer::load();
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("CAP_NET_ADMIN, CAP_BPF"), std::string::npos) << refused.error().text();
}

TEST_F(SteerTest, NothingIsPrintedWhenSomethingFails) {
  ::testing::internal::CaptureStderr();
  network_->wire("dir", "peer");
  EXPECT_FALSE(steer_->attach("lo", XdpMode::native));
  EXPECT_FALSE(open_af_xdp({.interfaces = {{.name = "dir"}}, .mode = AfXdpMode::zero_copy}, *steer_, {}));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace sluice::dataplane
