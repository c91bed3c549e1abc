// SMTP_CHECK, with its old form: each host block in it is a checker of its own.
#include "control/config/servers/checkers/checkers.h"

namespace sluice::control::config {

namespace {

using F = Field<SmtpCheck>;

constexpr auto host_keywords = network_keywords<SmtpCheck>;

void list_host(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<SmtpCheck>(block, host_keywords, out);
}

constexpr auto keywords =
    joined(network_keywords<SmtpCheck>,
           std::to_array<Keyword<SmtpCheck>>({
               ServerField<SmtpCheck>::soft_text<&SmtpCheck::helo_name>("helo_name"),
               F::block("host", known<SmtpCheck>, nullptr, list_host),  // read_smtp_check deals with them
           }));

}  // namespace

void read_smtp_check(Context& context, const Statement& statement, RealServer& rs) {
  const SmtpCheck check = read_check<SmtpCheck>(context, statement, keywords);
  bool has_host = false;
  for (const Statement& line : statement.children) {
    if (line.keyword() != "host") continue;
    has_host = true;
    rs.checkers.emplace_back(read_check<SmtpCheck>(context, line, host_keywords, check));
  }
  if (!has_host) rs.checkers.emplace_back(check);
}

void write_check(Writer& writer, const SmtpCheck& check) { write_all<SmtpCheck>(writer, keywords, check); }

void list_smtp_check(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<SmtpCheck>(block, keywords, out);
}

}  // namespace sluice::control::config
