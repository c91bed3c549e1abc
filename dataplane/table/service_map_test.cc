#include "dataplane/table/service_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sluice::dataplane {
namespace {

ServiceKey key(std::uint32_t address, std::uint16_t port, net::Protocol protocol = net::Protocol::tcp) {
  return {protocol, net::Ipv4Addr::from_host(address), net::L4Port::of(port)};
}

TEST(ServiceMap, FindsByProtocolAddressAndPort) {
  ServiceMap map = std::move(*ServiceMap::create());
  map.insert(key(1, 80), ServiceId{7}, false);
  EXPECT_EQ(map.find(key(1, 80)), ServiceId{7});
  EXPECT_EQ(map.find(key(1, 81)), std::nullopt);
  EXPECT_EQ(map.find(key(2, 80)), std::nullopt);
  EXPECT_EQ(map.find(key(1, 80, net::Protocol::udp)), std::nullopt);
}

TEST(ServiceMap, FindsByMarkWithoutMakingAnAddressVirtual) {
  ServiceMap map = std::move(*ServiceMap::create());
  const ServiceKey five{net::Protocol{0}, {}, {}, 5}, most{net::Protocol{0}, {}, {}, 0xffffffff};
  map.insert(five, ServiceId{7}, true);
  map.insert(most, ServiceId{8}, false);
  EXPECT_EQ(map.find_mark(5), ServiceId{7});
  EXPECT_EQ(map.find_mark(0xffffffff), ServiceId{8});
  EXPECT_EQ(map.find_mark(6), std::nullopt);
  EXPECT_EQ(map.find(key(0, 0, net::Protocol{0})), std::nullopt);
  EXPECT_FALSE(map.virtual_address({}).is_virtual);
  EXPECT_TRUE(map.marks_have_nat());
  map.change_nat(five, false);
  EXPECT_FALSE(map.marks_have_nat());
  map.change_nat(most, true);
  map.erase(five, false);
  EXPECT_EQ(map.find_mark(5), std::nullopt);
  EXPECT_TRUE(map.marks_have_nat());
  map.erase(most, true);
  EXPECT_FALSE(map.marks_have_nat());
}

TEST(ServiceMap, AnAddressIsVirtualAsLongAsAServiceHasIt) {
  ServiceMap map = std::move(*ServiceMap::create());
  const auto address = net::Ipv4Addr::from_host(1);
  map.insert(key(1, 80), ServiceId{1}, true);
  map.insert(key(1, 443), ServiceId{2}, false);
  EXPECT_TRUE(map.virtual_address(address).has_nat);
  map.change_nat(key(1, 80), false);
  EXPECT_FALSE(map.virtual_address(address).has_nat);
  map.change_nat(key(1, 443), true);
  EXPECT_TRUE(map.virtual_address(address).has_nat);
  map.erase(key(1, 443), true);
  EXPECT_TRUE(map.virtual_address(address).is_virtual);
  EXPECT_FALSE(map.virtual_address(address).has_nat);
  map.erase(key(1, 80), false);
  EXPECT_FALSE(map.virtual_address(address).is_virtual);
}

// Against std::map, in a small and well-filled table, where probes are long and wrap around.
TEST(ProbeTableProperty, EqualsAMap) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ProbeTable table = std::move(*ProbeTable::create(256, "test"));
  std::map<std::uint64_t, std::uint32_t> model;
  for (int step = 0; step < 200000; ++step) {
    const std::uint64_t which = random() % 400;
    if (random() % 2 == 0 && (model.size() < 200 || model.contains(which))) {
      const auto value = std::uint32_t(random());
      table.at(which) = value;
      model[which] = value;
    } else {
      table.erase(which);
      model.erase(which);
    }
    const std::uint64_t asked = random() % 400;
    const std::uint32_t* found = table.find(asked);
    const auto expected = model.find(asked);
    ASSERT_EQ(found != nullptr, expected != model.end()) << "step " << step;
    if (found != nullptr) ASSERT_EQ(*found, expected->second) << "step " << step;
  }
}

}  // namespace
}  // namespace sluice::dataplane
