// Lines of virtual_rules and static_rules: selectors, options and exactly one action, in any order.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/network/line.h"

namespace sluice::control::config {

namespace {

struct IpProtocol {
  std::string_view name;
  unsigned number;
};

/// IANA's; others are written as numbers.
constexpr auto ip_protocols = std::to_array<IpProtocol>({{"icmp", 1},
                                                         {"igmp", 2},
                                                         {"ipip", 4},
                                                         {"tcp", 6},
                                                         {"udp", 17},
                                                         {"dccp", 33},
                                                         {"ipv6", 41},
                                                         {"gre", 47},
                                                         {"esp", 50},
                                                         {"ah", 51},
                                                         {"ipv6-icmp", 58},
                                                         {"icmpv6", 58},
                                                         {"ospf", 89},
                                                         {"pim", 103},
                                                         {"vrrp", 112},
                                                         {"l2tp", 115},
                                                         {"sctp", 132},
                                                         {"udplite", 136}});

constexpr std::array<Choice<RuleAction>, 3> refusals = {{{"blackhole", RuleAction::blackhole},
                                                         {"prohibit", RuleAction::prohibit},
                                                         {"unreachable", RuleAction::unreachable}}};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

class RuleLine {
 public:
  RuleLine(Context& context, const Statement& line, bool is_static)
      : context_(context),
        statement_(line),
        line_(context, line, "rule", 0, exit_status_fatal),
        is_static_(is_static) {}

  std::optional<IpRule> read() {
    rule_.position = context_.diagnostics.position(statement_.place);
    while (!line_.at_end() && !line_.failed()) {
      const std::string word = line_.word();
      if (!read_selector(word) && !read_option(word) && !read_action(word)) {
        line_.error(fmt::format("{} is no option of rules; the rule is ignored", quoted(word)));
      }
      if (!line_.failed()) line_.next();
    }
    if (line_.failed() || !settle()) return std::nullopt;
    return std::move(rule_);
  }

