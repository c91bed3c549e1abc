// Reading a line of virtual_routes or static_routes: [TYPE] [to] PREFIX|default [OPTION...] [nexthop ...].
#include "control/config/network/route.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::control::config {

namespace {

constexpr unsigned weight_max = 256;

template <typename T, std::size_t N>
const T* find(const std::array<Choice<T>, N>& choices, std::string_view word) {
  for (const Choice<T>& choice : choices) {
    if (choice.word == word) return &choice.value;
  }
  return nullptr;
}

/// Milliseconds unless it ends in s; decimals allowed.
std::optional<std::uint32_t> microseconds(std::string_view text, std::uint32_t max) {
  std::uint64_t unit = 1'000;
  if (text.ends_with("ms")) {
    text.remove_suffix(2);
  } else if (text.ends_with("s")) {
    text.remove_suffix(1);
    unit = 1'000'000;
  }
  const std::string_view whole = text.substr(0, text.find('.'));
  std::string_view part = whole.size() < text.size() ? text.substr(whole.size() + 1) : std::string_view();
  const auto number = parse_number(whole, 0xffff'ffff);
  if (!number) return std::nullopt;
  std::uint64_t value = *number * unit;
  for (; !part.empty(); part.remove_prefix(1)) {
    if (part.front() < '0' || part.front() > '9') return std::nullopt;
    unit /= 10;
    value += unit * static_cast<unsigned>(part.front() - '0');
  }
  if (value > max) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

class RouteLine {
 public:
  RouteLine(Context& context, const Statement& line, bool is_static)
      : context_(context),
        statement_(line),
        line_(context, line, "route", 0, exit_status_fatal),
        is_static_(is_static) {}

  std::optional<IpRoute> read() {
    route_.position = context_.diagnostics.position(statement_.place);
    while (!line_.at_end() && !line_.failed()) {
      if (line_.word() == "nexthop") {
        read_nexthops();
      } else {
        read_option();
      }
    }
    if (line_.failed() || !settle()) return std::nullopt;
    return std::move(route_);
  }

 private:
  /// Leaves the line behind the option.
  void read_option() {
    const std::string word = line_.word();
    if (word == "encap") {
      route_.encap = read_encap(line_);
      return;
    }
    if (const auto* type = find(route_types, word); type != nullptr && !has_destination_) {
      route_.type = *type;
    } else if (word == "inet" || word == "inet6") {
      take_family(word == "inet6");
    } else if (word == "to") {
      if (line_.value() != nullptr) read_destination();
    } else if (word == "via" || word == "gw") {
      if (word == "gw") line_.warning("'gw' is an old spelling of 'via', which it is taken as");
      if (const auto via = read_via()) route_.via = via;
    } else if (word == "or") {
      line_.warning("'or' is an old form, expected 'nexthop via A nexthop via B'; it is taken as that");
      second_via_ = read_via();
    } else if (word == "src") {
      route_.source = line_.address();
      if (route_.source) take_family(route_.source->is_v6());
    } else if (word == "from") {
      read_from();
    } else if (word == "dev" || word == "oif") {
      if (auto name = line_.interface()) route_.dev = *name;
    } else if (!read_number(word) && !read_word(word)) {
      read_destination();
    }
    line_.next();
  }

  bool read_number(const std::string& word) {
    if (word == "table") {
      if (const auto n = line_.named_number(NameTable::tables, 0xffff'ffff)) route_.table = *n;
    } else if (word == "metric" || word == "priority" || word == "preference") {
      if (const auto n = line_.number(0xffff'ffff)) route_.metric = static_cast<std::uint32_t>(*n);
    } else if (word == "scope") {
      if (const auto n = line_.named_number(NameTable::scopes, 255)) route_.scope = *n;
    } else if (word == "protocol") {
      protocol_at_ = line_.place();
      if (const auto n = line_.named_number(NameTable::protocols, 255)) route_.protocol = *n;
    } else if (word == "tos" || word == "dsfield") {
      if (const auto n = line_.named_number(NameTable::tos, 255)) route_.tos = *n;
    } else if (word == "hoplimit") {
      if (const auto n = line_.number(255)) route_.hoplimit = static_cast<unsigned>(*n);
    } else if (const auto* metric = find(route_metrics, word)) {
      RouteMetric value{.locked = locked()};
      if (const auto n = line_.number(0xffff'ffff)) value.value = static_cast<std::uint32_t>(*n);
      route_.*(*metric) = value;
    } else if (const auto time = std::ranges::find(route_times, word, &RouteTime::word); time != route_times.end()) {
      read_time(route_.*time->value, time->max_us);
    } else if (const auto* number = find(route_numbers, word)) {
      if (word == "expires") need_v6(word);
      if (const auto n = line_.number(0xffff'ffff)) route_.*(*number) = static_cast<std::uint32_t>(*n);
    } else if (const auto* on = find(route_switches, word)) {
      if (const auto n = line_.number(1)) route_.*(*on) = *n == 1;
    } else {
      return false;
    }
    return true;
  }

  bool read_word(const std::string& word) {
    if (word == "onlink") {
      route_.onlink = true;
    } else if (word == "no_track") {
      route_.no_track = true;
    } else if (const auto* place = find(route_places, word)) {
      route_.place = *place;
    } else if (word == "realms") {
      if (const auto realms = line_.realms()) route_.realms = *realms;
    } else if (word == "features") {
      const std::string* feature = line_.value();
      if (feature != nullptr && *feature != "ecn") return line_.refuse("ecn"), true;
      route_.ecn = true;
    } else if (word == "congctl") {
      route_.congctl_locked = locked();
      if (const std::string* name = line_.value()) route_.congctl = *name;
    } else if (word == "pref") {
      need_v6(word);
      const std::string* text = line_.value();
      if (text == nullptr) return true;
      const auto* preference = find(route_preferences, *text);
      if (preference == nullptr) return line_.refuse("low, medium or high"), true;
      route_.preference = *preference;
    } else if (word == "ttl-propagate") {
      const std::string* text = line_.value();
      if (text == nullptr) return true;
      if (*text != "enabled" && *text != "disabled") return line_.refuse("enabled or disabled"), true;
      route_.ttl_propagate = *text == "enabled";
    } else if (word == "vrf") {
      if (auto name = line_.interface()) route_.vrf = *name;
    } else if (word == "track_group" && is_static_) {
      const std::string* name = line_.value();
      if (name != nullptr && is_track_group(context_, line_.place(), *name)) route_.track_group = *name;
    } else {
      return false;
    }
    return true;
  }

  /// "lock" behind an option's name: steps onto it, so that the value is the word behind it.
  bool locked() {
    if (line_.at() + 1 >= statement_.words.size() || statement_.words[line_.at() + 1].text != "lock") return false;
    line_.next();
    return true;
  }

  void read_time(std::optional<RouteMetric>& slot, std::uint32_t max_us) {
    RouteMetric metric{.locked = locked()};
    const std::string* text = line_.value();
    if (text == nullptr) return;
    const auto value = microseconds(*text, max_us);
    if (!value) return line_.refuse(fmt::format("a time such as 100ms or 1.5s, at most {}s", max_us / 1'000'000));
    metric.value = *value;
    slot = metric;
  }

  void read_destination() {
    bool any = false;
    const auto prefix = line_.prefix(any);
    if (!prefix && !any) return;
    has_destination_ = true;
    is_default_ = any;
    if (prefix) {
      route_.destination = *prefix;
      take_family(prefix->address.is_v6());
    }
  }

  void read_from() {
    if (line_.value() == nullptr) return;
    bool any = false;
    const auto prefix = line_.prefix(any);
    if (!prefix) return;
    if (!prefix->address.is_v6()) return line_.error("from is for IPv6 routes only; the route is ignored");
    route_.from = *prefix;
    take_family(true);
  }

  /// [inet|inet6] ADDRESS.
  std::optional<net::IpAddr> read_via() {
    if (line_.at() + 1 < statement_.words.size()) {
      const std::string& family = statement_.words[line_.at() + 1].text;
      if (family == "inet" || family == "inet6") line_.next();
    }
    const auto address = line_.address();
    if (address) take_family(address->is_v6());
    return address;
  }

  void read_nexthops() {
    while (!line_.at_end() && !line_.failed() && line_.take("nexthop")) {
      Nexthop hop;
      while (!line_.at_end() && !line_.failed() && line_.word() != "nexthop") {
        if (!read_nexthop_option(hop)) {
          line_.error(
              fmt::format("{} behind a nexthop: expected via, dev, weight, onlink, realms, encap or nexthop; "
                          "the route is ignored",
                          quoted(line_.word())));
          return;
        }
      }
      route_.nexthops.push_back(std::move(hop));
    }
  }

  bool read_nexthop_option(Nexthop& hop) {
    const std::string word = line_.word();
    if (word == "encap") {
      hop.encap = read_encap(line_);
      return true;
    }
    if (word == "via") {
      hop.via = read_via();
    } else if (word == "dev" || word == "oif") {
      if (auto name = line_.interface()) hop.dev = *name;
    } else if (word == "weight") {
      const auto weight = line_.number(weight_max);
      if (weight && *weight == 0) line_.refuse(fmt::format("1..{}", weight_max));
      if (weight) hop.weight = static_cast<unsigned>(*weight);
    } else if (word == "onlink") {
      hop.onlink = true;
    } else if (word == "realms") {
      if (const auto realms = line_.realms()) hop.realms = *realms;
    } else {
      return false;
    }
    line_.next();
    return true;
  }

  /// A second family in one route is refused.
  void take_family(bool is_v6) {
    if (is_v6_ && *is_v6_ != is_v6) {
      line_.error("IPv4 and IPv6 in one route, expected one family; the route is ignored");
    }
    is_v6_ = is_v6;
  }

  void need_v6(const std::string& option) { v6_only_ = option; }

  bool settle() {
    if (!has_destination_) {
      context_.diagnostics.error(statement_.place,
                                 "a route without a destination is ignored, expected a prefix or "
                                 "default");
      return false;
    }
    route_.is_v6 = is_v6_.value_or(false);
    if (is_default_) route_.destination = {route_.is_v6 ? net::IpAddr(net::Ipv6Addr{}) : net::IpAddr(), 0};
    if (!v6_only_.empty() && !route_.is_v6) {
      context_.diagnostics.error(statement_.place,
                                 fmt::format("{} is for IPv6 routes only; the route is ignored", quoted(v6_only_)));
      return false;
    }
    if (second_via_ && route_.via) {
      Nexthop first{.via = route_.via, .dev = route_.dev};
      Nexthop second{.via = second_via_, .dev = route_.dev};
      route_.nexthops = {std::move(first), std::move(second)};
      route_.via.reset();
    }
    settle_tracking();
    return true;
  }

  void settle_tracking() {
    if (route_.no_track) return;
    if (route_.dev.empty()) {
      context_.diagnostics.warning(statement_.place,
                                   "nobody will watch this route, expected 'dev INTERFACE' in it, or 'no_track'");
      route_.no_track = true;
    } else if (route_.protocol != route_protocol_keepalived) {
      context_.diagnostics.warning(protocol_at_.value_or(statement_.place),
                                   "a route that is watched has the protocol keepalived (18), which it gets; expected "
                                   "'no_track' beside another");
      route_.protocol = route_protocol_keepalived;
    }
  }

  Context& context_;
  const Statement& statement_;
  OptionLine line_;
  bool is_static_;
  bool has_destination_ = false;
  bool is_default_ = false;
  std::optional<bool> is_v6_;
  std::string v6_only_;
  std::optional<net::IpAddr> second_via_;
  std::optional<Place> protocol_at_;
  IpRoute route_;
};

}  // namespace

std::optional<IpRoute> read_route(Context& context, const Statement& line, bool is_static) {
  return RouteLine(context, line, is_static).read();
}

}  // namespace sluice::control::config
