// SSL_GET against TLS servers on loopback that behave well, badly, and worse.
#include "health/http_get.h"
#include "health/tls_test_server.h"

namespace sluice::health {
namespace {

enum class Close { with_notify, without_notify, never };

class SslGet : public CheckTest {
 protected:
  ProbeResult ssl_get(const Connect& connect, UrlSpec url = {}, TlsSpec tls = {}, HttpLimits limits = {}) {
    HttpGetSpec spec{.connect = connect, .urls = {std::move(url)}, .tls = tls, .limits = limits};
    HttpGet check(std::move(spec), {}, true, contexts_);
    return run(check);
  }

  Behaviour answering_in_tls(std::string answer, Close close = Close::with_notify) {
    return in_tls(server_, [this, answer = std::move(answer), close](TlsStream& stream) -> asio::awaitable<void> {
      const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
      name_seen_ = name != nullptr ? name : "(none)";
      has_client_certificate_ = SSL_get0_peer_certificate(stream.native_handle()) != nullptr;
      char request[2048];
      co_await stream.async_read_some(asio::buffer(request), no_throw);
      co_await asio::async_write(stream, asio::buffer(answer), no_throw);
      if (close == Close::never) co_return;
      if (close == Close::with_notify) co_await stream.async_shutdown(no_throw);
      stream.next_layer().close();
    });
  }

  SelfSigned own_;
  std::shared_ptr<asio::ssl::context> server_ = server_context(own_);
  TlsContexts contexts_;
  std::string name_seen_;
  bool has_client_certificate_ = false;
};

constexpr const char* ok = "HTTP/1.1 200 OK\r\n\r\nhello";

TEST_F(SslGet, SucceedsWithACertificateThatNobodyVouchesFor) {
  EXPECT_RESULT(ssl_get(serve(answering_in_tls(ok, Close::without_notify))), success, "url /: HTTP status code 200");
  EXPECT_EQ(name_seen_, "(none)");
}

TEST_F(SslGet, NamesTheServerWhereAsked) {
  EXPECT_RESULT(ssl_get(serve(answering_in_tls(ok, Close::without_notify)), {.server_name = "www.example.org"}),
                success, "url /: HTTP status code 200");
  EXPECT_EQ(name_seen_, "www.example.org");
}

TEST_F(SslGet, DigestsWhatCameThroughTls) {
  const auto hello = parse_md5("5d41402abc4b2a76b9719d911017c592");
  const Connect connect = serve(answering_in_tls(ok, Close::without_notify));
  EXPECT_RESULT(ssl_get(connect, {.digest = hello}), success, "url /: HTTP status code 200");
  EXPECT_RESULT(ssl_get(connect, {.regex = RegexSpec{"^hell"}}), success, "url /: HTTP status code 200");
  EXPECT_RESULT(ssl_get(connect, {.regex = RegexSpec{"heaven"}}), failure, "url /: the body doesn't match the regex");
}

TEST_F(SslGet, ReadsAnswersOfManyRecords) {
  const std::string answer = "HTTP/1.1 200 OK\r\n\r\n" + std::string(1'000'000, 'x') + "the end";
  EXPECT_RESULT(ssl_get(serve(answering_in_tls(answer, Close::without_notify)), {.regex = RegexSpec{"the end$"}}),
                success, "url /: HTTP status code 200");
}

TEST_F(SslGet, ShowsItsClientCertificate) {
  const SelfSigned client("secret");
  server_->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  server_->set_verify_callback([](bool, asio::ssl::verify_context&) { return true; });
  const Connect connect = serve(answering_in_tls(ok, Close::without_notify));
  const TlsSpec tls{.certificate = client.certificate_file(), .key = client.key_file(), .password = "secret"};
  EXPECT_RESULT(ssl_get(connect, {}, tls), success, "url /: HTTP status code 200");
  EXPECT_TRUE(has_client_certificate_);
  const ProbeResult without = ssl_get(connect);
  EXPECT_EQ(without.verdict, Verdict::failure);
  EXPECT_EQ(without.reason, "url /: alert certificate required") << "TLS 1.3 says so with the answer";
}

TEST_F(SslGet, FilesThatCannotBeReadAreNotCountedAndNamed) {
  const TlsSpec none{.certificate = "/nonexistent.pem"};
  EXPECT_RESULT(ssl_get(at(1), {}, none), not_counted, "/nonexistent.pem: no such file or directory");
  const SelfSigned locked("secret");
  const TlsSpec wrong{.certificate = locked.certificate_file(), .key = locked.key_file(), .password = "guess"};
  const ProbeResult result = ssl_get(at(1), {}, wrong);
  EXPECT_EQ(result.verdict, Verdict::not_counted);
  EXPECT_TRUE(result.reason.starts_with(locked.key_file() + ": ")) << result.reason;
}

TEST_F(SslGet, ClosingWithoutNoticeOnlyFailsWhereComplianceIsAsked) {
  const Connect rude = serve(answering_in_tls(ok, Close::without_notify));
  EXPECT_RESULT(ssl_get(rude), success, "url /: HTTP status code 200");
  EXPECT_RESULT(ssl_get(rude, {.tls_compliant = true}), failure, "url /: unexpected eof while reading");
  EXPECT_RESULT(ssl_get(serve(answering_in_tls(ok)), {.tls_compliant = true}), success, "url /: HTTP status code 200");
}

TEST_F(SslGet, FailsWhenTheServerDoesNotSpeakTls) {
  EXPECT_RESULT(ssl_get(serve(answering("HTTP/1.1 400 Bad Request\r\n\r\n"))), failure,
                "url /: TLS handshake failed: nothing came for 150 ms");
  const Connect eager = serve(repeating("", "220 mail.example.org ESMTP\r\n", 20ms));
  EXPECT_RESULT(ssl_get(eager), failure, "url /: TLS handshake failed: nothing came for 150 ms");
  const Connect greeting = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    const std::string hello = "220 mail.example.org ESMTP\r\n";
    co_await asio::async_write(socket, asio::buffer(hello), no_throw);
  });
  EXPECT_RESULT(ssl_get(greeting), failure, "url /: TLS handshake failed: wrong version number");
}

