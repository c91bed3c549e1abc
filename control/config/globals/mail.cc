// global_defs: to whom mail is sent, through which server, and when.
#include <array>

#include "control/config/fields.h"
#include "control/config/globals/parts.h"
#include "control/config/lift.h"

namespace sluice::control::config {

namespace {

using M = MailSettings;
using F = Field<M>;

/// keepalived keeps it in microseconds of 32 bits.
constexpr std::int64_t timeout_max = 4294;

void read_recipients(Context& context, const Statement& statement, M& mail) {
  bool any = false;
  for (const Statement& line : statement.children) {
    if (!is_item(context, line, statement.keyword())) continue;
    for (const Word& word : line.words) {
      mail.recipients.push_back(word.text);
      any = true;
    }
  }
  if (!any) {
    context.diagnostics.warning(statement.place, "notification_email is empty, expected addresses between its braces");
  }
}

void write_recipients(Writer& writer, std::string_view keyword, const M& mail) {
  if (mail.recipients.empty()) return;
  writer.open_list(keyword);
  for (const std::string& address : mail.recipients) writer.item({plain("", address)});
  writer.close_list();
}

/// smtp_server ADDRESS|NAME [PORT].
void read_server(Context& context, const Statement& statement, M& mail) {
  const Word* host = argument(context, statement, 1, "an address or a name, and maybe a port");
  if (host == nullptr) return;
  SmtpServer server{host->text};
  if (statement.words.size() > 2) {
    const auto port = read_port(context, statement, 2, false);
    if (!port) return;
    server.port = *port;
  }
  mail.server = std::move(server);
}

void write_server(Writer& writer, std::string_view keyword, const M& mail) {
  if (!mail.server) return;
  writer.line(keyword, {plain("host", mail.server->host), plain("port", std::int64_t{mail.server->port.host()})});
}

void read_timeout(Context& context, const Statement& statement, M& mail) {
  const auto value = read_integer(context, statement, 1, 0, timeout_max);
  if (!value) return;
  if (*value == 0) {
    context.diagnostics.warning(statement.place_of(1), "smtp_connect_timeout '0' is taken as 1, expected 1..4294");
  }
  mail.connect_timeout = std::chrono::seconds(std::max<std::int64_t>(*value, 1));
}

constexpr auto lines = std::to_array<Keyword<M>>({
    F::block("notification_email", read_recipients, write_recipients).words(1),
    F::text<&M::from>("notification_email_from"),
    F::custom("smtp_server", read_server, write_server, 3),
    F::custom(
        "smtp_connect_timeout", read_timeout,
        [](Writer& writer, std::string_view keyword, const M& mail) {
          writer.line(keyword, {plain("", std::int64_t{mail.connect_timeout.count()})});
        },
        2),
    F::text<&M::helo_name>("smtp_helo_name"),
    F::boolean<&M::smtp_alert>("smtp_alert"),
    F::boolean<&M::smtp_alert_vrrp>("smtp_alert_vrrp"),
    F::boolean<&M::smtp_alert_checker>("smtp_alert_checker"),
    F::flag<&M::no_email_faults>("no_email_faults"),
    F::boolean<&M::no_checker_emails>("no_checker_emails"),
});

constexpr auto keywords = lifted<&GlobalDefs::mail, lines>();

}  // namespace

GlobalKeywords mail_keywords() { return keywords; }

}  // namespace sluice::control::config
