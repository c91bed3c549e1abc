// The checkers' blocks, one kind per file: reading one into its real server, writing it, listing its keywords; and the
// keywords that several kinds share. Internal to control/config.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/servers/fields.h"

namespace sluice::control::config {

void read_tcp_check(Context& context, const Statement& statement, RealServer& rs);
void read_http_get(Context& context, const Statement& statement, RealServer& rs);
void read_ssl_get(Context& context, const Statement& statement, RealServer& rs);
void read_smtp_check(Context& context, const Statement& statement, RealServer& rs);
void read_dns_check(Context& context, const Statement& statement, RealServer& rs);
void read_udp_check(Context& context, const Statement& statement, RealServer& rs);
void read_ping_check(Context& context, const Statement& statement, RealServer& rs);
void read_misc_check(Context& context, const Statement& statement, RealServer& rs);
void read_file_check(Context& context, const Statement& statement, RealServer& rs);
void read_bfd_check(Context& context, const Statement& statement, RealServer& rs);

/// The whole block.
void write_checker(Writer& writer, const Checker& checker);

// What is inside the block.
void write_check(Writer& writer, const TcpCheck& check);
void write_check(Writer& writer, const HttpGet& check);
void write_check(Writer& writer, const SmtpCheck& check);
void write_check(Writer& writer, const DnsCheck& check);
void write_check(Writer& writer, const UdpCheck& check);
void write_check(Writer& writer, const PingCheck& check);
void write_check(Writer& writer, const MiscCheck& check);
void write_check(Writer& writer, const FileCheck& check);
void write_check(Writer& writer, const BfdCheck& check);

void list_tcp_check(const std::string& block, std::vector<KeywordInfo>& out);
void list_http_get(const std::string& block, std::vector<KeywordInfo>& out);
void list_ssl_get(const std::string& block, std::vector<KeywordInfo>& out);
void list_smtp_check(const std::string& block, std::vector<KeywordInfo>& out);
void list_dns_check(const std::string& block, std::vector<KeywordInfo>& out);
void list_udp_check(const std::string& block, std::vector<KeywordInfo>& out);
void list_ping_check(const std::string& block, std::vector<KeywordInfo>& out);
void list_misc_check(const std::string& block, std::vector<KeywordInfo>& out);
void list_file_check(const std::string& block, std::vector<KeywordInfo>& out);
void list_bfd_check(const std::string& block, std::vector<KeywordInfo>& out);

/// Of all checkers that run again and again.
template <typename C>
constexpr auto timing_keywords = std::to_array<Keyword<C>>({
    Field<C>::template integer<&CheckerCommon::retry, 0, 4294967295>("retry"),
    Field<C>::template timer<&CheckerCommon::delay_before_retry, 0, timer_max.count()>("delay_before_retry"),
    Field<C>::template timer<&CheckerCommon::delay_loop, 1, timer_max.count()>("delay_loop"),
    Field<C>::template timer<&CheckerCommon::warmup, 0, timer_max.count()>("warmup"),
    Field<C>::template boolean<&CheckerCommon::alpha>("alpha"),
    Field<C>::template boolean<&CheckerCommon::log_all_failures>("log_all_failures"),
});

/// Of the source of a probe: bindto, bind_port, bind_if, fwmark.
void set_bindto(Context& context, const Statement& statement, NetworkCheck& check);
void set_bind_port(Context& context, const Statement& statement, NetworkCheck& check);
void set_bind_if(Context& context, const Statement& statement, NetworkCheck& check);
void set_check_fwmark(Context& context, const Statement& statement, NetworkCheck& check);
void write_bindto(Writer& writer, std::string_view keyword, const NetworkCheck& check);
void write_bind_port(Writer& writer, std::string_view keyword, const NetworkCheck& check);
void write_bind_if(Writer& writer, std::string_view keyword, const NetworkCheck& check);
void write_check_fwmark(Writer& writer, std::string_view keyword, const NetworkCheck& check);

template <typename C, void (*Set)(Context&, const Statement&, NetworkCheck&),
          void (*Write)(Writer&, std::string_view, const NetworkCheck&)>
constexpr Keyword<C> source_keyword(std::string_view name) {
  return Field<C>::custom(
      name, [](Context& context, const Statement& statement, C& check) { Set(context, statement, check); },
      [](Writer& writer, std::string_view keyword, const C& check) { Write(writer, keyword, check); }, 2);
}

/// Of all checkers that talk to the server over the network.
template <typename C>
constexpr auto network_keywords =
    joined(std::to_array<Keyword<C>>({
               Field<C>::template address<&NetworkCheck::connect_ip>("connect_ip"),
               Field<C>::template port<&NetworkCheck::connect_port>("connect_port"),
               Field<C>::template timer<&NetworkCheck::connect_timeout, 1, short_timer_max.count()>("connect_timeout"),
               source_keyword<C, set_bindto, write_bindto>("bindto"),
               source_keyword<C, set_bind_port, write_bind_port>("bind_port"),
               source_keyword<C, set_bind_if, write_bind_if>("bind_if"),
               source_keyword<C, set_check_fwmark, write_check_fwmark>("fwmark"),
           }),
           timing_keywords<C>);

template <typename C>
C read_check(Context& context, const Statement& statement, std::span<const Keyword<C>> table, C check = {}) {
  check.position = context.diagnostics.position(statement.place);
  apply<C>(context, table, statement.keyword(), statement.children, check);
  return check;
}

}  // namespace sluice::control::config
