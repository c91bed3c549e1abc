// SSL: what SSL_GET shows of itself to the servers that ask.
#include "control/config/servers/fields.h"

namespace sluice::control::config {

namespace {

using S = ServerField<SslClient>;

constexpr auto keywords = std::to_array<Keyword<SslClient>>({
    S::soft_text<&SslClient::password>("password"),
    S::soft_text<&SslClient::ca>("ca"),
    S::soft_text<&SslClient::certificate>("certificate"),
    S::soft_text<&SslClient::key>("key"),
});

}  // namespace

void read_ssl(Context& context, const Statement& statement) {
  if (context.config.ssl) {
    context.diagnostics.warning(statement.place, "this SSL block replaces the one before it, expected only one");
  }
  SslClient& ssl = context.config.ssl.emplace();
  ssl.position = context.diagnostics.position(statement.place);
  apply<SslClient>(context, keywords, "SSL", statement.children, ssl);
}

void write_ssl(Writer& writer, const Config& config) {
  if (!config.ssl) return;
  writer.open("SSL", {});
  write_all<SslClient>(writer, keywords, *config.ssl);
  writer.close();
}

void list_ssl(const std::string& block, std::vector<KeywordInfo>& out) { list_all<SslClient>(block, keywords, out); }

}  // namespace sluice::control::config
