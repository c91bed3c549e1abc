// KEEPALIVED-MIB::global: what holds of the whole daemon.
#include <array>

#include "control/snmp/mibs.h"

namespace sluice::control::snmp {

namespace {

using Row = const Snapshot*;

const config::GlobalDefs& global(const Row& row) { return row->config->global; }
const config::MailSettings& mail(const Row& row) { return row->config->global.mail; }

constexpr auto dns = 16;  // InetAddressType of a name

constexpr std::array mail_columns = {
    Column<Row>{1,
                [](const Row& r) -> Cell {
                  if (!mail(r).server) return std::nullopt;
                  const auto parsed = net::IpAddr::parse(mail(r).server->host);
                  return parsed ? address_type(*parsed) : integer(dns);
                }},
    Column<Row>{2,
                [](const Row& r) -> Cell {
                  if (!mail(r).server) return std::nullopt;
                  const auto parsed = net::IpAddr::parse(mail(r).server->host);
                  return parsed ? address(*parsed) : text(mail(r).server->host);
                }},
    Column<Row>{3, [](const Row& r) -> Cell { return gauge32(std::uint64_t(mail(r).connect_timeout.count())); }},
    Column<Row>{4, [](const Row& r) -> Cell { return text_if_any(mail(r).from); }},
    Column<Row>{6,
                [](const Row& r) -> Cell {
                  if (!mail(r).server) return std::nullopt;
                  return gauge32(mail(r).server->port.host());
                }},
    Column<Row>{7, [](const Row& r) -> Cell { return truth(!mail(r).no_email_faults); }},
    Column<Row>{8, [](const Row& r) -> Cell { return truth(mail(r).smtp_alert); }},
    Column<Row>{9, [](const Row& r) -> Cell { return truth(mail(r).smtp_alert_vrrp); }},
    Column<Row>{10, [](const Row& r) -> Cell { return truth(mail(r).smtp_alert_checker); }},
};

constexpr std::array email_columns = {
    Column<const std::string*>{2, [](const std::string* const& email) -> Cell { return text(*email); }},
};

constexpr std::array global_columns = {
    Column<Row>{1, [](const Row& r) -> Cell { return text(r->version); }},
    Column<Row>{2, [](const Row& r) -> Cell { return text(r->router_id); }},
    Column<Row>{4, [](const Row& r) -> Cell { return truth(global(r).monitoring.snmp_traps); }},
    Column<Row>{5, [](const Row& r) -> Cell { return integer(r->config->process.linkbeat_use_polling ? 2 : 1); }},
    Column<Row>{6, [](const Row& r) -> Cell { return truth(global(r).lvs.flush); }},
    Column<Row>{7, [](const Row&) -> Cell { return truth(true); }},  // counters have 64 bits
    Column<Row>{8, [](const Row& r) -> Cell { return text(r->config->process.net_namespace); }},
    Column<Row>{9, [](const Row&) -> Cell { return truth(false); }},  // D-Bus
    Column<Row>{
        10, [](const Row& r) -> Cell { return truth(global(r).dynamic_interfaces != config::DynamicInterfaces::no); }},
    Column<Row>{11,
                [](const Row& r) -> Cell {
                  switch (global(r).lvs.flush_on_stop) {
                    case config::FlushOnStop::all: return integer(1);
                    case config::FlushOnStop::services: return integer(3);
                    case config::FlushOnStop::no: break;
                  }
                  return integer(2);
                }},
};

}  // namespace

void add_global(View& view, const Snapshot& snapshot) {
  view.add_scalars<Row>(keepalived_oid({1}), global_columns, &snapshot);
  view.add_scalars<Row>(keepalived_oid({1, 3}), mail_columns, &snapshot);
  std::vector<Indexed<const std::string*>> emails;
  for (const std::string& email : snapshot.config->global.mail.recipients) {
    emails.push_back({{std::uint32_t(emails.size()) + 1}, &email});
  }
  view.add<const std::string*>(keepalived_oid({1, 3, 5, 1}), email_columns, std::move(emails));
}

}  // namespace sluice::control::snmp
