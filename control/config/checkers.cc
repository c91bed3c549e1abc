// TCP_CHECK, HTTP_GET and the checkers that are only accepted; see checkers.h.
#include "control/config/checkers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sluice::control::config {

namespace {

using CheckerKeyword = Keyword<CheckerDraft>;

void set_connect_ip(Context& context, const Statement& statement, CheckerDraft& draft) {
  if (auto value = read_address(context, statement, 1)) draft.connect_ip = value;
}
void set_connect_port(Context& context, const Statement& statement, CheckerDraft& draft) {
  if (auto value = read_port(context, statement, 1, false)) draft.connect_port = value;
}
void set_bindto(Context& context, const Statement& statement, CheckerDraft& draft) {
  if (auto value = read_address(context, statement, 1)) draft.bindto = value;
}
void set_log_all_failures(Context& context, const Statement& statement, CheckerDraft& draft) {
  if (auto value = read_bool(context, statement, 1)) draft.log_all_failures = value;
}
void set_http_protocol(Context& context, const Statement& statement, CheckerDraft& draft) {
  const Word* word = argument(context, statement, 1, "1.0, 1.0C, 1.0c or 1.1");
  if (word == nullptr) return;
  if (word->text == "1.0") {
    draft.http_protocol = HttpProtocol::http_1_0;
  } else if (word->text == "1.0C" || word->text == "1.0c") {
    draft.http_protocol = HttpProtocol::http_1_0_close;
  } else if (word->text == "1.1") {
    draft.http_protocol = HttpProtocol::http_1_1;
  } else {
    context.diagnostics.error(statement.place_of(1), fmt::format("http_protocol {} ignored, expected 1.0, 1.0C, 1.0c "
                                                                 "or 1.1",
                                                                 quoted(word->text)));
  }
}
void set_fast_recovery(Context& context, const Statement& statement, CheckerDraft& draft) {
  if (auto value = read_bool(context, statement, 1)) draft.fast_recovery = *value;
}
void set_nb_get_retry(Context& context, const Statement& statement, CheckerDraft& draft) {
  context.diagnostics.warning(statement.place, "'nb_get_retry' is an old spelling of 'retry', which it is taken as");
  set_retry<CheckerDraft, 0>(context, statement, draft);
}

// --- url ---

void set_path(Context& context, const Statement& statement, Url& url) {
  if (const Word* word = argument(context, statement, 1, "a path such as /")) url.path = word->text;
}

/// N or A-B, 100..599.
std::optional<StatusRange> status_range(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<unsigned> {
    if (digits.size() != 3 || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return std::nullopt;
    }
    const unsigned value = unsigned(digits[0] - '0') * 100 + unsigned(digits[1] - '0') * 10 + unsigned(digits[2] - '0');
    if (value < 100 || value > 599) return std::nullopt;
    return value;
  };
  const auto dash = text.find('-');
  const auto first = number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return StatusRange{*first, *last};
}

void set_status_code(Context& context, const Statement& statement, Url& url) {
  if (argument(context, statement, 1, "codes 100..599 or ranges A-B") == nullptr) return;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    if (const auto range = status_range(statement.words[i].text)) {
      url.statuses.push_back(*range);
    } else {
      context.diagnostics.error(statement.place_of(i),
                                fmt::format("status_code {} ignored, expected N or A-B within 100..599, separated by "
                                            "blanks",
                                            quoted(statement.words[i].text)));
    }
  }
}

void set_digest(Context& context, const Statement& statement, Url& url) {
  const Word* word = argument(context, statement, 1, "32 hexadecimal digits");
  if (word == nullptr) return;
  std::string digest = word->text;
  const bool hex = std::all_of(digest.begin(), digest.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (digest.size() != 32 || !hex) {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("digest {} ignored, expected the 32 hexadecimal digits "
                                          "of an MD5 sum",
                                          quoted(digest)));
    return;
  }
  std::transform(digest.begin(), digest.end(), digest.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  url.digest = std::move(digest);
}

void set_url_virtualhost(Context& context, const Statement& statement, Url& url) {
  if (const Word* word = argument(context, statement, 1, "a host name")) url.virtualhost = word->text;
}

constexpr auto url_keywords = std::to_array<Keyword<Url>>({
    {"path", set_path},
    {"status_code", set_status_code, nullptr, Shape::line, 0},
    {"digest", set_digest},
    {"virtualhost", set_url_virtualhost},
    {"regex"},
    {"regex_no_match"},
    {"regex_options"},
    {"regex_min_offset"},
    {"regex_max_offset"},
    {"regex_stack"},
    {"tls_compliant"},
});

void add_url(Context& context, const Statement& statement, CheckerDraft& draft) {
  Url url;
  url.position = context.diagnostics.position(statement.place);
  apply<Url>(context, url_keywords, "url", statement.children, url);
  if (url.path.empty()) {
    context.diagnostics.error(statement.place, "url ignored: it has no path, expected e.g. 'path /'");
    return;
  }
  if (url.statuses.empty()) url.statuses.push_back(StatusRange{});
  draft.urls.push_back(std::move(url));
}

// --- the vocabularies ---

constexpr auto tcp_keywords = std::to_array<CheckerKeyword>({
    {"connect_ip", set_connect_ip},
    {"connect_port", set_connect_port},
    {"bindto", set_bindto},
    {"bind_port"},
    {"bind_if"},
    {"connect_timeout", set_connect_timeout<CheckerDraft>},
    {"fwmark"},
    {"retry", set_retry<CheckerDraft, 0>},
    {"delay_before_retry", set_delay_before_retry<CheckerDraft>},
    {"delay_loop", set_delay_loop<CheckerDraft>},
    {"warmup", set_warmup<CheckerDraft>},
    {"alpha", set_alpha<CheckerDraft>},
    {"log_all_failures", set_log_all_failures},
});

constexpr auto http_only_keywords = std::to_array<CheckerKeyword>({
    {"url", add_url, nullptr, Shape::block, 0},
    {"virtualhost", set_virtualhost<CheckerDraft>},
    {"http_protocol", set_http_protocol},
    {"fast_recovery", set_fast_recovery},
    {"nb_get_retry", set_nb_get_retry},
    {"enable_sni"},
    {"sni_name"},
    {"tls_compliant"},
});

template <std::size_t A, std::size_t B>
constexpr std::array<CheckerKeyword, A + B> joined(const std::array<CheckerKeyword, A>& a,
                                                   const std::array<CheckerKeyword, B>& b) {
  std::array<CheckerKeyword, A + B> out{};
  for (std::size_t i = 0; i < A; ++i) out[i] = a[i];
  for (std::size_t i = 0; i < B; ++i) out[A + i] = b[i];
  return out;
}

constexpr auto http_keywords = joined(tcp_keywords, http_only_keywords);

/// Of a checker that isn't built: every word of any of them, read for its spelling only.
void note_script(Context& context, const Statement& statement, CheckerDraft&) { (void)read_script(context, statement); }

constexpr auto other_only_keywords = std::to_array<CheckerKeyword>({
    {"misc_path", note_script, nullptr, Shape::line, 0},
    {"misc_timeout", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"misc_dynamic", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"user", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"helo_name", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"host", known<CheckerDraft>, nullptr, Shape::block, 0},
    {"type", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"name", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"payload", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"require_reply", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"min_reply_length", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"max_reply_length", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"track_file", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"weight", known<CheckerDraft>, nullptr, Shape::line, 0},
    {"reverse", known<CheckerDraft>, nullptr, Shape::line, 0},
});
constexpr auto other_keywords = joined(tcp_keywords, other_only_keywords);

}  // namespace

