// One page that HTTP_GET or SSL_GET asks for.
#include "control/config/servers/checkers/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace sluice::control::config {

namespace {

using F = Field<Url>;
using S = ServerField<Url>;

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

void write_status_code(Writer& writer, std::string_view keyword, const Url& url) {
  std::vector<Arg> args;
  for (const StatusRange& range : url.statuses) {
    if (range.first == range.last) {
      args.push_back(plain("", std::int64_t{range.first}));
    } else {
      args.push_back(plain("", fmt::format("{}-{}", range.first, range.last)));
    }
  }
  writer.line(keyword, args);
}

void set_digest(Context& context, const Statement& statement, Url& url) {
  const Word* word = argument(context, statement, 1, "32 hexadecimal digits");
  if (word == nullptr) return;
  std::string digest = word->text;
  const bool hex = std::all_of(digest.begin(), digest.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (digest.size() != 32 || !hex) {
    context.diagnostics.error(
        statement.place_of(1),
        fmt::format("digest {} ignored, expected the 32 hexadecimal digits of an MD5 sum", quoted(digest)));
    return;
  }
  std::transform(digest.begin(), digest.end(), digest.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  url.digest = std::move(digest);
}

constexpr auto http_keywords = std::to_array<Keyword<Url>>({
    F::text<&Url::path>("path"),
    F::custom("status_code", set_status_code, write_status_code),
    F::custom(
        "digest", set_digest,
        [](Writer& writer, std::string_view keyword, const Url& url) {
          if (!url.digest.empty()) writer.line(keyword, {plain("", url.digest)});
        },
        2),
    S::text<&Url::virtualhost>("virtualhost"),
    F::custom("regex", set_regex, write_regex),
    F::custom("regex_no_match", set_regex_no_match, write_regex_no_match, 1),
    F::custom("regex_options", set_regex_options, write_regex_options),
    F::custom("regex_min_offset", set_regex_min_offset, write_regex_min_offset, 2),
    F::custom("regex_max_offset", set_regex_max_offset, write_regex_max_offset, 2),
    F::custom("regex_stack", set_regex_stack, write_regex_stack, 3).no_effect("the search has limits of its own"),
});

constexpr auto ssl_keywords =
    joined(http_keywords, std::to_array<Keyword<Url>>({F::boolean<&Url::tls_compliant>("tls_compliant")}));

}  // namespace

void read_url(Context& context, const Statement& statement, HttpGet& get) {
  Url url;
  url.position = context.diagnostics.position(statement.place);
  if (get.ssl) {
    apply<Url>(context, ssl_keywords, "url", statement.children, url);
  } else {
    apply<Url>(context, http_keywords, "url", statement.children, url);
  }
  if (url.path.empty()) {
    context.diagnostics.error(statement.place, "url ignored: it has no path, expected e.g. 'path /'");
    return;
  }
  if (url.statuses.empty()) url.statuses.emplace_back();
  finish_regex(context, url);
  get.urls.push_back(std::move(url));
}

void write_urls(Writer& writer, std::string_view keyword, const HttpGet& get) {
  for (const Url& url : get.urls) {
    writer.open(keyword, {}, Occurs::repeated);
    if (get.ssl) {
      write_all<Url>(writer, ssl_keywords, url);
    } else {
      write_all<Url>(writer, http_keywords, url);
    }
    writer.close();
  }
}

void list_http_url(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<Url>(block, http_keywords, out);
}
void list_ssl_url(const std::string& block, std::vector<KeywordInfo>& out) { list_all<Url>(block, ssl_keywords, out); }

}  // namespace sluice::control::config
