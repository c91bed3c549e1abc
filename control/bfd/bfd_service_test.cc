// Two sessions of one service that talk to each other over a loopback of their own: both threads, the sockets, and what
// VRRP and the control thread are told.
#include "control/bfd/bfd_service.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "control/netlink/test_namespace.h"

namespace sluice::control {
namespace {

using netlink::run_until;
using netlink::TestNamespace;
using namespace std::chrono_literals;

net::IpAddr ip(std::string_view text) { return net::IpAddr::parse(text).value(); }

config::BfdInstance instance(const std::string& name, std::string_view source, std::string_view neighbor) {
  config::BfdInstance one;
  one.name = name;
  one.source = ip(source);
  one.neighbor = ip(neighbor);
  one.min_rx = one.min_tx = 20ms;
  return one;
}

config::Config config_of(BfdInstances instances) {
  config::Config config;
  config.bfd_instances = std::move(instances);
  return config;
}

class BfdServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!lab_ || !lab_->run("ip link set lo up")) GTEST_SKIP() << "needs the right to make namespaces";
  }

  /// The service in a namespace; control's news and lines are kept.
  void start(const config::Config& config) {
    const auto inside = lab_->enter();
    service_ = std::make_unique<BfdService>(
        io_, config,
        BfdService::Hooks{.log = [this](const BfdLine& line) { log_ += line.text + "\n"; },
                          .changed = [this](const BfdNews& news) { checkers_[news.name] = news.up; }});
    service_->tell_vrrp([this](const TrackedStatus& status) {
      const std::lock_guard hold(mutex_);
      vrrp_.push_back(status);
    });
  }
  bool is_up(const std::string& name) {
    for (const TrackedStatus& status : service_->tracked()) {
      if (status.name == name) return status.up == true;
    }
    return false;
  }
  BfdStatus status() {
    std::optional<BfdStatus> result;
    service_->status([&](BfdStatus status) { result = std::move(status); });
    run_until(io_, [&] { return result.has_value(); });
    return result.value();
  }
  std::vector<TrackedStatus> told_vrrp() {
    const std::lock_guard hold(mutex_);
    return vrrp_;
  }

  std::optional<TestNamespace> lab_ = TestNamespace::create();
  boost::asio::io_context io_;
  std::string log_;
  std::map<std::string, bool> checkers_;
  std::mutex mutex_;
  std::vector<TrackedStatus> vrrp_;  // under mutex_: it is filled on the bfd thread
  std::unique_ptr<BfdService> service_;
};

TEST_F(BfdServiceTest, TellsVrrpAndCheckersWhoIsReached) {
  config::BfdInstance b = instance("b", "127.0.0.2", "127.0.0.1");
  b.for_vrrp = false;
  start(config_of({instance("a", "127.0.0.1", "127.0.0.2"), b}));
  ASSERT_TRUE(run_until(io_, [&] { return checkers_["a"] && checkers_["b"]; })) << log_;
  EXPECT_TRUE(is_up("a"));
  EXPECT_EQ(service_->tracked().size(), 1u) << "b is none of VRRP's";
  for (const TrackedStatus& each : told_vrrp()) EXPECT_EQ(each.name, "a");
  EXPECT_EQ(told_vrrp().back().up, true);
  EXPECT_NE(log_.find("(a) Entering Up state"), std::string::npos);
  EXPECT_EQ(status().sessions.size(), 2u);
}

TEST_F(BfdServiceTest, AReloadKeepsWhatStaysAndEndsWhatGoes) {
  const auto a = instance("a", "127.0.0.1", "127.0.0.2"), b = instance("b", "127.0.0.2", "127.0.0.1");
  start(config_of({a, b}));
  ASSERT_TRUE(run_until(io_, [&] { return checkers_["a"] && checkers_["b"]; })) << log_;
  const auto number = status().sessions[0].discriminator;
  service_->reload(config_of({a}));
  ASSERT_TRUE(run_until(io_, [&] { return !checkers_["a"]; })) << log_;
  const auto left = status().sessions;
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].discriminator, number);
  EXPECT_EQ(left[0].diagnostic, vrrp::bfd::Diagnostic::neighbor_signaled_down) << "b said so";
  EXPECT_FALSE(told_vrrp().back().lost_neighbor) << "which is no loss";
  service_->reload(config_of({a, b}));
  ASSERT_TRUE(run_until(io_, [&] { return checkers_["a"] && checkers_["b"]; })) << log_;
}

TEST_F(BfdServiceTest, ALossSaysWhoseItIs) {
  start(config_of({instance("a", "127.0.0.1", "127.0.0.2"), instance("b", "127.0.0.2", "127.0.0.1")}));
  ASSERT_TRUE(run_until(io_, [&] { return checkers_["a"] && checkers_["b"]; })) << log_;
  ASSERT_TRUE(lab_->run("ip link set lo down"));
  ASSERT_TRUE(run_until(io_, [&] { return !checkers_["a"]; })) << log_;
  EXPECT_FALSE(is_up("a"));
  std::optional<net::IpAddr> lost;
  for (const TrackedStatus& each : told_vrrp()) {
    if (each.name == "a" && each.lost_neighbor) lost = each.lost_neighbor;
  }
  EXPECT_EQ(lost, ip("127.0.0.2"));
}

TEST_F(BfdServiceTest, NobodyIsToldAfterHavingAskedNotToBe) {
  start(config_of({instance("a", "127.0.0.1", "127.0.0.2"), instance("b", "127.0.0.2", "127.0.0.1")}));
  ASSERT_TRUE(run_until(io_, [&] { return checkers_["a"] && checkers_["b"]; })) << log_;
  service_->tell_vrrp({});
  const auto before = told_vrrp().size();
  ASSERT_TRUE(lab_->run("ip link set lo down"));
  ASSERT_TRUE(run_until(io_, [&] { return !checkers_["a"] && !checkers_["b"]; })) << log_;
  EXPECT_EQ(told_vrrp().size(), before);
}

TEST_F(BfdServiceTest, WithoutBfdEverySessionIsDown) {
  const auto all = tracked_without_bfd(config_of({instance("a", "127.0.0.1", "127.0.0.2")}));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].up, false);
}

}  // namespace
}  // namespace sluice::control