 private:
  bool read_selector(const std::string& word) {
    if (word == "not") {
      rule_.inverted = true;
    } else if (word == "from") {
      read_prefix(rule_.from);
    } else if (word == "to") {
      read_prefix(rule_.to);
    } else if (word == "inet" || word == "inet6") {
      take_family(word == "inet6");
    } else if (word == "dev" || word == "iif") {
      if (auto name = line_.interface()) rule_.iif = *name;
    } else if (word == "oif") {
      if (auto name = line_.interface()) rule_.oif = *name;
    } else if (word == "tos" || word == "dsfield") {
      if (const auto n = line_.named_number(NameTable::tos, 255)) rule_.tos = *n;
    } else if (word == "fwmark") {
      read_mark();
    } else if (word == "uidrange") {
      read_range(rule_.uids, 0xffff'ffff, false);
    } else if (word == "ipproto") {
      read_ip_protocol();
    } else if (word == "sport") {
      read_range(rule_.source_ports, 65535, true);
    } else if (word == "dport") {
      read_range(rule_.destination_ports, 65535, true);
    } else if (word == "tunnel-id") {
      rule_.tunnel_id = line_.number(~std::uint64_t{0});
    } else {
      return false;
    }
    return true;
  }

  bool read_option(const std::string& word) {
    if (word == "preference" || word == "priority" || word == "order") {
      if (const auto n = line_.number(0xffff'ffff)) {
        rule_.preference = static_cast<std::uint32_t>(*n);
        has_preference_ = true;
      }
    } else if (word == "protocol") {
      protocol_at_ = line_.place();
      if (const auto n = line_.number(255)) rule_.protocol = static_cast<unsigned>(*n);
    } else if (word == "suppress_prefixlength" || word == "sup_pl") {
      if (const auto n = line_.number(128)) rule_.suppress_prefixlength = static_cast<unsigned>(*n);
    } else if (word == "suppress_ifgroup" || word == "sup_group") {
      rule_.suppress_ifgroup = line_.named_number(NameTable::groups, 0xffff'ffff);
    } else if (word == "realms") {
      if (const auto realms = line_.realms()) rule_.realms = *realms;
    } else if (word == "no_track") {
      rule_.no_track = true;
    } else if (word == "track_group" && is_static_) {
      track_group_at_ = line_.place();
      const std::string* name = line_.value();
      if (name != nullptr && is_track_group(context_, line_.place(), *name)) rule_.track_group = *name;
    } else {
      return false;
    }
    return true;
  }

  bool read_action(const std::string& word) {
    if (word == "table" || word == "lookup") {
      if (!begin_action(RuleAction::table)) return true;
      if (const auto n = line_.named_number(NameTable::tables, 0xffff'ffff)) rule_.table = *n;
    } else if (word == "goto") {
      if (!begin_action(RuleAction::go_to)) return true;
      if (const auto n = line_.number(0xffff'ffff)) rule_.target = static_cast<std::uint32_t>(*n);
    } else if (word == "nop") {
      begin_action(RuleAction::nop);
    } else if (word == "l3mdev") {
      begin_action(RuleAction::l3mdev);
    } else if (word == "type") {
      const std::string* type = line_.value();
      if (type != nullptr && !read_refusal(*type)) line_.refuse("blackhole, prohibit or unreachable");
    } else {
      return read_refusal(word);
    }
    return true;
  }

  bool read_refusal(const std::string& word) {
    for (const auto& refusal : refusals) {
      if (refusal.word != word) continue;
      begin_action(refusal.value);
      return true;
    }
    return false;
  }

  bool begin_action(RuleAction action) {
    if (has_action_) {
      line_.error(
          fmt::format("{} is a second action, expected one of table, goto, nop, l3mdev, blackhole, prohibit and "
                      "unreachable; the rule is ignored",
                      quoted(line_.word())));
      return false;
    }
    has_action_ = true;
    rule_.action = action;
    return true;
  }

  void read_prefix(std::optional<Prefix>& slot) {
    if (line_.value() == nullptr) return;
    bool any = false;
    slot = line_.prefix(any);
    if (slot) take_family(slot->address.is_v6());
  }

  /// M[/MASK].
  void read_mark() {
    const std::string* text = line_.value();
    if (text == nullptr) return;
    const auto slash = text->find('/');
    const std::string_view all = *text;
    const auto mark = any_number(all.substr(0, slash), 0xffff'ffff);
    const auto mask = slash == std::string::npos ? std::optional<std::uint64_t>(0xffff'ffff)
                                                 : any_number(all.substr(slash + 1), 0xffff'ffff);
    if (!mark || !mask) return line_.refuse("MARK or MARK/MASK, 32 bits each");
    rule_.fwmark = RuleMark{static_cast<std::uint32_t>(*mark), static_cast<std::uint32_t>(*mask)};
  }

  /// A-B. single: A alone is A-A; keepalived's documentation has it, 2.2.7 refuses it.
  template <typename T>
  void read_range(std::optional<Range<T>>& slot, std::uint64_t max, bool single) {
    const std::string* text = line_.value();
    if (text == nullptr) return;
    const auto dash = text->find('-');
    const std::string_view all = *text;
    const auto first = any_number(all.substr(0, dash), max);
    const auto last = dash == std::string::npos ? first : any_number(all.substr(dash + 1), max);
    if (!first || !last || *last < *first || (dash == std::string::npos && !single)) {
      return line_.refuse(fmt::format("FIRST-LAST within 0..{}", max));
    }
    slot = Range<T>{static_cast<T>(*first), static_cast<T>(*last)};
  }

  void read_ip_protocol() {
    const std::string* text = line_.value();
    if (text == nullptr) return;
    const std::string name = lower(*text);
    for (const IpProtocol& protocol : ip_protocols) {
      if (protocol.name == name) rule_.ip_protocol = protocol.number;
    }
    if (const auto number = any_number(*text, 255)) rule_.ip_protocol = static_cast<unsigned>(*number);
    if (!rule_.ip_protocol) line_.refuse("a protocol such as tcp or 0..255");
  }

  void take_family(bool is_v6) {
    if (is_v6_ && *is_v6_ != is_v6) {
      line_.error("IPv4 and IPv6 in one rule, expected one family; the rule is ignored");
    }
    is_v6_ = is_v6;
  }

  bool settle() {
    rule_.is_v6 = is_v6_.value_or(false);
    if (!has_action_) {
      return refuse(
          "a rule without an action is ignored, expected table, goto, nop, l3mdev, blackhole, prohibit or "
          "unreachable");
    }
    if (!rule_.track_group.empty() && rule_.iif.empty()) {
      context_.diagnostics.error(track_group_at_.value_or(statement_.place),
                                 "track_group ignored, expected 'iif INTERFACE' in a rule that has one");
      rule_.track_group.clear();
    }
    if (!has_preference_) {
      rule_.preference = context_.next_rule_preference--;
      context_.diagnostics.warning(
          statement_.place, fmt::format("the rule gets preference {}, expected 'preference N': where it stands among "
                                        "the others decides what it does",
                                        rule_.preference));
    }
    if (rule_.action == RuleAction::go_to && rule_.target <= rule_.preference) {
      return refuse(fmt::format("the rule is ignored: goto {} doesn't lead behind its own preference {}", rule_.target,
                                rule_.preference));
    }
    if (!rule_.no_track && rule_.protocol != route_protocol_keepalived) {
      context_.diagnostics.warning(
          protocol_at_.value_or(statement_.place),
          "a rule that is watched has the protocol 18 (keepalived), which it gets; expected 'no_track' beside another");
      rule_.protocol = route_protocol_keepalived;
    }
    return true;
  }

  bool refuse(std::string message) {
    context_.diagnostics.error(statement_.place, std::move(message));
    return false;
  }

  Context& context_;
  const Statement& statement_;
  OptionLine line_;
  bool is_static_;
  bool has_action_ = false;
  bool has_preference_ = false;
  std::optional<bool> is_v6_;
  std::optional<Place> protocol_at_;
  std::optional<Place> track_group_at_;
  IpRule rule_;
};

template <typename T>
std::string range_text(const Range<T>& range) {
  return fmt::format("{}-{}", range.first, range.last);
}

void write_action(std::vector<Arg>& args, const IpRule& rule) {
  switch (rule.action) {
    case RuleAction::table: args.push_back(option("table", std::int64_t{rule.table})); break;
    case RuleAction::go_to: args.push_back(option("goto", std::int64_t{rule.target})); break;
    case RuleAction::nop: args.push_back(flag("nop")); break;
    case RuleAction::l3mdev: args.push_back(flag("l3mdev")); break;
    default: args.push_back(flag(word_of(refusals, rule.action)));
  }
  write_realms(args, rule.realms);
}

}  // namespace

std::optional<IpRule> read_rule(Context& context, const Statement& line, bool is_static) {
  return RuleLine(context, line, is_static).read();
}

void write_rule(Writer& writer, const IpRule& rule) {
  std::vector<Arg> args;
  if (rule.inverted) args.push_back(flag("not"));
  if (rule.from) args.push_back(option("from", rule.from->text()));
  if (rule.to) args.push_back(option("to", rule.to->text()));
  if (rule.is_v6 && !rule.from && !rule.to) args.push_back(flag("inet6"));
  if (!rule.iif.empty()) args.push_back(option("iif", rule.iif));
  if (!rule.oif.empty()) args.push_back(option("oif", rule.oif));
  if (rule.tos != 0) args.push_back(option("tos", std::int64_t{rule.tos}));
  if (rule.fwmark) {
    args.push_back(option("fwmark", rule.fwmark->mask == 0xffff'ffff
                                        ? fmt::format("{}", rule.fwmark->mark)
                                        : fmt::format("{:#x}/{:#x}", rule.fwmark->mark, rule.fwmark->mask)));
  }
  if (rule.uids) args.push_back(option("uidrange", range_text(*rule.uids)));
  if (rule.ip_protocol) args.push_back(option("ipproto", std::int64_t{*rule.ip_protocol}));
  if (rule.source_ports) args.push_back(option("sport", range_text(*rule.source_ports)));
  if (rule.destination_ports) args.push_back(option("dport", range_text(*rule.destination_ports)));
  // Not an integer of 63 bits always.
  if (rule.tunnel_id) args.push_back(option("tunnel-id", fmt::format("{}", *rule.tunnel_id)));
  args.push_back(option("preference", std::int64_t{rule.preference}));
  if (rule.protocol != route_protocol_keepalived) args.push_back(option("protocol", std::int64_t{rule.protocol}));
  if (rule.suppress_prefixlength) {
    args.push_back(option("suppress_prefixlength", std::int64_t{*rule.suppress_prefixlength}));
  }
  if (rule.suppress_ifgroup) args.push_back(option("suppress_ifgroup", std::int64_t{*rule.suppress_ifgroup}));
  if (rule.no_track) args.push_back(flag("no_track"));
  if (!rule.track_group.empty()) args.push_back(option("track_group", rule.track_group));
  write_action(args, rule);
  writer.item(args);
}

}  // namespace sluice::control::config
