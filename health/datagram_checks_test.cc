// UDP_CHECK, DNS_CHECK and PING_CHECK against real sockets on loopback that behave well, badly, and worse.
#include <boost/asio/ip/udp.hpp>

#include "health/check_test.h"
#include "health/datagram.h"
#include "health/dns_check.h"
#include "health/ping_check.h"
#include "health/udp_check.h"

namespace sluice::health {
namespace {

using asio::ip::udp;

/// What a server sends back for one datagram, one after the other.
using Answers = std::function<std::vector<std::string>(const std::string&)>;

class DatagramChecks : public CheckTest {
 protected:
  Connect serve_udp(Answers answers, const asio::ip::address& address = asio::ip::address_v4::loopback()) {
    servers_.emplace_back(io_, udp::endpoint(address, 0));
    asio::co_spawn(io_, answer(servers_.back(), std::move(answers)), asio::detached);
    return at(servers_.back().local_endpoint().port());
  }

  static asio::awaitable<void> answer(udp::socket& socket, Answers answers) {
    for (;;) {
      char buffer[2048];
      udp::endpoint from;
      const auto [error, size] = co_await socket.async_receive_from(asio::buffer(buffer), from, no_throw);
      if (error) co_return;
      for (const std::string& bytes : answers({buffer, size})) {
        co_await socket.async_send_to(asio::buffer(bytes), from, no_throw);
      }
    }
  }

  std::uint16_t unused_udp_port() {
    udp::socket gone(io_, udp::endpoint(asio::ip::address_v4::loopback(), 0));
    return gone.local_endpoint().port();
  }

  ProbeResult udp_check(UdpCheckSpec spec) {
    UdpCheck check(std::move(spec), {}, true);
    return run(check);
  }
  ProbeResult dns_check(DnsCheckSpec spec) {
    DnsCheck check(std::move(spec), {}, true, 1);
    return run(check);
  }
  ProbeResult ping(Connect connect) {
    PingCheck check({std::move(connect)}, {}, true, 0x1234);
    return run(check);
  }

