// real_server: its keywords, read into the model as they stand; what it inherits is filled in by resolve.cc.
#include <fmt/format.h>

#include "control/config/servers/checkers/checkers.h"
#include "control/config/servers/fields.h"
#include "control/config/servers/servers.h"

namespace sluice::control::config {

namespace {

constexpr std::int64_t weight_max = 2147483647;
constexpr std::int64_t threshold_max = 4294967295;

using R = RealServer;
using F = Field<R>;
using S = ServerField<R>;

void set_method(Context& context, const Statement& statement, R& rs) {
  if (auto value = read_forwarding(context, statement)) rs.forwarding.write(*value);
}
void write_method(Writer& writer, std::string_view keyword, const R& rs) {
  write_forwarding(writer, keyword, rs.forwarding.value);
}

void write_checkers(Writer& writer, std::string_view, const R& rs) {
  for (const Checker& checker : rs.checkers) write_checker(writer, checker);
}

constexpr auto keywords = std::to_array<Keyword<R>>({
    F::integer<&R::weight, 0, weight_max>("weight"),
    F::boolean<&R::inhibit_on_failure>("inhibit_on_failure"),
    F::custom("lvs_method", set_method, write_method),
    S::script<&R::notify_up>("notify_up"),
    S::script<&R::notify_down>("notify_down"),
    F::integer<&R::upper_threshold, 0, threshold_max>("uthreshold"),
    F::integer<&R::lower_threshold, 0, threshold_max>("lthreshold"),
    F::boolean<&R::smtp_alert>("smtp_alert"),
    F::boolean<&R::alpha>("alpha"),
    F::integer<&R::retry, 1, 4294967295>("retry"),
    F::timer<&R::delay_before_retry, 0, timer_max.count()>("delay_before_retry"),
    F::timer<&R::warmup, 0, timer_max.count()>("warmup"),
    F::timer<&R::connect_timeout, 1, short_timer_max.count()>("connect_timeout"),
    F::timer<&R::delay_loop, 1, timer_max.count()>("delay_loop"),
    S::text<&R::virtualhost>("virtualhost"),
    S::text<&R::snmp_name>("snmp_name"),
    F::block("TCP_CHECK", read_tcp_check, write_checkers, list_tcp_check),
    F::block("HTTP_GET", read_http_get, nullptr, list_http_get),
    F::block("SSL_GET", read_ssl_get, nullptr, list_ssl_get),
    F::block("SMTP_CHECK", read_smtp_check, nullptr, list_smtp_check),
    F::block("DNS_CHECK", read_dns_check, nullptr, list_dns_check),
    F::block("UDP_CHECK", read_udp_check, nullptr, list_udp_check),
    F::block("PING_CHECK", read_ping_check, nullptr, list_ping_check),
    F::block("MISC_CHECK", read_misc_check, nullptr, list_misc_check),
    F::block("FILE_CHECK", read_file_check, nullptr, list_file_check),
    F::block("BFD_CHECK", read_bfd_check, nullptr, list_bfd_check),
});

}  // namespace

void read_real_server(Context& context, const Statement& statement, VirtualServer& vs) {
  const auto address = read_address(context, statement, 1);
  if (!address) return;  // the block is skipped with that one complaint
  R rs;
  rs.position = context.diagnostics.position(statement.place);
  rs.address = *address;
  if (statement.words.size() > 2) {
    const auto port = read_port(context, statement, 2, true);
    if (!port) return;
    rs.port = *port;
  }
  apply<R>(context, keywords, "real_server", statement.children, rs);
  vs.real_servers.push_back(std::move(rs));
}

void write_real_servers(Writer& writer, std::string_view keyword, const VirtualServer& vs) {
  for (const R& rs : vs.real_servers) {
    std::vector<Arg> args = {plain("address", rs.address.text())};
    if (!rs.port.is_zero()) args.push_back(plain("port", std::int64_t{rs.port.host()}));
    writer.open(keyword, args, Occurs::repeated);
    write_all<R>(writer, keywords, rs);
    writer.close();
  }
}

void list_real_server(const std::string& block, std::vector<KeywordInfo>& out) { list_all<R>(block, keywords, out); }

}  // namespace sluice::control::config
