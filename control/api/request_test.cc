#include "control/api/request.h"

#include <gtest/gtest.h>

namespace sluice::control::api {
namespace {

TEST(ParseTarget, SplitsPathAndQuery) {
  const auto request = parse_target("/connections?limit=10&x&client=10.0.0.1%3A80&limit=20&");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, "/connections");
  const std::map<std::string, std::string> expected{{"limit", "20"}, {"x", ""}, {"client", "10.0.0.1:80"}};
  EXPECT_EQ(request->query, expected);
  EXPECT_EQ(request->number("limit", 5), 20u);
  EXPECT_EQ(request->number("client", 5), 5u);
  EXPECT_EQ(request->number("absent", 5), 5u);
}

TEST(ParseTarget, RefusesWhatIsNoPath) {
  for (const char* bad : {"", "services", "*", "http://x/services", "/a%", "/a%1", "/a%zz", "/a%00", "/a?b=%+1"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
}

TEST(Request, WhatWasEncodedComesBack) {
  const std::string odd = "/etc/a b&c=d%?#\xff.conf";
  EXPECT_EQ(percent_encoded("/etc/keepalived/keepalived-2.conf"), "/etc/keepalived/keepalived-2.conf");
  EXPECT_EQ(parse_target("/diff?file=" + percent_encoded(odd))->query.at("file"), odd);
}

}  // namespace
}  // namespace sluice::control::api
