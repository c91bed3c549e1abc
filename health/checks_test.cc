// TCP_CHECK and HTTP_GET against real listeners on loopback that behave well, badly, and worse.
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "health/http_get.h"
#include "health/tcp_check.h"

namespace sluice::health {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr auto step_timeout = 150ms;

/// What a server does with one connection, request read or not.
using Behaviour = std::function<asio::awaitable<void>(tcp::socket&)>;

class Checks : public testing::Test {
 protected:
  /// Listens on a free port and gives each connection to `behaviour`. Its sockets are kept open until the test ends,
  /// unless the behaviour closes them.
  Connect serve(Behaviour behaviour) {
    acceptors_.emplace_back(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto port = acceptors_.back().local_endpoint().port();
    asio::co_spawn(io_, accept(acceptors_.back(), std::move(behaviour)), asio::detached);
    return at(port);
  }

  static Connect at(std::uint16_t port) {
    return {.address = net::Ipv4Addr::of(127, 0, 0, 1), .port = net::L4Port::of(port), .timeout = step_timeout};
  }

  std::uint16_t unused_port() {
    tcp::acceptor gone(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    return gone.local_endpoint().port();
  }

  ProbeResult tcp_check(const Connect& connect) {
    TcpCheck check({connect}, {}, true);
    return run(check);
  }

  ProbeResult http_get(const Connect& connect, UrlSpec url = {}, HttpLimits limits = {}) {
    HttpGet check({.connect = connect, .urls = {std::move(url)}, .limits = limits}, {}, true);
    return run(check);
  }

  ProbeResult run(auto& check) {
    std::optional<ProbeResult> result;
    asio::co_spawn(io_, check.probe(), [&](const std::exception_ptr& exception, ProbeResult got) {
      if (exception) std::rethrow_exception(exception);
      result = std::move(got);
    });
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!result && std::chrono::steady_clock::now() < deadline) io_.run_one_for(100ms);
    if (!result) ADD_FAILURE() << "the probe never ended";
    return result.value_or(ProbeResult{Verdict::not_counted, "the probe never ended"});
  }

  asio::awaitable<void> accept(tcp::acceptor& acceptor, Behaviour behaviour) {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(no_throw);
      if (error) co_return;
      sockets_.push_back(std::make_unique<tcp::socket>(std::move(socket)));
      asio::co_spawn(io_, behaviour(*sockets_.back()), asio::detached);
    }
  }

  asio::io_context io_{1};
  std::list<tcp::acceptor> acceptors_;
  std::list<std::unique_ptr<tcp::socket>> sockets_;
};

asio::awaitable<std::string> read_request(tcp::socket& socket) {
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    char buffer[512];
    const auto [error, size] = co_await socket.async_read_some(asio::buffer(buffer), no_throw);
    if (error) break;
    request.append(buffer, size);
  }
  co_return request;
}

/// Reads the request, sends `answer`, closes.
Behaviour answering(std::string answer) {
  return [answer = std::move(answer)](tcp::socket& socket) -> asio::awaitable<void> {
    co_await read_request(socket);
    co_await asio::async_write(socket, asio::buffer(answer), no_throw);
    socket.close();
  };
}

/// Sends `piece` for ever, waiting `pause` in between.
Behaviour repeating(std::string opening, std::string piece, std::chrono::milliseconds pause) {
  return [=](tcp::socket& socket) -> asio::awaitable<void> {
    co_await read_request(socket);
    co_await asio::async_write(socket, asio::buffer(opening), no_throw);
    for (;;) {
      const auto [error, size] = co_await asio::async_write(socket, asio::buffer(piece), no_throw);
      if (error) co_return;
      asio::steady_timer timer(socket.get_executor(), pause);
      co_await timer.async_wait(no_throw);
    }
  };
}

asio::awaitable<void> say_nothing(tcp::socket&) { co_return; }

#define EXPECT_RESULT(result, expected_verdict, expected_reason)     \
  do {                                                               \
    const ProbeResult got = result;                                  \
    EXPECT_EQ(got.verdict, Verdict::expected_verdict) << got.reason; \
    EXPECT_EQ(got.reason, expected_reason);                          \
  } while (false)

TEST_F(Checks, TcpSucceedsWhenTheConnectionCompletes) {
  EXPECT_RESULT(tcp_check(serve(say_nothing)), success, "connected");
}

