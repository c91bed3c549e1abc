// The short way of a connection's packets does what the long one does. Two directors get the same packets: in one no
// second passes, so that most packets take the short way; in the other each packet has a second of its own and takes
// the long way.
#include <gtest/gtest.h>

#include <random>

#include "dataplane/testing/director.h"

namespace sluice::dataplane {
namespace {

using testing::Bytes;
using testing::client_side;
using testing::Director;
using testing::endpoint;
using testing::host_side;
using testing::PacketBuilder;
using testing::server_side;

const net::Endpoint vip = endpoint("10.0.0.5", 80);
const net::Endpoint server = endpoint("10.0.2.11", 8080);

struct Twin {
  Director director;
  DestinationId destination{};
};

TEST(Steady, TheShortWayDoesWhatTheLongOneDoes) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    constexpr ForwardMethod methods[] = {ForwardMethod::nat, ForwardMethod::direct, ForwardMethod::tunnel};
    const ForwardMethod method = methods[random() % 3];
    const auto protocol = random() % 2 == 0 ? net::Protocol::tcp : net::Protocol::udp;
    Twin still, passing;
    for (Twin* twin : {&still, &passing}) {
      Timeouts long_ones;  // or the seconds that pass would end connections
      long_ones.tcp_s.fill(900);
      twin->director.mailbox().post(SetTimeouts{long_ones});
      const auto service = twin->director.add_service(protocol, vip);
      const auto to = method == ForwardMethod::nat ? server : net::Endpoint{server.address, vip.port};
      twin->destination = twin->director.add_destination(service, to, method);
    }
    for (int i = 0; i < 50; ++i) {
      const net::Endpoint client = endpoint("10.0.1.1", std::uint16_t(30010 + random() % 2));
      const bool reply = random() % 3 == 0;
      PacketBuilder builder;
      builder.from(reply ? server : client).to(reply ? client : vip);
      builder.ttl(random() % 10 == 0 ? std::uint8_t(random() % 3) : std::uint8_t(64));
      builder.tos(std::uint8_t(random())).dont_fragment(random() % 2 == 0);
      builder.payload(random() % 10 == 0 ? 1400 + random() % 120 : random() % 100);
      if (random() % 10 == 0) builder.vlan(5);
      if (random() % 10 == 0) builder.options(Bytes(8, 1));
      if (random() % 10 == 0) builder.link("02:00:00:00:01:77", "02:00:00:00:00:01");
      if (random() % 4 == 0) builder.pad_to(60);
      std::uint8_t flags = net::tcp_ack | (random() % 2 == 0 ? net::tcp_psh : 0);
      if (i < 4 || random() % 20 == 0) flags = net::tcp_syn;
      const Bytes packet = protocol == net::Protocol::tcp ? builder.tcp(flags) : builder.udp(random() % 4 != 0);
      const PortId in = reply ? (random() % 8 == 0 ? host_side : server_side) : client_side;
      if (random() % 16 == 0) {
        const auto mtu = std::uint16_t(600 + random() % 900);
        const bool local = random() % 4 == 0, available = random() % 4 != 0, resolved = random() % 4 != 0;
        for (Twin* twin : {&still, &passing}) {
          twin->director.edit(twin->destination, [&](Destination& destination) {
            destination.mtu = mtu;
            destination.is_local = local;
            destination.available = available;
            destination.next_hop.port = resolved ? server_side : no_port;
          });
        }
      }
      const auto one = still.director.send(in, packet);
      ++passing.director.now_s;
      const auto other = passing.director.send(in, packet);
      ASSERT_EQ(one.size(), other.size()) << "round " << round << ", packet " << i << ": " << testing::describe(packet);
      for (std::size_t sent = 0; sent < one.size(); ++sent) {
        ASSERT_EQ(one[sent].first, other[sent].first);
        ASSERT_EQ(testing::difference(other[sent].second, one[sent].second), "");
      }
    }
    const auto counters = [](Twin& twin) {
      const DestinationCounters& all = twin.director.worker().view().destination_counters[index(twin.destination)];
      return std::vector{all.connections.read(), all.in_packets.read(), all.in_bytes.read(), all.out_packets.read(),
                         all.out_bytes.read()};
    };
    ASSERT_EQ(counters(still), counters(passing));
    for (std::size_t reason = 0; reason < drop_reasons; ++reason) {
      ASSERT_EQ(still.director.dropped(DropReason(reason)), passing.director.dropped(DropReason(reason)));
    }
    ASSERT_EQ(still.director.broken_law(), "");
  }
}

}  // namespace
}  // namespace sluice::dataplane
