// The engine backend with a real worker thread behind it, in memory: identities, errors, and what it shows.
#include "control/backend/engine_backend.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "dataplane/port/memory.h"

namespace sluice::control {
namespace {

const VirtualServiceKey web{net::Protocol::tcp, *net::IpAddr::parse("10.0.0.5"), net::L4Port::of(80)};
const DestinationKey server_a{*net::IpAddr::parse("10.0.2.11"), net::L4Port::of(8080)};
const DestinationKey server_b{*net::IpAddr::parse("10.0.2.12"), net::L4Port::of(8080)};

class EngineBackendTest : public ::testing::Test {
 protected:
  EngineBackendTest() {
    auto pool = std::make_unique<dataplane::MemoryPool>(64);
    std::vector<dataplane::WorkerPorts> ports(1);
    ports[0].ports.push_back(std::make_unique<dataplane::MemoryPort>(dataplane::PortId{0}, *pool));
    ports[0].pool = std::move(pool);
    dataplane::EngineConfig config;
    config.connections = 4096;
    engine = std::move(*dataplane::Engine::create(std::move(config), std::move(ports)));
    EngineBackendHooks hooks;
    hooks.watch = [this](const net::IpAddr& address) { ++watched[address]; };
    hooks.unwatch = [this](const net::IpAddr& address) { --watched[address]; };
    hooks.now_s = [this] { return now_s; };
    backend.emplace(*engine, nullptr, std::vector<EngineInterface>{{"eth7", 7}}, std::move(hooks));
    engine->start();
  }

  void settle() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (backend->collect() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(engine->mailbox(0).outstanding(), 0u);
  }

  std::uint32_t now_s = 1000;
  std::map<net::IpAddr, int> watched;
  std::unique_ptr<dataplane::Engine> engine;
  std::optional<EngineBackend> backend;
};

TEST_F(EngineBackendTest, ShowsServicesAndTheNewestDestinationFirst) {
  ASSERT_TRUE(backend->add_service({web, "wrr"}));
  ASSERT_TRUE(backend->add_destination(web, {server_a, ForwardingMethod::nat, 3}));
  ASSERT_TRUE(backend->add_destination(web, {server_b, ForwardingMethod::nat, 1}));
  const auto list = backend->services();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].spec.scheduler, "wrr");
  ASSERT_EQ(list[0].destinations.size(), 2u);
  EXPECT_EQ(list[0].destinations[0].spec.key, server_b);
  EXPECT_EQ(list[0].destinations[1].spec.weight, 3u);
  EXPECT_EQ(watched[server_a.address], 1);
  settle();
}

TEST_F(EngineBackendTest, SaysWhatIsWrongAndGoesOn) {
  const VirtualServiceKey v6{net::Protocol::tcp, *net::IpAddr::parse("2001:db8::1"), net::L4Port::of(80)};
  ASSERT_TRUE(backend->add_service({web, "rr"}));
  EXPECT_EQ(backend->add_service({web, "rr"}).error().text(), "TCP 10.0.0.5:80: the service already exists");
  EXPECT_EQ(backend->add_service({v6, "rr"}).error().text(),
            "TCP [2001:db8::1]:80: the engine forwards IPv4 only so far");
  EXPECT_EQ(backend->change_service({web, "nosuch"}).error().text(),
            "TCP 10.0.0.5:80: the engine has no scheduler 'nosuch'");
  EXPECT_EQ(backend->remove_destination(web, server_a).error().text(),
            "TCP 10.0.0.5:80 -> 10.0.2.11:8080: no such destination");
  ASSERT_TRUE(backend->add_destination(web, {server_a}));
  EXPECT_FALSE(backend->add_destination(web, {server_a}));
  EXPECT_TRUE(backend->remove_service(web));
  EXPECT_EQ(backend->remove_service(web).error().what, "no such service");
  EXPECT_EQ(backend->change_destination(web, {server_a}).error().what, "no such service");
  settle();
}

TEST_F(EngineBackendTest, TellsTheWayToADestination) {
  ASSERT_TRUE(backend->add_service({web, "rr"}));
  ASSERT_TRUE(backend->add_destination(web, {server_a}));
  const auto shown = [&] { return backend->services()[0].destinations[0].next_hop; };
  EXPECT_EQ(shown(), "unresolved: not resolved yet");
  netlink::NextHop hop;
  hop.state = netlink::NextHop::State::resolved;
  hop.ifindex = 7;
  hop.vlan = 3;
  hop.destination_mac = *net::MacAddr::parse("02:00:00:00:02:0b");
  backend->next_hop_changed(server_a.address, hop);
  EXPECT_EQ(shown(), "eth7.3 02:00:00:00:02:0b");
  hop.ifindex = 8;
  backend->next_hop_changed(server_a.address, hop);
  EXPECT_NE(shown().find("isn't one of the engine's"), std::string::npos);
  hop.state = netlink::NextHop::State::local;
  backend->next_hop_changed(server_a.address, hop);
  EXPECT_EQ(shown(), "local");
  settle();
}

TEST_F(EngineBackendTest, KeepsARemovedDestinationForAWhileThenLetsItGo) {
  ASSERT_TRUE(backend->add_service({web, "rr"}));
  ASSERT_TRUE(backend->add_destination(web, {server_a}));
  ASSERT_TRUE(backend->remove_destination(web, server_a));
  EXPECT_TRUE(backend->services()[0].destinations.empty());
  settle();
  now_s += 119;
  settle();
  EXPECT_EQ(watched[server_a.address], 1);
  ASSERT_TRUE(backend->add_destination(web, {server_a})) << "revived";
  EXPECT_EQ(watched[server_a.address], 1) << "the same entry, watched once";
  ASSERT_TRUE(backend->remove_destination(web, server_a));
  now_s += 120;
  settle();
  EXPECT_EQ(watched[server_a.address], 0);
}

