#include "health/http_get.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <memory>
#include <system_error>

#include "health/http_answer.h"

namespace sluice::health {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// MD5 over the body, piece by piece. OpenSSL may refuse MD5 (FIPS); then there is no result.
class BodyDigest {
 public:
  BodyDigest() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    ok_ = context_ && EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1;
  }

  void update(std::string_view body) {
    if (ok_) ok_ = EVP_DigestUpdate(context_.get(), body.data(), body.size()) == 1;
  }

  std::optional<Md5> result() {
    Md5 digest{};
    unsigned int size = 0;
    if (!ok_ || EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) return std::nullopt;
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  bool ok_ = false;
};

/// One answer as it comes in, and what it is measured by.
struct Reading {
  explicit Reading(const HttpGetSpec& spec, const UrlSpec& url)
      : answer(spec.limits.head_bytes_max, spec.limits.body_bytes_max) {
    if (url.digest) digest.emplace();
  }

  HttpAnswer answer;
  std::optional<BodyDigest> digest;
};

/// Takes what the socket has. True: there may be more. False: the peer closed. Otherwise why it can't go on.
/// Not a coroutine, so that the buffer lives on the stack only while it is used, not once per checker.
std::variant<bool, std::string> read_what_is_there(tcp::socket& socket, Reading& reading) {
  char buffer[4096];
  const ssize_t size = ::recv(socket.native_handle(), buffer, sizeof buffer, 0);
  if (size == 0) return false;
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return true;
    if (errno == ECONNRESET) return std::string("the connection was reset in mid-answer");
    return "reading failed: " + std::generic_category().message(errno);
  }
  const std::string_view body = reading.answer.feed({buffer, static_cast<std::size_t>(size)});
  if (reading.digest) reading.digest->update(body);
  if (!reading.answer.problem().empty()) return reading.answer.problem();
  return true;
}

/// Reads until the peer closes. The reason of failure, or nothing.
asio::awaitable<std::optional<std::string>> read_answer(tcp::socket& socket, const HttpGetSpec& spec,
                                                        Reading& reading) {
  const auto deadline = steady_clock::now() + spec.limits.answer_time_max;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds{0}) co_return "the answer took longer than " + to_words(spec.limits.answer_time_max);
    const bool something = co_await readable(socket, std::min(left, spec.connect.timeout));
    if (!something && spec.connect.timeout <= left) {
      co_return fmt::format(
          "nothing came for {}, {}", to_words(spec.connect.timeout),
          reading.answer.head_complete() ? "and the connection stays open" : "the answer is not complete");
    }
    if (!something) continue;
    auto read = read_what_is_there(socket, reading);
    if (auto* reason = std::get_if<std::string>(&read)) co_return std::move(*reason);
    if (!std::get<bool>(read)) co_return std::nullopt;
  }
}

/// keepalived's order: is it an answer at all, is the status asked for, is it the body.
ProbeResult judge(const UrlSpec& url, Reading& reading) {
  const HttpAnswer& answer = reading.answer;
  if (!answer.head_complete()) return failure(fmt::format("url {}: closed before the end of the headers", url.path));
  if (!answer.status()) return failure(fmt::format("url {}: no HTTP status line", url.path));
  const auto status = *answer.status();
  const bool wanted = std::any_of(url.status_codes.begin(), url.status_codes.end(), [&](const StatusRange& range) {
    return range.low <= status && status <= range.high;
  });
  if (!wanted) return failure(fmt::format("url {}: HTTP status code {}", url.path, status));
  if (url.digest) {
    const auto digest = reading.digest->result();
    if (!digest) return {Verdict::not_counted, "MD5 isn't available in this OpenSSL"};
    if (*digest != *url.digest) {
      return failure(
          fmt::format("url {}: MD5 digest {}, expected {}", url.path, to_string(*digest), to_string(*url.digest)));
    }
  }
  return success(fmt::format("url {}: HTTP status code {}", url.path, status));
}

}  // namespace

asio::awaitable<ProbeResult> HttpGet::probe() {
  const UrlSpec& url = spec_.urls[cycle_.url()];
  tcp::socket socket(co_await asio::this_coro::executor);

  ProbeResult connected = co_await connect(socket, spec_.connect);
  if (connected.verdict != Verdict::success) co_return connected;

  const std::string request = http_request(spec_, url);
  std::optional<std::string> problem = co_await send_all(socket, request, spec_.connect.timeout);
  if (problem) co_return failure(fmt::format("url {}: {}", url.path, *problem));

  Reading reading(spec_, url);
  problem = co_await read_answer(socket, spec_, reading);
  if (problem) co_return failure(fmt::format("url {}: {}", url.path, *problem));
  co_return judge(url, reading);
}

std::string http_request(const HttpGetSpec& spec, const UrlSpec& url) {
  const bool close = spec.version != HttpVersion::http_1_0;
  const std::string host = url.virtual_host.empty()
                               ? fmt::format(fmt::runtime(spec.connect.address.is_v4() ? "{}:{}" : "[{}]:{}"),
                                             spec.connect.address.text(), spec.connect.port.host())
                               : url.virtual_host;
  return fmt::format("GET {} HTTP/{}\r\nUser-Agent: KeepAliveClient\r\n{}Host: {}\r\n\r\n", url.path,
                     spec.version == HttpVersion::http_1_1 ? "1.1" : "1.0", close ? "Connection: close\r\n" : "", host);
}

}  // namespace sluice::health
