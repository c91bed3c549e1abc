#include "control/netlink/reflector.h"

#include <gtest/gtest.h>

#include "control/netlink/test_namespace.h"

namespace sluice::control::netlink {
namespace {

class ReflectorTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!namespace_) GTEST_SKIP() << "needs root: cannot make a network namespace";
  }
  std::unique_ptr<Reflector> start(ReflectorOptions options = {}) {
    const auto inside = namespace_->enter();
    auto reflector = Reflector::start(io_, options);
    if (!reflector) {
      ADD_FAILURE() << reflector.error().text();
      return nullptr;
    }
    return std::move(*reflector);
  }
  bool until(const std::function<bool()>& done) { return run_until(io_, done); }

  std::optional<TestNamespace> namespace_ = TestNamespace::create();
  boost::asio::io_context io_;
};

TEST_F(ReflectorTest, KnowsAtOnceWhatWasThereBefore) {
  ASSERT_TRUE(
      namespace_->run("ip link add eth1 type veth peer name eth2; ip link set eth1 address 02:00:00:00:00:01 "
                      "mtu 1400 up; ip addr add 10.0.0.1/24 dev eth1; ip link add mac1 link eth1 type macvlan"));
  const auto reflector = start();
  ASSERT_TRUE(reflector);
  const Link* link = reflector->link("eth1");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->mac.text(), "02:00:00:00:00:01");
  EXPECT_EQ(link->mtu, 1400u);
  EXPECT_EQ(link->kind, "veth");
  EXPECT_TRUE(link->up);
  EXPECT_FALSE(link->running) << "the peer is down";
  EXPECT_GE(link->rx_queues, 1u);
  EXPECT_EQ(reflector->link("mac1")->parent_ifindex, link->ifindex);
  EXPECT_TRUE(reflector->link("lo")->loopback);
  EXPECT_TRUE(reflector->is_local(net::Ipv4Addr::of(10, 0, 0, 1)));
  EXPECT_EQ(reflector->link_with(net::Ipv4Addr::of(10, 0, 0, 1)), link);
}

TEST_F(ReflectorTest, FollowsLinksAndAddresses) {
  const auto reflector = start();
  ASSERT_TRUE(reflector);
  std::vector<std::string> told;
  const auto subscription = reflector->subscribe({
      .link_changed = [&](const Link& link) { told.push_back(link.name + (link.running ? " runs" : "")); },
      .link_removed = [&](const Link& link) { told.push_back(link.name + " gone"); },
      .address_added = [&](const InterfaceAddress& it) { told.push_back("+" + it.address.text()); },
      .address_removed = [&](const InterfaceAddress& it) { told.push_back("-" + it.address.text()); },
  });
  const auto heard = [&](const char* what) {
    return until([&] { return std::find(told.begin(), told.end(), what) != told.end(); });
  };
  ASSERT_TRUE(namespace_->run("ip link add eth1 type veth peer name eth2; ip link set eth2 up; ip link set eth1 up"));
  EXPECT_TRUE(heard("eth1 runs"));
  ASSERT_TRUE(namespace_->run("ip addr add 10.0.0.1/24 dev eth1"));
  EXPECT_TRUE(heard("+10.0.0.1"));
  ASSERT_TRUE(namespace_->run("ip addr del 10.0.0.1/24 dev eth1"));
  EXPECT_TRUE(heard("-10.0.0.1"));
  EXPECT_FALSE(reflector->is_local(net::Ipv4Addr::of(10, 0, 0, 1)));
  ASSERT_TRUE(namespace_->run("ip link del eth1"));
  EXPECT_TRUE(heard("eth1 gone"));
  EXPECT_FALSE(reflector->link("eth1"));
}

TEST_F(ReflectorTest, LostEventsAreMadeUpForByReadingEverythingAgain) {
  const auto reflector = start({.receive_buffer_bytes = 4096});
  ASSERT_TRUE(reflector);
  ASSERT_TRUE(namespace_->run("ip addr add 10.9.9.9/32 dev lo"));
  ASSERT_TRUE(until([&] { return reflector->is_local(net::Ipv4Addr::of(10, 9, 9, 9)); }));
  int routing_changed = 0;
  const auto subscription = reflector->subscribe({.routing_changed = [&] { ++routing_changed; }});
  // Nobody reads meanwhile: far more than the buffer holds.
  ASSERT_TRUE(
      namespace_->run("i=1; while [ $i -le 200 ]; do echo addr add 10.5.0.$i/32 dev lo; i=$((i+1)); done | "
                      "ip -batch -; ip addr del 10.9.9.9/32 dev lo"));
  EXPECT_TRUE(until([&] { return reflector->mirror().addresses().size() >= 201; }));
  EXPECT_TRUE(until([&] { return !reflector->is_local(net::Ipv4Addr::of(10, 9, 9, 9)); }));
  EXPECT_TRUE(until([&] { return routing_changed > 0; }));
  EXPECT_GE(reflector->counters().overruns, 1u);
  EXPECT_GE(reflector->counters().resyncs, 2u);
  // And it goes on by events.
  ASSERT_TRUE(namespace_->run("ip addr add 10.9.9.9/32 dev lo"));
  EXPECT_TRUE(until([&] { return reflector->is_local(net::Ipv4Addr::of(10, 9, 9, 9)); }));
}

TEST_F(ReflectorTest, EndedSubscriptionHearsNothing) {
  const auto reflector = start();
  ASSERT_TRUE(reflector);
  int ended = 0;
  int kept = 0;
  std::optional subscription = reflector->subscribe({.address_added = [&](const auto&) { ++ended; }});
  const auto other = reflector->subscribe({.address_added = [&](const auto&) { subscription.reset(), ++kept; }});
  subscription.reset();
  ASSERT_TRUE(namespace_->run("ip addr add 10.0.0.1/32 dev lo"));
  EXPECT_TRUE(until([&] { return kept == 1; }));
  EXPECT_EQ(ended, 0);
}

}  // namespace
}  // namespace sluice::control::netlink
