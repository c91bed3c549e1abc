// DNS_CHECK: one question over UDP.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "control/config/servers/checkers/checkers.h"

namespace sluice::control::config {

namespace {

/// Of a name and of a label, bytes (RFC 1035 2.3.4); the name as text, without the root's dot.
constexpr std::size_t name_max = 253;
constexpr std::size_t label_max = 63;

constexpr std::array<Choice<DnsType>, 7> types = {{{"A", DnsType::a},
                                                   {"NS", DnsType::ns},
                                                   {"CNAME", DnsType::cname},
                                                   {"SOA", DnsType::soa},
                                                   {"MX", DnsType::mx},
                                                   {"TXT", DnsType::txt},
                                                   {"AAAA", DnsType::aaaa}}};

void set_type(Context& context, const Statement& statement, DnsCheck& check) {
  Statement upper = statement;  // the case doesn't matter
  for (std::size_t i = 1; i < upper.words.size(); ++i) {
    std::string& text = upper.words[i].text;
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::toupper(c)); });
  }
  if (auto type = read_choice(context, upper, 1, types)) check.type = *type;
}

void set_name(Context& context, const Statement& statement, DnsCheck& check) {
  const Word* word = argument(context, statement, 1, "a domain name");
  if (word == nullptr) return;
  const std::string& name = word->text;
  const bool root = name == ".";
  std::size_t longest = 0;
  bool empty_label = name.empty();
  for (std::size_t at = 0; !root && at <= name.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    longest = std::max(longest, end - at);
    if (end == at) empty_label = true;
    at = end + 1;
  }
  if (!root && (empty_label || (!name.empty() && name.back() == '.'))) {
    context.diagnostics.error(
        statement.place_of(1),
        fmt::format("name {} ignored: a label is empty, expected a domain without a dot at its end", quoted(name)));
  } else if (name.size() > name_max || longest > label_max) {
    warn_quietly(context, statement.place_of(1),
                 fmt::format("name {} ignored, expected at most {} bytes, and {} between the dots", quoted(name),
                             name_max, label_max));
  } else {
    check.name = SharedText(name);
  }
}

constexpr auto keywords = joined(network_keywords<DnsCheck>,
                                 std::to_array<Keyword<DnsCheck>>({
                                     Field<DnsCheck>::custom(
                                         "type", set_type,
                                         [](Writer& writer, std::string_view keyword, const DnsCheck& check) {
                                           writer.line(keyword, {plain("", std::string(word_of(types, check.type)))});
                                         },
                                         2),
                                     Field<DnsCheck>::custom(
                                         "name", set_name,
                                         [](Writer& writer, std::string_view keyword, const DnsCheck& check) {
                                           writer.line(keyword, {plain("", check.name.str())});
                                         },
                                         2),
                                 }));

}  // namespace

void read_dns_check(Context& context, const Statement& statement, RealServer& rs) {
  rs.checkers.emplace_back(read_check<DnsCheck>(context, statement, keywords));
}
void write_check(Writer& writer, const DnsCheck& check) { write_all<DnsCheck>(writer, keywords, check); }
void list_dns_check(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<DnsCheck>(block, keywords, out);
}

}  // namespace sluice::control::config