TEST_F(Checks, TcpFailsWhenRefused) { EXPECT_RESULT(tcp_check(at(unused_port())), failure, "connection refused"); }

TEST_F(Checks, TcpFailsWhenNothingAnswersInTime) {
  // A listener whose queue is full drops SYNs: as silent as a server that is gone.
  tcp::acceptor deaf(io_, tcp::v4());
  deaf.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  deaf.listen(0);
  const auto endpoint = deaf.local_endpoint();
  std::list<tcp::socket> filling;
  for (int i = 0; i < 4; ++i) {
    filling.emplace_back(io_).open(tcp::v4());
    filling.back().non_blocking(true);
    ::connect(filling.back().native_handle(), endpoint.data(), static_cast<socklen_t>(endpoint.size()));
  }
  EXPECT_RESULT(tcp_check(at(endpoint.port())), failure, "no connection within 150 ms");
}

TEST_F(Checks, BindAddressThatIsNotOursIsNotCounted) {
  Connect connect = serve(say_nothing);
  connect.bind_address = net::Ipv4Addr::of(192, 0, 2, 1);
  EXPECT_RESULT(tcp_check(connect), not_counted, "bind failed: cannot assign requested address");
}

TEST_F(Checks, BindsToAddressAndPort) {
  tcp::endpoint seen;
  Connect connect = serve([&](tcp::socket& socket) -> asio::awaitable<void> {
    seen = socket.remote_endpoint();
    co_return;
  });
  connect.bind_address = net::Ipv4Addr::of(127, 0, 0, 9);
  connect.bind_port = net::L4Port::of(unused_port());
  ASSERT_EQ(tcp_check(connect).verdict, Verdict::success);
  for (int i = 0; i < 10 && seen.port() == 0; ++i) io_.run_one_for(100ms);
  EXPECT_EQ(seen.address().to_string(), "127.0.0.9");
  EXPECT_EQ(seen.port(), connect.bind_port.host());
}

TEST_F(Checks, UnknownInterfaceIsNotCounted) {
  Connect connect = serve(say_nothing);
  connect.bind_interface = "nosuch0";
  const ProbeResult result = tcp_check(connect);
  EXPECT_EQ(result.verdict, Verdict::not_counted);
  EXPECT_TRUE(result.reason.starts_with("binding to nosuch0 failed: ")) << result.reason;
}

