// HTTP_GET, and SSL_GET, which is the same through TLS.
#include <fmt/format.h>

#include "control/config/servers/checkers/url.h"

namespace sluice::control::config {

namespace {

using F = Field<HttpGet>;
using S = ServerField<HttpGet>;

constexpr std::array<Choice<HttpProtocol>, 4> protocols = {{{"1.0", HttpProtocol::http_1_0},
                                                            {"1.0C", HttpProtocol::http_1_0_close},
                                                            {"1.0c", HttpProtocol::http_1_0_close},
                                                            {"1.1", HttpProtocol::http_1_1}}};

/// A name without TLS is kept, but nobody is told.
void set_sni_name(Context& context, const Statement& statement, HttpGet& get) {
  const Word* word = argument(context, statement, 1, "a host name");
  if (word == nullptr) return;
  get.sni_name = SharedText(word->text);
  get.enable_sni = true;
}

constexpr auto retry = F::integer<&CheckerCommon::retry, 0, 4294967295>("retry");

template <void (*list_url)(const std::string&, std::vector<KeywordInfo>&)>
constexpr auto keywords = joined(network_keywords<HttpGet>,
                                 std::to_array<Keyword<HttpGet>>({
                                     retry.deprecated("nb_get_retry"),
                                     S::text<&HttpGet::virtualhost>("virtualhost"),
                                     F::choice<&HttpGet::http_protocol, protocols>("http_protocol"),
                                     F::custom(
                                         "sni_name", set_sni_name,
                                         [](Writer& writer, std::string_view keyword, const HttpGet& get) {
                                           if (!get.sni_name.empty())
                                             writer.line(keyword, {plain("", get.sni_name.str())});
                                         },
                                         2),
                                     // After sni_name, which sets it.
                                     F::boolean<&HttpGet::enable_sni>("enable_sni"),
                                     F::boolean<&HttpGet::fast_recovery>("fast_recovery"),
                                     F::block("url", read_url, write_urls, list_url),
                                 }));

constexpr auto http_keywords = keywords<list_http_url>;
constexpr auto ssl_keywords = joined(keywords<list_ssl_url>, std::to_array<Keyword<HttpGet>>({
                                                                 F::boolean<&HttpGet::tls_compliant>("tls_compliant"),
                                                             }));

void read_get(Context& context, const Statement& statement, std::span<const Keyword<HttpGet>> table, bool ssl,
              RealServer& rs) {
  HttpGet get;
  get.ssl = ssl;
  get = read_check<HttpGet>(context, statement, table, std::move(get));
  if (get.urls.empty()) {
    context.diagnostics.error(
        statement.place, fmt::format("{} ignored: it has no url, expected url {{ path ... }}", statement.keyword()));
    return;
  }
  rs.checkers.emplace_back(std::move(get));
}

}  // namespace

void read_http_get(Context& context, const Statement& statement, RealServer& rs) {
  read_get(context, statement, http_keywords, false, rs);
}
void read_ssl_get(Context& context, const Statement& statement, RealServer& rs) {
  read_get(context, statement, ssl_keywords, true, rs);
}

void write_check(Writer& writer, const HttpGet& check) {
  if (check.ssl) {
    write_all<HttpGet>(writer, ssl_keywords, check);
  } else {
    write_all<HttpGet>(writer, http_keywords, check);
  }
}

void list_http_get(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<HttpGet>(block, http_keywords, out);
}
void list_ssl_get(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<HttpGet>(block, ssl_keywords, out);
}

}  // namespace sluice::control::config