TEST_F(EngineBackendTest, UsesIdsAgainWhenServicesGo) {
  for (int round = 0; round < 2000; ++round) {
    ASSERT_TRUE(backend->add_service({web, "rr"}));
    ASSERT_TRUE(backend->add_destination(web, {server_a}));
    ASSERT_TRUE(backend->remove_service(web));
    backend->collect();
  }
  settle();
}

TEST_F(EngineBackendTest, ServesMarksBesideAddresses) {
  const auto five = VirtualServiceKey::of_mark(5);
  ASSERT_TRUE(backend->set_classify({{.mark = 5, .destination = {net::Ipv4Addr::of(10, 0, 0, 5), 32}}}));
  ASSERT_TRUE(backend->add_service({five, "rr"}));
  EXPECT_EQ(backend->add_service({five, "rr"}).error().text(), "FWM 5: the service already exists");
  EXPECT_EQ(backend->add_service({VirtualServiceKey::of_mark(5, true), "rr"}).error().text(),
            "FWM 5 IPv6: the engine forwards IPv4 only so far");
  ASSERT_TRUE(backend->add_service({web, "rr"}));
  const DestinationKey any_port{server_a.address, {}};
  ASSERT_TRUE(backend->add_destination(five, {any_port, ForwardingMethod::nat}));
  ASSERT_TRUE(backend->change_destination(five, {any_port, ForwardingMethod::direct}));
  ASSERT_TRUE(backend->change_service({five, "wlc"}));
  EXPECT_EQ(backend->services().size(), 2u);
  ASSERT_TRUE(backend->remove_service(five));
  EXPECT_EQ(backend->services().size(), 1u);
  settle();
}

TEST_F(EngineBackendTest, RefusesMoreRulesThanTheWorkersTake) {
  EXPECT_EQ(backend->set_classify(std::vector<dataplane::ClassifyRule>(1025)).error().text(),
            "classify: 1025 rules are too many: the engine takes 1024");
}

TEST_F(EngineBackendTest, LetsGoOfARulesPacketsWhenItsConnectionsHaveHadTime) {
  ASSERT_TRUE(backend->add_service({VirtualServiceKey::of_mark(5), "rr"}));
  ASSERT_TRUE(backend->set_classify({{.mark = 5, .destination = {net::Ipv4Addr::of(10, 0, 0, 5), 32}}}));
  ASSERT_TRUE(backend->set_classify({}));
  settle();
  now_s += MarkRules::kept_s - 1;
  EXPECT_FALSE(backend->collect());
  now_s += 1;
  EXPECT_TRUE(backend->collect()) << "the workers are told";
  settle();
}

TEST_F(EngineBackendTest, ABatchGoesOutAtItsEndEachServiceAndRealServerOnce) {
  constexpr unsigned servers = dataplane::SetDestinations::most + 1;
  backend->begin();
  ASSERT_TRUE(backend->add_service({web, "rr"}));
  const std::size_t empty_service = engine->mailbox(0).outstanding();
  for (unsigned n = 1; n <= servers; ++n) {
    const DestinationKey key{net::Ipv4Addr::of(10, 0, 2, std::uint8_t(n)), net::L4Port::of(80)};
    ASSERT_TRUE(backend->add_destination(web, {key}));
    ASSERT_TRUE(backend->change_destination(web, {key, ForwardingMethod::nat, 5}));
  }
  EXPECT_EQ(engine->mailbox(0).outstanding(), empty_service);
  EXPECT_EQ(backend->services()[0].destinations.size(), servers) << "shown at once";
  backend->commit();
  EXPECT_EQ(engine->mailbox(0).outstanding(), empty_service + 2 + 1) << "two pieces of real servers, the service";
  settle();
}

TEST_F(EngineBackendTest, AServiceThatComesBackInTheSameBatchIsChanged) {
  ASSERT_TRUE(backend->add_service({web, "rr"}));
  ASSERT_TRUE(backend->add_destination(web, {server_a}));
  settle();
  {
    const Batch batch(*backend);
    ASSERT_TRUE(backend->remove_service(web));
    EXPECT_TRUE(backend->services().empty());
    EXPECT_FALSE(backend->add_destination(web, {server_b}));
    ASSERT_TRUE(backend->add_service({web, "wlc"}));
    ASSERT_TRUE(backend->add_destination(web, {server_b}));
  }
  EXPECT_EQ(engine->mailbox(0).outstanding(), 1u + 1 + 1)
      << "the new real server, the service, the real server that went";
  settle();
  const auto list = backend->services();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].spec.scheduler, "wlc");
  ASSERT_EQ(list[0].destinations.size(), 1u);
  EXPECT_EQ(list[0].destinations[0].spec.key, server_b);
}

TEST_F(EngineBackendTest, AnswersEveryQuestionForConnections) {
  int answers = 0;
  for (int i = 0; i < 5; ++i) {
    backend->connections(100, [&](const ConnectionList& list) {
      EXPECT_EQ(list.total, 0u);
      ++answers;
    });
  }
  settle();
  EXPECT_EQ(answers, 5);
}

}  // namespace
}  // namespace sluice::control
