#include "net/address.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

TEST(Ipv4Addr, ParsesDottedQuadsAndNothingElse) {
  EXPECT_EQ(Ipv4Addr::parse("10.0.2.11"), Ipv4Addr::of(10, 0, 2, 11));
  for (const char* bad : {"", "10.0.2", "10.0.2.256", "10.0.2.11 ", "10.0.2.11/24", "host", "1.2.3.4.5"}) {
    EXPECT_FALSE(Ipv4Addr::parse(bad)) << bad;
  }
  EXPECT_FALSE(Ipv4Addr::parse(std::string(200, '1')));
}

TEST(Ipv4Addr, IsKeptInNetworkOrderAndComparedAsANumber) {
  EXPECT_EQ(Ipv4Addr::of(1, 2, 3, 4).host(), 0x01020304u);
  EXPECT_LT(Ipv4Addr::of(10, 0, 0, 255), Ipv4Addr::of(10, 0, 1, 0));
  EXPECT_EQ(Ipv4Addr::of(192, 168, 0, 1).text(), "192.168.0.1");
}

TEST(IpAddr, AColonSelectsIpv6) {
  EXPECT_TRUE(IpAddr::parse("::1")->is_v6());
  EXPECT_TRUE(IpAddr::parse("1.2.3.4")->is_v4());
  EXPECT_EQ(IpAddr::parse("2001:DB8::0001")->text(), "2001:db8::1");
  EXPECT_EQ(IpAddr::parse("1.2.3.4")->v4(), Ipv4Addr::of(1, 2, 3, 4));
  EXPECT_FALSE(IpAddr::parse(":"));
  EXPECT_LT(*IpAddr::parse("255.255.255.255"), *IpAddr::parse("::"));
}

TEST(MacAddr, RoundTripsAndRefusesOtherForms) {
  EXPECT_EQ(MacAddr::parse("02:00:5e:Aa:00:ff")->text(), "02:00:5e:aa:00:ff");
  for (const char* bad : {"", "02:00:5e:aa:00", "02-00-5e-aa-00-ff", "02:00:5e:aa:00:fg", "02:00:5e:aa:00:ff:"}) {
    EXPECT_FALSE(MacAddr::parse(bad)) << bad;
  }
}

TEST(EndpointText, BracketsIpv6Only) {
  EXPECT_EQ(endpoint_text(*IpAddr::parse("1.2.3.4"), L4Port::of(80)), "1.2.3.4:80");
  EXPECT_EQ(endpoint_text(*IpAddr::parse("::1"), L4Port::of(80)), "[::1]:80");
}

}  // namespace
}  // namespace sluice::net