  std::list<udp::socket> servers_;
};

std::vector<std::string> nothing(const std::string&) { return {}; }

/// The question with the header's flags changed to an answer's.
std::string answered(std::string question, char rcode) {
  question[2] = static_cast<char>(0x81);
  question[3] = static_cast<char>(0x80 | rcode);
  return question;
}

TEST_F(DatagramChecks, UdpSucceedsWhenNobodyObjects) {
  EXPECT_RESULT(udp_check({.connect = serve_udp(nothing)}), success, "no error within 150 ms");
}

TEST_F(DatagramChecks, UdpFailsWhenThePortIsClosed) {
  EXPECT_RESULT(udp_check({.connect = at(unused_udp_port())}), failure, "connection refused");
  EXPECT_RESULT(udp_check({.connect = at(unused_udp_port()), .require_reply = true}), failure, "connection refused");
}

TEST_F(DatagramChecks, UdpSendsItsPayload) {
  std::string seen;
  const Connect connect = serve_udp([&](const std::string& bytes) {
    seen = bytes;
    return std::vector<std::string>{""};
  });
  EXPECT_RESULT(udp_check({.connect = connect, .payload = {1, 0, 255}}), success, "a reply of 0 bytes");
  EXPECT_EQ(seen, std::string("\1\0\xff", 3));
  udp_check({.connect = connect});
  EXPECT_EQ(seen.size(), 32u);
}

TEST_F(DatagramChecks, UdpWithARequiredReplyFailsOnSilence) {
  EXPECT_RESULT(udp_check({.connect = serve_udp(nothing), .require_reply = true}), failure, "no reply within 150 ms");
}

TEST_F(DatagramChecks, UdpComparesLengthAndBytesOnlyWithAPattern) {
  const Connect connect =
      serve_udp([](const std::string&) { return std::vector<std::string>{std::string(2000, 'a')}; });
  EXPECT_RESULT(udp_check({.connect = connect, .require_reply = true}), success, "a reply of 2000 bytes");
  UdpCheckSpec spec{.connect = connect, .require_reply = true, .reply = parse_byte_pattern("6x 61 61")};
  EXPECT_RESULT(udp_check(spec), failure, "a reply of 2000 bytes, expected 0 to 255");
  spec.max_reply_length = 2000;
  EXPECT_RESULT(udp_check(spec), success, "a reply of 2000 bytes");
  spec.min_reply_length = 2001;
  EXPECT_RESULT(udp_check(spec), failure, "a reply of 2000 bytes, expected 2001 to 2000");
  spec.min_reply_length = 0;
  spec.reply = parse_byte_pattern("6x 61 62");
  EXPECT_RESULT(udp_check(spec), failure, "a reply of 2000 bytes that is not as required");
}

TEST_F(DatagramChecks, UdpWithABadBindAddressIsNotCounted) {
  Connect connect = serve_udp(nothing);
  connect.bind_address = net::Ipv4Addr::of(192, 0, 2, 1);
  EXPECT_RESULT(udp_check({.connect = connect}), not_counted, "bind failed: cannot assign requested address");
}

TEST_F(DatagramChecks, DnsSucceedsWithAnAnswerThatIsNoError) {
  std::string seen;
  const Connect connect = serve_udp([&](const std::string& question) {
    seen = question;
    return std::vector<std::string>{answered(question, 0)};
  });
  EXPECT_RESULT(dns_check({.connect = connect, .type = DnsType::a, .name = "example.org"}), success, "answered");
  EXPECT_EQ(seen.substr(12), std::string("\7example\3org\0\0\1\0\1", 17));
}

TEST_F(DatagramChecks, DnsFailsWithTheErrorThatIsAnswered) {
  const Connect connect =
      serve_udp([](const std::string& question) { return std::vector<std::string>{answered(question, 2)}; });
  EXPECT_RESULT(dns_check({.connect = connect}), failure, "answered SERVFAIL");
}

TEST_F(DatagramChecks, DnsSkipsWhatIsNotItsAnswer) {
  const auto noise = [](const std::string& question) {
    std::string other_id = answered(question, 2);
    other_id[0] = static_cast<char>(other_id[0] + 1);
    return std::vector<std::string>{"", "x", question, other_id};
  };
  const Connect then_good = serve_udp([&](const std::string& question) {
    auto all = noise(question);
    all.push_back(answered(question, 0));
    return all;
  });
  EXPECT_RESULT(dns_check({.connect = then_good}), success, "answered");
  EXPECT_RESULT(dns_check({.connect = serve_udp(noise)}), failure, "no answer within 150 ms, but 4 other datagrams");
}

TEST_F(DatagramChecks, DnsGivesUpInTimeOnAPeerThatFloods) {
  const Connect connect = serve_udp([](const std::string&) { return std::vector<std::string>(); });
  bool done = false;
  // Every millisecond something that is no answer, to whoever asked.
  udp::socket flood(io_, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto send = [&](udp::endpoint to) -> asio::awaitable<void> {
    while (!done) {
      co_await flood.async_send_to(asio::buffer("noise", 5), to, no_throw);
      asio::steady_timer timer(io_, 1ms);
      co_await timer.async_wait(no_throw);
    }
  };
  Connect to = connect;
  to.port = net::L4Port::of(flood.local_endpoint().port());
  to.bind_address = net::Ipv4Addr::of(127, 0, 0, 1);
  to.bind_port = net::L4Port::of(unused_udp_port());
  asio::co_spawn(io_, send({asio::ip::address_v4::loopback(), to.bind_port.host()}), asio::detached);
  const ProbeResult result = dns_check({.connect = to});
  done = true;
  EXPECT_EQ(result.verdict, Verdict::failure);
  EXPECT_TRUE(result.reason.starts_with("no answer within 150 ms, but ")) << result.reason;
  io_.run_for(5ms);  // the flood ends
}

TEST_F(DatagramChecks, DnsFailsWhenThePortIsClosed) {
  EXPECT_RESULT(dns_check({.connect = at(unused_udp_port())}), failure, "connection refused");
}

TEST_F(DatagramChecks, DnsIsNotCountedWhenTheNameIsNone) {
  EXPECT_RESULT(dns_check({.connect = at(1), .name = "a..b"}), not_counted, "\"a..b\" is no domain name");
}

/// Whether this host lets us send echoes at all.
bool may_ping() {
  EventLoop loop;
  Socket socket(loop);
  return !open_icmp(socket, {.address = net::Ipv4Addr::of(127, 0, 0, 1)}).problem;
}

TEST_F(DatagramChecks, PingSucceedsWhenTheHostEchoes) {
  if (!may_ping()) GTEST_SKIP() << "needs CAP_NET_RAW or net.ipv4.ping_group_range";
  EXPECT_RESULT(ping(at(0)), success, "echoed");
  EXPECT_RESULT(ping({.address = *net::IpAddr::parse("::1"), .timeout = step_timeout}), success, "echoed");
}

TEST_F(DatagramChecks, PingFailsWhenNothingComesBack) {
  if (!may_ping()) GTEST_SKIP() << "needs CAP_NET_RAW or net.ipv4.ping_group_range";
  // Sent out through loopback to an address that nobody there has: it is dropped as a martian.
  Connect nobody{.address = net::Ipv4Addr::of(192, 0, 2, 77), .bind_interface = "lo", .timeout = step_timeout};
  EXPECT_RESULT(ping(nobody), failure, "no echo within 150 ms");
}

}  // namespace
}  // namespace sluice::health
