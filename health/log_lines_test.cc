// The lines that operators grep for, letter by letter.
#include "health/log_lines.h"

#include <gtest/gtest.h>

namespace sluice::health {
namespace {

const CheckedNames names{"[10.0.0.11]:tcp:80", "[10.0.0.1]:tcp:80"};

TEST(LogLines, SayThatACheckerIsUp) {
  const auto line = [](auto what) { return up_line({.what = what}, names); };
  EXPECT_EQ(line(TcpCheckSpec{}), "TCP connection to [10.0.0.11]:tcp:80 success.");
  EXPECT_EQ(line(HttpGetSpec{}), "Remote Web server [10.0.0.11]:tcp:80 succeed on service.");
  EXPECT_EQ(line(HttpGetSpec{.tls = TlsSpec{}}), "Remote Web server [10.0.0.11]:tcp:80 succeed on service.");
  EXPECT_EQ(line(SmtpCheckSpec{}), "Remote SMTP server [10.0.0.11]:tcp:80 succeed on service.");
  EXPECT_EQ(line(UdpCheckSpec{}), "UDP connection to [10.0.0.11]:tcp:80 success.");
  EXPECT_EQ(line(PingCheckSpec{}), "ICMP connection to [10.0.0.11]:tcp:80 success.");
}

TEST(LogLines, SayThatACheckerIsDownAndWhy) {
  const auto line = [](auto what, std::uint32_t retries, const std::string& reason) {
    return down_line({.what = what}, names, retries, reason);
  };
  EXPECT_EQ(line(TcpCheckSpec{}, 0, "connection refused"),
            "TCP_CHECK on service [10.0.0.11]:tcp:80 failed. (connection refused)");
  EXPECT_EQ(line(HttpGetSpec{.tls = TlsSpec{}}, 3, "why"),
            "SSL_CHECK on service [10.0.0.11]:tcp:80 failed after 3 retries. (why)");
  EXPECT_EQ(line(PingCheckSpec{}, 0, "why"), "ICMP CHECK on service [10.0.0.11]:tcp:80 failed. (why)");
}

TEST(LogLines, SayThatOneProbeFailed) {
  const auto line = [](auto what) { return failure_line({.what = what}, names, "why"); };
  EXPECT_EQ(line(TcpCheckSpec{}), "TCP connection to [10.0.0.11]:tcp:80 failed. (why)");
  EXPECT_EQ(line(HttpGetSpec{.tls = TlsSpec{}}), "HTTPS request to [10.0.0.11]:tcp:80 failed. (why)");
  EXPECT_EQ(line(DnsCheckSpec{}), "DNS_CHECK ([10.0.0.11]:tcp:80) failed. (why)");
}

}  // namespace
}  // namespace sluice::health
