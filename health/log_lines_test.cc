// The lines that operators grep for, letter by letter.
#include "health/log_lines.h"

#include <gtest/gtest.h>

// g++ 12 takes parts of the temporaries below for uninitialized.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace sluice::health {
namespace {

const CheckedNames names{"[10.0.0.11]:tcp:80", "[10.0.0.1]:tcp:80"};

template <typename What>
CheckerSpec spec_of(const What& what) {
  CheckerSpec spec;
  spec.what = what;
  return spec;
}

TEST(LogLines, SayThatACheckerIsUp) {
  const auto line = [](const auto& what) { return up_line(spec_of(what), names); };
  EXPECT_EQ(line(TcpCheckSpec{}), "TCP connection to [10.0.0.11]:tcp:80 success.");
  EXPECT_EQ(line(HttpGetSpec{}), "Remote Web server [10.0.0.11]:tcp:80 succeed on service.");
  EXPECT_EQ(line(HttpGetSpec{.tls = TlsSpec{}}), "Remote Web server [10.0.0.11]:tcp:80 succeed on service.");
  EXPECT_EQ(line(SmtpCheckSpec{}), "Remote SMTP server [10.0.0.11]:tcp:80 succeed on service.");
  EXPECT_EQ(line(MiscCheckSpec{.script = {.argv = {"/bin/x", "y"}}}),
            "Misc check for [[10.0.0.11]:tcp:80 VS [10.0.0.1]:tcp:80] by [/bin/x] succeeded.");
  EXPECT_EQ(line(UdpCheckSpec{}), "UDP connection to [10.0.0.11]:tcp:80 success.");
  EXPECT_EQ(line(PingCheckSpec{}), "ICMP connection to [10.0.0.11]:tcp:80 success.");
}

TEST(LogLines, SayWhichUrlAnswersWhileItIsDown) {
  const CheckerSpec http = spec_of(HttpGetSpec{.urls = {{.path = "/"}, {.path = "/two"}}});
  EXPECT_EQ(progress_line(http, names, "url /two: HTTP status code 200"),
            "HTTP status code success to [10.0.0.11]:tcp:80 url(/two)");
  EXPECT_EQ(progress_line(spec_of(TcpCheckSpec{}), names, "connected"), std::nullopt);
}

TEST(LogLines, SayThatACheckerIsDownAndWhy) {
  const auto line = [](const auto& what, std::uint32_t retries, const std::string& reason) {
    return down_line(spec_of(what), names, retries, reason);
  };
  EXPECT_EQ(line(TcpCheckSpec{}, 0, "connection refused"),
            "TCP_CHECK on service [10.0.0.11]:tcp:80 failed. (connection refused)");
  EXPECT_EQ(line(HttpGetSpec{.tls = TlsSpec{}}, 3, "why"),
            "SSL_CHECK on service [10.0.0.11]:tcp:80 failed after 3 retries. (why)");
  EXPECT_EQ(line(PingCheckSpec{}, 0, "why"), "ICMP CHECK on service [10.0.0.11]:tcp:80 failed. (why)");
  const MiscCheckSpec misc{.script = {.argv = {"/bin/x"}}};
  EXPECT_EQ(line(misc, 2, "exited with status 3"),
            "Misc check for [[10.0.0.11]:tcp:80 VS [10.0.0.1]:tcp:80] by [/bin/x] failed after 2 retries "
            "(exited with status 3).");
  EXPECT_EQ(line(misc, 0, "timed out"),
            "Misc check for [[10.0.0.11]:tcp:80 VS [10.0.0.1]:tcp:80] by [/bin/x] timed out.");
  EXPECT_EQ(line(misc, 1, "timed out"),
            "Misc check for [[10.0.0.11]:tcp:80 VS [10.0.0.1]:tcp:80] by [/bin/x] timed out after 1 retry.");
  CheckerSpec no_retry = spec_of(misc);
  no_retry.timings.retry = 0;
  EXPECT_EQ(down_line(no_retry, names, 0, "exited with status 3"),
            "Misc check for [[10.0.0.11]:tcp:80 VS [10.0.0.1]:tcp:80] by [/bin/x] failed with retry disabled "
            "(exited with status 3).");
  EXPECT_EQ(line(PingCheckSpec{}, 2, "why"),
            "ICMP CHECK on service [10.0.0.11]:tcp:80 of [10.0.0.1]:tcp:80 failed after 2 retries. (why)");
  const SmtpCheckSpec smtp{{.address = net::Ipv4Addr::of(10, 0, 0, 11), .port = net::L4Port::of(25)}};
  EXPECT_EQ(line(smtp, 1, "connection refused"),
            "SMTP_CHECK Could not connect to server [10.0.0.11]:25 (connection refused)");
  EXPECT_EQ(line(DnsCheckSpec{}, 3, "no answer within 1 s"),
            "DNS_CHECK ([10.0.0.11]:tcp:80) read timeout from socket after 3 retries (no answer within 1 s)");
  EXPECT_EQ(line(FileCheckSpec{"f"}, 0, "f says 3"), "([10.0.0.11]:tcp:80): tracked file f now FAULT state");
  EXPECT_EQ(line(BfdCheckSpec{"b1"}, 0, "the session is down"),
            "BFD_CHECK b1 on service [10.0.0.11]:tcp:80 failed. (the session is down)");
}

TEST(LogLines, SayThatOneProbeFailed) {
  const auto line = [](const auto& what) { return failure_line(spec_of(what), names, "why"); };
  EXPECT_EQ(line(TcpCheckSpec{}), "TCP connection to [10.0.0.11]:tcp:80 failed. (why)");
  EXPECT_EQ(line(HttpGetSpec{.tls = TlsSpec{}}), "HTTPS request to [10.0.0.11]:tcp:80 failed. (why)");
  EXPECT_EQ(line(DnsCheckSpec{}), "DNS_CHECK ([10.0.0.11]:tcp:80) failed. (why)");
}

}  // namespace
}  // namespace sluice::health
