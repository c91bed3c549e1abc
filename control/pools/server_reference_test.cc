#include "control/pools/server_reference.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

VirtualServiceSpec service(const char* address, std::uint16_t port, net::Protocol protocol = net::Protocol::tcp) {
  VirtualServiceSpec spec;
  spec.key.protocol = protocol;
  spec.key.address = *net::IpAddr::parse(address);
  spec.key.port = net::L4Port::of(port);
  return spec;
}

VirtualServiceSpec marked(std::uint32_t mark) {
  VirtualServiceSpec spec;
  spec.key.mark = mark;
  return spec;
}

RealServerSpec server(const char* address, std::uint16_t port) {
  RealServerSpec spec;
  spec.destination.key = {*net::IpAddr::parse(address), net::L4Port::of(port)};
  return spec;
}

PoolSpec pool(std::vector<VirtualServiceSpec> services, std::vector<RealServerSpec> servers = {}) {
  PoolSpec spec;
  spec.services = std::move(services);
  spec.servers = std::move(servers);
  return spec;
}

PoolList pools() {
  PoolSpec group = pool({service("10.0.0.7", 80), service("10.0.0.8", 80)});
  group.group = "[web]:0";
  return {pool({service("10.0.0.1", 80)}),
          pool({service("10.0.0.1", 53)}),
          pool({service("10.0.0.1", 53, net::Protocol::udp)}),
          pool({service("2001:db8::1", 80)}),
          pool({marked(5)}),
          group};
}

TEST(FindPool, ByEveryNameThatIsPlainEnough) {
  const PoolList all = pools();
  EXPECT_EQ(find_pool("[10.0.0.1]:tcp:80", all), 0u);
  EXPECT_EQ(find_pool("10.0.0.1:80", all), 0u);
  EXPECT_EQ(find_pool("10.0.0.1:53/udp", all), 2u);
  EXPECT_EQ(find_pool("[2001:db8::1]:80", all), 3u);
  EXPECT_EQ(find_pool("[2001:db8::1]:tcp:80", all), 3u);
  EXPECT_EQ(find_pool("FWM 5", all), 4u);
  EXPECT_EQ(find_pool("fwmark 5", all), 4u);
  EXPECT_EQ(find_pool("[web]:0", all), 5u);
  EXPECT_EQ(find_pool("10.0.0.8:80", all), 5u);
}

TEST(FindPool, WhatIsntOneSaysWhichThereAre) {
  EXPECT_EQ(find_pool("10.0.0.1:53", pools()).error().text(),
            "10.0.0.1:53: is more than one virtual server: [10.0.0.1]:tcp:53, [10.0.0.1]:udp:53");
  EXPECT_EQ(find_pool("10.0.0.2:80", PoolList{pool({service("10.0.0.1", 80)})}).error().text(),
            "10.0.0.2:80: no such virtual server; expected one of [10.0.0.1]:tcp:80");
  EXPECT_EQ(find_pool("", PoolList{}).error().text(), "no such virtual server: there is none");
}

TEST(FindServer, ByAddressAndPortOrAddressAlone) {
  const PoolSpec all =
      pool({service("10.0.0.1", 80)}, {server("10.0.2.11", 80), server("10.0.2.12", 80), server("10.0.2.12", 81)});
  EXPECT_EQ(find_server("10.0.2.12:81", all), 2u);
  EXPECT_EQ(find_server("10.0.2.11", all), 0u);
  EXPECT_EQ(find_server("[10.0.2.12]:tcp:80", all), 1u);
  EXPECT_EQ(find_server("10.0.2.12", all).error().text(),
            "10.0.2.12: is more than one real server: 10.0.2.12:80, 10.0.2.12:81");
  EXPECT_EQ(find_server("10.0.2.1", all).error().text(),
            "10.0.2.1: no such real server; expected one of 10.0.2.11:80, 10.0.2.12:80, 10.0.2.12:81");
}

}  // namespace
}  // namespace sluice::control
