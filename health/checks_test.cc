// TCP_CHECK and HTTP_GET against real listeners on loopback that behave well, badly, and worse.
#include "health/check_test.h"
#include "health/http_get.h"
#include "health/tcp_check.h"

namespace sluice::health {
namespace {

class Checks : public CheckTest {
 protected:
  ProbeResult tcp_check(const Connect& connect) {
    TcpCheck check({connect}, {}, true);
    return run(check);
  }

  ProbeResult http_get(const Connect& connect, UrlSpec url = {}, HttpLimits limits = {}) {
    HttpGetSpec spec{.connect = connect, .urls = {std::move(url)}, .limits = limits};
    HttpGet check(std::move(spec), {}, true, contexts_);
    return run(check);
  }

  TlsContexts contexts_;
};

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

TEST_F(Checks, HttpSearchesTheBodyForARegex) {
  const Connect connect = serve(answering("HTTP/1.1 200 OK\r\nX: needle\r\n\r\nhay"));
  EXPECT_RESULT(http_get(connect, {.regex = RegexSpec{"hay$"}}), success, "url /: HTTP status code 200");
  EXPECT_RESULT(http_get(connect, {.regex = RegexSpec{"needle"}}), failure, "url /: the body doesn't match the regex");
  EXPECT_RESULT(http_get(connect, {.regex = RegexSpec{.pattern = "hay", .no_match = true}}), failure,
                "url /: the body matches the regex");
  EXPECT_RESULT(http_get(connect, {.regex = RegexSpec{.pattern = "needle", .no_match = true}}), success,
                "url /: HTTP status code 200");
  EXPECT_RESULT(http_get(connect, {.regex = RegexSpec{"("}}), not_counted,
                "regex: missing closing parenthesis at offset 1");
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