void CheckDefaults::inherit(const CheckDefaults& outer) {
  if (!delay_loop) delay_loop = outer.delay_loop;
  if (!delay_before_retry) delay_before_retry = outer.delay_before_retry;
  if (!warmup) warmup = outer.warmup;
  if (!connect_timeout) connect_timeout = outer.connect_timeout;
  if (!retry) retry = outer.retry;
  if (!alpha) alpha = outer.alpha;
  if (!virtualhost) virtualhost = outer.virtualhost;
}

std::optional<CheckerDraft> read_checker(Context& context, const Statement& statement) {
  CheckerDraft draft;
  draft.place = statement.place;
  draft.kind = statement.keyword();
  const bool http = draft.kind == "HTTP_GET" || draft.kind == "SSL_GET";
  draft.built = draft.kind == "TCP_CHECK" || draft.kind == "HTTP_GET";
  if (!draft.built) {
    context.diagnostics.notice(
        statement.place, fmt::format("{} is accepted, but not supported yet: this check is not done", draft.kind));
  }
  const bool muted = context.diagnostics.mute_notices(!draft.built);
  if (draft.kind == "TCP_CHECK") {
    apply<CheckerDraft>(context, tcp_keywords, draft.kind, statement.children, draft);
  } else if (http) {
    apply<CheckerDraft>(context, http_keywords, draft.kind, statement.children, draft);
  } else {
    apply<CheckerDraft>(context, other_keywords, draft.kind, statement.children, draft);
  }
  context.diagnostics.mute_notices(muted);
  if (http && draft.urls.empty()) {
    context.diagnostics.error(statement.place,
                              fmt::format("{} ignored: it has no url, expected url {{ path ... }}", draft.kind));
    return std::nullopt;
  }
  return draft;
}

Checker make_checker(Context& context, const CheckerDraft& draft, const net::IpAddr& address, net::L4Port port) {
  using std::chrono::seconds;
  const bool http = draft.kind == "HTTP_GET";
  CheckerCommon common;
  common.position = context.diagnostics.position(draft.place);
  common.connect_ip = draft.connect_ip.value_or(address);
  common.connect_port = draft.connect_port.value_or(port);
  common.bindto = draft.bindto;
  if (common.bindto && common.bindto->is_v6() != common.connect_ip.is_v6()) {
    context.diagnostics.error(draft.place, fmt::format("bindto {} ignored: {} to connect to is of the other family",
                                                       common.bindto->text(), common.connect_ip.text()));
    common.bindto.reset();
  }
  common.connect_timeout = draft.connect_timeout.value_or(seconds(5));
  common.retry = draft.retry.value_or(1);
  common.delay_before_retry = draft.delay_before_retry.value_or(http ? seconds(3) : seconds(1));
  common.delay_loop = draft.delay_loop.value_or(seconds(60));
  common.warmup = draft.warmup.value_or(common.delay_loop);
  common.alpha = draft.alpha.value_or(false);
  common.log_all_failures = draft.log_all_failures.value_or(context.config.global.checker_log_all_failures);
  if (!http) return TcpCheck{std::move(common)};

  HttpGet get;
  get.common = std::move(common);
  get.urls = draft.urls;
  get.virtualhost = draft.virtualhost.value_or("");
  for (Url& url : get.urls) {
    if (url.virtualhost.empty()) url.virtualhost = get.virtualhost;
  }
  get.http_protocol = draft.http_protocol;
  get.fast_recovery = draft.fast_recovery;
  return get;
}

}  // namespace sluice::control::config
