#include "control/netlink/changes.h"

#include <gtest/gtest.h>
#include <linux/if_addr.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/netlink/test_namespace.h"

namespace sluice::control::netlink {
namespace {

class ChangesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!namespace_) GTEST_SKIP() << "needs root, to make a network namespace";
    inside_.reset(new TestNamespace::Inside(namespace_->enter()));
    ASSERT_TRUE(namespace_->run("ip link add e0 type veth peer name e1; ip link set e0 up; ip link set e1 up"));
    ifindex_ = int(if_index());
    auto changer = Changer::open();
    ASSERT_TRUE(changer) << changer.error().text();
    changer_.emplace(std::move(*changer));
  }

  static unsigned if_index() {
    unsigned index = 0;
    FILE* pipe = popen("ip -o link show e0 | cut -d: -f1", "r");
    if (pipe == nullptr || fscanf(pipe, "%u", &index) != 1) index = 0;
    if (pipe != nullptr) pclose(pipe);
    return index;
  }

  NewAddress v4(const char* text, std::uint8_t length) const {
    return {.address = {ifindex_, *net::IpAddr::parse(text), length}};
  }

  std::optional<TestNamespace> namespace_ = TestNamespace::create();
  std::unique_ptr<TestNamespace::Inside> inside_;
  std::optional<Changer> changer_;
  int ifindex_ = 0;
};

TEST_F(ChangesTest, AnAddressComesWithAllThatWasSaidOfItAndGoes) {
  NewAddress address = v4("192.0.2.1", 24);
  address.label = "e0:vip";
  address.broadcast = net::Ipv4Addr::of(192, 0, 2, 255);
  address.scope = 253;
  ASSERT_EQ(changer_->apply(add_address_request(address)), 0);
  const std::string shown = output_of("ip -4 address show dev e0");
  EXPECT_NE(shown.find("inet 192.0.2.1/24 brd 192.0.2.255 scope link e0:vip"), std::string::npos) << shown;
  EXPECT_EQ(changer_->apply(add_address_request(address)), EEXIST);
  EXPECT_EQ(changer_->apply(remove_address_request(address)), 0);
  EXPECT_EQ(changer_->apply(remove_address_request(address)), EADDRNOTAVAIL);
}

TEST_F(ChangesTest, APeerAndAnAgeingIpv6Address) {
  NewAddress peer = v4("10.1.1.1", 32);
  peer.peer = Prefix{*net::IpAddr::parse("10.1.1.2"), 32};
  NewAddress v6 = v4("fd00::1", 128);
  v6.preferred_lifetime = std::chrono::seconds(0);
  v6.flags = IFA_F_NODAD;
  std::vector<Bytes> requests{add_address_request(peer), add_address_request(v6)};
  EXPECT_EQ(changer_->apply(requests), (std::vector<int>{0, 0}));
  const std::string shown = output_of("ip address show dev e0");
  EXPECT_NE(shown.find("inet 10.1.1.1 peer 10.1.1.2/32"), std::string::npos) << shown;
  EXPECT_NE(shown.find("inet6 fd00::1/128 scope global nodad deprecated"), std::string::npos) << shown;
  EXPECT_EQ(changer_->apply(remove_address_request(peer)), 0);
}

TEST_F(ChangesTest, ManyAtOnceEachWithItsOwnAnswer) {
  std::vector<Bytes> requests;
  for (int i = 0; i < 500; ++i) {
    NewAddress address = v4("10.0.0.0", 32);
    address.address.address = net::Ipv4Addr::of(10, 0, std::uint8_t(i / 250), std::uint8_t(i % 250));
    if (i == 7) address.address.ifindex = 9999;
    requests.push_back(add_address_request(address));
  }
  const auto errors = changer_->apply(requests);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(errors[std::size_t(i)], i == 7 ? ENODEV : 0) << i;
}

}  // namespace
}  // namespace sluice::control::netlink