TEST_F(Checks, HttpSucceedsWithAStatusThatIsAskedFor) {
  const Connect connect = serve(answering("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_RESULT(http_get(connect), success, "url /: HTTP status code 204");
  EXPECT_RESULT(http_get(connect, {.status_codes = {{200, 200}, {300, 399}}}), failure, "url /: HTTP status code 204");
  EXPECT_RESULT(http_get(connect, {.status_codes = {{100, 100}, {204, 204}}}), success, "url /: HTTP status code 204");
}

TEST_F(Checks, HttpRedirectIsAFailureUnlessListed) {
  const Connect connect = serve(answering("HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n"));
  EXPECT_RESULT(http_get(connect), failure, "url /: HTTP status code 301");
}

TEST_F(Checks, HttpComparesTheDigestOfTheBodyUpToContentLength) {
  const auto hello = parse_md5("5d41402abc4b2a76b9719d911017c592");  // "hello"
  EXPECT_RESULT(http_get(serve(answering("HTTP/1.1 200 OK\r\n\r\nhello")), {.digest = hello}), success,
                "url /: HTTP status code 200");
  EXPECT_RESULT(http_get(serve(answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, you")), {.digest = hello}),
                success, "url /: HTTP status code 200");
  EXPECT_RESULT(http_get(serve(answering("HTTP/1.1 200 OK\r\n\r\nhello\n")), {.digest = hello}), failure,
                "url /: MD5 digest b1946ac92492d2347c6235b4d2611184, expected 5d41402abc4b2a76b9719d911017c592");
  EXPECT_RESULT(http_get(serve(answering("HTTP/1.1 404 No\r\n\r\nhello")), {.digest = hello}), failure,
                "url /: HTTP status code 404");
}

TEST_F(Checks, HttpTakesAnAnswerByteByByte) {
  const std::string answer = "HTTP/1.1 200 OK\r\n\r\nhello";
  const Connect connect = serve([&](tcp::socket& socket) -> asio::awaitable<void> {
    co_await read_request(socket);
    socket.set_option(tcp::no_delay(true));
    for (const char& byte : answer) {
      co_await asio::async_write(socket, asio::buffer(&byte, 1), no_throw);
      asio::steady_timer timer(socket.get_executor(), 2ms);
      co_await timer.async_wait(no_throw);
    }
    socket.close();
  });
  EXPECT_RESULT(http_get(connect, {.digest = parse_md5("5d41402abc4b2a76b9719d911017c592")}), success,
                "url /: HTTP status code 200");
}

TEST_F(Checks, HttpFailsWhenRefused) { EXPECT_RESULT(http_get(at(unused_port())), failure, "connection refused"); }

TEST_F(Checks, HttpFailsWhenTheServerAcceptsAndSaysNothing) {
  EXPECT_RESULT(http_get(serve(say_nothing)), failure, "url /: nothing came for 150 ms, the answer is not complete");
}

TEST_F(Checks, HttpFailsWhenTheConnectionStaysOpenAfterTheAnswer) {
  const Connect connect = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    co_await read_request(socket);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(answer), no_throw);
  });
  EXPECT_RESULT(http_get(connect), failure, "url /: nothing came for 150 ms, and the connection stays open");
}

TEST_F(Checks, HttpFailsWhenTheServerClosesBeforeAnswering) {
  EXPECT_RESULT(http_get(serve(answering(""))), failure, "url /: closed before the end of the headers");
  EXPECT_RESULT(http_get(serve(answering("HTTP/1.1 200 OK\r\nServer: x\r\n"))), failure,
                "url /: closed before the end of the headers");
}

TEST_F(Checks, HttpFailsOnWhatIsNotHttp) {
  EXPECT_RESULT(http_get(serve(answering("220 mail.example ESMTP\r\n\r\n"))), failure, "url /: no HTTP status line");
}

TEST_F(Checks, HttpIgnoresChunkedNonsense) {
  EXPECT_RESULT(
      http_get(serve(answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-zz\r\n\r\nffffffffffff"))),
      success, "url /: HTTP status code 200");
}

TEST_F(Checks, HttpFailsOnAResetInMidAnswer) {
  const Connect connect = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    co_await read_request(socket);
    const std::string begun = "HTTP/1.1 200 OK\r\n";
    co_await asio::async_write(socket, asio::buffer(begun), no_throw);
    asio::steady_timer timer(socket.get_executor(), 20ms);
    co_await timer.async_wait(no_throw);
    socket.set_option(asio::socket_base::linger(true, 0));
    socket.close();
  });
  EXPECT_RESULT(http_get(connect), failure, "url /: the connection was reset in mid-answer");
}

TEST_F(Checks, HttpGivesUpOnEndlessHeaders) {
  const Connect connect = serve(repeating("HTTP/1.1 200 OK\r\n", std::string(1000, 'x') + ": y\r\n", 0ms));
  EXPECT_RESULT(http_get(connect), failure, "url /: the headers are over 65536 bytes");
}

TEST_F(Checks, HttpGivesUpOnAnEndlessBody) {
  const Connect connect = serve(repeating("HTTP/1.1 200 OK\r\n\r\n", std::string(65536, 'x'), 0ms));
  EXPECT_RESULT(http_get(connect, {}, {.body_bytes_max = 1000000}), failure, "url /: the body is over 1000000 bytes");
}

TEST_F(Checks, HttpGivesUpOnAByteNowAndThen) {
  const Connect connect = serve(repeating("HTTP/1.1 200 OK\r\n", "x", 50ms));
  EXPECT_RESULT(http_get(connect, {}, {.answer_time_max = 400ms}), failure,
                "url /: the answer took longer than 400 ms");
}

TEST_F(Checks, HttpAsksAsKeepalivedDoes) {
  HttpGetSpec spec{.connect = at(8080)};
  UrlSpec url{.path = "/a?b"};
  EXPECT_EQ(http_request(spec, url),
            "GET /a?b HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:8080\r\n\r\n");
  spec.version = HttpVersion::http_1_0_close;
  url.virtual_host = "www.example.org";
  EXPECT_EQ(http_request(spec, url),
            "GET /a?b HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: www.example.org\r\n\r\n");
  spec.version = HttpVersion::http_1_1;
  spec.connect.address = *net::IpAddr::parse("2001:db8::1");
  url.virtual_host.clear();
  EXPECT_EQ(
      http_request(spec, url),
      "GET /a?b HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: [2001:db8::1]:8080\r\n\r\n");
}

}  // namespace
}  // namespace sluice::health