TEST_F(SslGet, FailsWhenTheServerAcceptsAndSaysNothing) {
  EXPECT_RESULT(ssl_get(serve(say_nothing)), failure, "url /: TLS handshake failed: nothing came for 150 ms");
}

TEST_F(SslGet, FailsWhenTheServerClosesInTheHandshake) {
  const Connect connect = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    char byte[1];
    co_await socket.async_read_some(asio::buffer(byte), no_throw);
    socket.shutdown(tcp::socket::shutdown_send);
  });
  EXPECT_RESULT(ssl_get(connect), failure, "url /: TLS handshake failed: the server closed the connection");
}

TEST_F(SslGet, FailsOnAResetInTheHandshake) {
  const Connect connect = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    char byte[1];
    co_await socket.async_read_some(asio::buffer(byte), no_throw);
    socket.set_option(asio::socket_base::linger(true, 0));
    socket.close();
  });
  EXPECT_RESULT(ssl_get(connect), failure, "url /: TLS handshake failed: the connection was reset");
}

TEST_F(SslGet, GivesUpOnAHandshakeOfAByteNowAndThen) {
  // A handshake record that promises 16384 bytes.
  const Connect connect = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    const std::string header("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", 9);
    co_await asio::async_write(socket, asio::buffer(header), no_throw);
    for (;;) {
      const auto [error, size] = co_await asio::async_write(socket, asio::buffer("x", 1), no_throw);
      if (error) co_return;
      asio::steady_timer timer(socket.get_executor(), 40ms);
      co_await timer.async_wait(no_throw);
    }
  });
  EXPECT_RESULT(ssl_get(connect, {}, {}, {.answer_time_max = 400ms}), failure,
                "url /: the answer took longer than 400 ms");
}

TEST_F(SslGet, FailsOnNoiseInsteadOfAHandshake) {
  const Connect connect = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    std::string noise("\x16\x03\x03\x00\x40", 5);
    noise.append(64, '\xff');
    co_await asio::async_write(socket, asio::buffer(noise), no_throw);
  });
  const ProbeResult result = ssl_get(connect);
  EXPECT_EQ(result.verdict, Verdict::failure);
  EXPECT_TRUE(result.reason.starts_with("url /: TLS handshake failed: ")) << result.reason;
}

TEST_F(SslGet, FailsWhenTheConnectionStaysOpenAfterTheAnswer) {
  const Connect connect = serve(answering_in_tls(ok, Close::never));
  EXPECT_RESULT(ssl_get(connect), failure, "url /: nothing came for 150 ms, and the connection stays open");
}

TEST_F(SslGet, GivesUpOnAnEndlessBody) {
  const Connect connect = serve(in_tls(server_, [](TlsStream& stream) -> asio::awaitable<void> {
    const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
    co_await asio::async_write(stream, asio::buffer(head), no_throw);
    const std::string piece(65536, 'x');
    for (;;) {
      const auto [error, size] = co_await asio::async_write(stream, asio::buffer(piece), no_throw);
      if (error) co_return;
    }
  }));
  EXPECT_RESULT(ssl_get(connect, {}, {}, {.body_bytes_max = 1'000'000}), failure,
                "url /: the body is over 1000000 bytes");
}

TEST_F(SslGet, SharesOneContextAmongCheckersWithTheSameMaterial) {
  const SelfSigned client;
  const TlsSpec tls{.certificate = client.certificate_file(), .key = client.key_file()};
  const auto first = contexts_.get(tls);
  EXPECT_EQ(*contexts_.get(tls), *first);
  EXPECT_NE(*contexts_.get({}), *first);
}

}  // namespace
}  // namespace sluice::health
