#include "control/vrrp/vmac_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::control {
namespace {

config::InterfaceAddress address(const char* text, std::string dev = "") {
  config::InterfaceAddress result;
  result.address = *net::IpAddr::parse(text);
  result.dev = std::move(dev);
  return result;
}

config::VrrpInstance instance(std::string name, unsigned vrid, bool is_v6 = false) {
  config::VrrpInstance result;
  result.name = std::move(name);
  result.virtual_router_id = vrid;
  result.interface = "eth0";
  result.is_v6 = is_v6;
  result.vmac = config::Vmac{};
  result.addresses = {address(is_v6 ? "fe80::100" : "10.0.0.100")};
  return result;
}

config::Config config_of(std::vector<config::VrrpInstance> instances) {
  config::Config config;
  config.vrrp_instances = std::move(instances);
  return config;
}

netlink::Link link(int ifindex, std::string name, std::string kind = "", int parent = 0, const char* mac = nullptr) {
  netlink::Link result;
  result.ifindex = ifindex;
  result.name = std::move(name);
  result.private_mode = kind == "macvlan";
  result.kind = std::move(kind);
  result.parent_ifindex = parent;
  if (mac != nullptr) result.mac = *net::MacAddr::parse(mac);
  return result;
}

std::vector<std::string> names(const std::vector<VmacPlan>& plans) {
  std::vector<std::string> result;
  for (const VmacPlan& plan : plans) result.push_back(plan.name);
  return result;
}

using Names = std::vector<std::string>;

TEST(VmacPlanTest, TheMacIsTheVirtualRouters) {
  const auto plans = plan_vmacs(config_of({instance("A", 51), instance("B", 52, true)}), {});
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_EQ(plans[0].mac.text(), "00:00:5e:00:01:33");
  EXPECT_EQ(plans[1].mac.text(), "00:00:5e:00:02:34");
  EXPECT_EQ(plans[0].parent, "eth0");
}

TEST(VmacPlanTest, AnInstanceWithoutUseVmacHasNone) {
  auto plain = instance("A", 51);
  plain.vmac.reset();
  const auto plans = plan_vmacs(config_of({plain}), {});
  EXPECT_TRUE(plans.empty());
  EXPECT_EQ(advert_interface(plans, plain), "eth0");
  EXPECT_EQ(address_interface(plans, plain, address("10.0.0.100", "eth1")), "eth1");
}

TEST(VmacPlanTest, NamesAreThePrefixAndTheIdAndTheFirstThatIsFree) {
  auto config = config_of({instance("A", 51), instance("B", 51, true), instance("C", 51), instance("D", 51, true)});
  EXPECT_EQ(names(plan_vmacs(config, {})), (Names{"vrrp.51", "vrrp6.51", "vrrp1.51", "vrrp2.51"}));
  // One that is alone has the plain name, whatever its family is.
  EXPECT_EQ(names(plan_vmacs(config_of({instance("B", 51, true)}), {})), (Names{"vrrp.51"}));
  const std::vector there{link(2, "eth0"), link(3, "vrrp.51", "dummy")};
  EXPECT_EQ(names(plan_vmacs(config_of({instance("A", 51)}), there)), (Names{"vrrp1.51"}));
  config.global.vrrp.vmac_prefix = "a-long-long-prefix";
  EXPECT_EQ(names(plan_vmacs(config, {}))[0], "a-long-long-.51");
}

TEST(VmacPlanTest, AGivenNameIsTakenUnlessItIsSomethingElses) {
  auto named = instance("A", 51);
  named.vmac->name = "vip0";
  EXPECT_EQ(names(plan_vmacs(config_of({named}), {})), (Names{"vip0"}));
  EXPECT_EQ(names(plan_vmacs(config_of({named}), std::vector{link(2, "eth0"), link(3, "vip0", "veth")})),
            (Names{"vrrp.51"}));
}

TEST(VmacPlanTest, WhatIsThereAlreadyKeepsItsName) {
  const std::vector there{link(2, "eth0"), link(3, "vrrp7.51", "macvlan", 2, "00:00:5e:00:01:33")};
  EXPECT_EQ(names(plan_vmacs(config_of({instance("A", 51)}), there)), (Names{"vrrp7.51"}));
  auto bridge_mode = there;
  bridge_mode[1].private_mode = false;
  EXPECT_EQ(names(plan_vmacs(config_of({instance("A", 51)}), bridge_mode)), (Names{"vrrp.51"}));
  auto elsewhere = there;
  elsewhere[1].parent_ifindex = 9;
  EXPECT_EQ(names(plan_vmacs(config_of({instance("A", 51)}), elsewhere)), (Names{"vrrp.51"}));
}

TEST(VmacPlanTest, AddressesOfItsFamilyAndDeviceLiveOnIt) {
  const auto vi = instance("A", 51);
  const auto plans = plan_vmacs(config_of({vi}), {});
  EXPECT_EQ(address_interface(plans, vi, address("10.0.0.100")), "vrrp.51");
  EXPECT_EQ(address_interface(plans, vi, address("10.0.0.100", "eth0")), "vrrp.51");
  EXPECT_EQ(address_interface(plans, vi, address("10.0.0.100", "eth1")), "eth1");
  EXPECT_EQ(address_interface(plans, vi, address("fd00::1")), "eth0");
  EXPECT_EQ(advert_interface(plans, vi), "vrrp.51");
}

TEST(VmacPlanTest, WithXmitBaseOnlyTheAddressesLiveOnIt) {
  auto vi = instance("A", 51);
  vi.vmac_xmit_base = true;
  const auto plans = plan_vmacs(config_of({vi}), {});
  EXPECT_EQ(advert_interface(plans, vi), "eth0");
  EXPECT_EQ(address_interface(plans, vi, vi.addresses[0]), "vrrp.51");
}

TEST(VmacPlanTest, AddressesElsewhereHaveVmacsOfTheirOwnIfWanted) {
  auto vi = instance("A", 51);
  vi.use_vmac_addr = true;
  vi.excluded_addresses = {address("10.1.0.100", "eth1"), address("10.1.0.101", "eth1"), address("fd00::1", "eth1"),
                           address("fd00::2")};
  auto config = config_of({vi});
  config.global.vrrp.vmac_addr_prefix = "vip";
  const auto plans = plan_vmacs(config, {});
  EXPECT_EQ(names(plans), (Names{"vrrp.51", "vip.51", "vip6.51", "vip1.51"}));
  EXPECT_EQ(plans[2].mac.text(), "00:00:5e:00:02:33");
  EXPECT_EQ(address_interface(plans, vi, vi.addresses[0]), "vrrp.51");
  EXPECT_EQ(address_interface(plans, vi, vi.excluded_addresses[1]), "vip.51");
  EXPECT_EQ(address_interface(plans, vi, vi.excluded_addresses[2]), "vip6.51");
  EXPECT_EQ(address_interface(plans, vi, vi.excluded_addresses[3]), "vip1.51");
  EXPECT_EQ(advert_interface(plans, vi), "vrrp.51");
}

TEST(VmacPlanTest, OneAddressAloneMayHaveOne) {
  auto vi = instance("A", 51);
  vi.vmac.reset();
  vi.addresses.push_back(address("10.0.0.101"));
  vi.addresses[1].use_vmac = true;
  const auto plans = plan_vmacs(config_of({vi}), {});
  EXPECT_EQ(address_interface(plans, vi, vi.addresses[0]), "eth0");
  EXPECT_EQ(address_interface(plans, vi, vi.addresses[1]), "vrrp.51");
  EXPECT_EQ(advert_interface(plans, vi), "eth0");
}

}  // namespace
}  // namespace sluice::control
