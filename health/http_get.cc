#include "health/http_get.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "health/conversation.h"
#include "health/http_answer.h"

namespace sluice::health {

using std::chrono::milliseconds;

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
  Reading(const HttpGetSpec& spec, const UrlSpec& url, const Regex* regex)
      : answer(spec.limits.head_bytes_max, spec.limits.body_bytes_max) {
    if (url.digest) digest.emplace();
    if (regex != nullptr) search.emplace(*regex);
  }

  HttpAnswer answer;
  std::optional<BodyDigest> digest;
  std::optional<RegexSearch> search;
};

/// Takes what the connection has. True: there may be more. False: the peer closed. Otherwise why it can't go on.
/// Not a coroutine, so that the buffer lives on the stack only while it is used, not once per checker.
std::variant<bool, std::string> read_what_is_there(Conversation& conversation, Reading& reading) {
  char buffer[4096];
  StreamStep step = conversation.receive(buffer);
  if (step.state == StreamStep::State::closed) return false;
  if (step.state == StreamStep::State::failed) return std::move(step.reason);
  if (step.state != StreamStep::State::done) return true;
  const std::string_view body = reading.answer.feed({buffer, step.bytes});
  if (reading.digest) reading.digest->update(body);
  if (reading.search) reading.search->feed(body);
  if (!reading.answer.problem().empty()) return reading.answer.problem();
  return true;
}

/// Reads until the peer closes. The reason of failure, or nothing.
Task<std::optional<std::string>> read_answer(Conversation& conversation, milliseconds wait_max, Reading& reading) {
  for (;;) {
    const auto waited = co_await conversation.something_to_receive();
    if (waited == Conversation::Waited::too_long) co_return conversation.too_long();
    if (waited == Conversation::Waited::silence) {
      co_return fmt::format(
          "nothing came for {}, {}", to_words(wait_max),
          reading.answer.head_complete() ? "and the connection stays open" : "the answer is not complete");
    }
    auto read = read_what_is_there(conversation, reading);
    if (auto* reason = std::get_if<std::string>(&read)) co_return std::move(*reason);
    if (!std::get<bool>(read)) co_return std::nullopt;
  }
}

/// What is wrong with the body, or nothing.
std::optional<std::string> judge_body(const RegexSpec& regex, RegexSearch& search) {
  search.end();
  if (!search.problem().empty()) return search.problem();
  if (search.matched() == regex.no_match) {
    return std::string(regex.no_match ? "the body matches the regex" : "the body doesn't match the regex");
  }
  return std::nullopt;
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
  if (reading.search) {
    if (const auto problem = judge_body(*url.regex, *reading.search)) {
      return failure(fmt::format("url {}: {}", url.path, *problem));
    }
  }
  return success(fmt::format("url {}: HTTP status code {}", url.path, status));
}

}  // namespace

HttpGet::HttpGet(HttpGetSpec spec, RetryTimings timings, bool starts_up, TlsContexts& contexts)
    : spec_(std::move(spec)), cycle_(timings, starts_up, spec_.urls.size(), spec_.fast_recovery) {
  const bool searches =
      std::any_of(spec_.urls.begin(), spec_.urls.end(), [](const UrlSpec& url) { return url.regex.has_value(); });
  if (!spec_.tls && !searches) return;
  auto tools = std::make_unique<Tools>();
  if (spec_.tls) {
    auto context = contexts.get(*spec_.tls);
    if (context) tools->tls = std::move(*context);
    if (!context) tools->unusable = context.error().text();
  }
  tools->regexes.resize(spec_.urls.size());
  for (std::size_t i = 0; i < spec_.urls.size(); ++i) {
    if (!spec_.urls[i].regex) continue;
    auto regex = Regex::compile(*spec_.urls[i].regex);
    if (regex) tools->regexes[i] = std::move(*regex);
    if (!regex) tools->unusable = regex.error().text();
  }
  tools_ = std::move(tools);
}

Task<ProbeResult> HttpGet::probe(EventLoop& loop) {
  if (tools_ && !tools_->unusable.empty()) co_return ProbeResult{Verdict::not_counted, tools_->unusable};
  const UrlSpec& url = spec_.urls[cycle_.url()];
  const Regex* regex = url.regex ? &*tools_->regexes[cycle_.url()] : nullptr;
  Socket socket(loop);

  ProbeResult connected = co_await connect(socket, spec_.connect);
  if (connected.verdict != Verdict::success) co_return connected;

  Conversation conversation(socket, spec_.connect.timeout, spec_.limits.answer_time_max);
  std::optional<std::string> problem;
  if (spec_.tls) problem = co_await conversation.begin_tls(tools_->tls, url.server_name, url.tls_compliant);
  if (problem) co_return failure(fmt::format("url {}: {}", url.path, *problem));

  const std::string request = http_request(spec_, url);
  problem = co_await conversation.send(request);
  if (problem) co_return failure(fmt::format("url {}: {}", url.path, *problem));

  Reading reading(spec_, url, regex);
  problem = co_await read_answer(conversation, spec_.connect.timeout, reading);
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
