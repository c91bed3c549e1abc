// dataplane { classify { ... } }: what netfilter's marks are to kernel IPVS. One rule per line:
//   fwmark N destination PREFIX [protocol P] [port A[-B]] [source PREFIX] [interface IF]
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "control/config/fields.h"

namespace sluice::control::config {

namespace {

constexpr std::array<Choice<net::Protocol>, 3> protocols = {
    {{"TCP", net::Protocol::tcp}, {"UDP", net::Protocol::udp}, {"SCTP", net::Protocol::sctp}}};
constexpr std::array<std::string_view, 5> conditions = {"destination", "protocol", "port", "source", "interface"};
constexpr std::size_t interface_name_max = 15;

/// Reads one line; nothing is left of a rule with a mistake: half a rule would mark what it shouldn't.
class Rule {
 public:
  Rule(Context& context, const Statement& line) : context_(context), line_(line) {}

  std::optional<Classify> read() {
    rule_.position = context_.diagnostics.position(line_.place);
    const auto mark = read_integer(context_, line_, 1, 1, 4294967295);
    if (!mark) return std::nullopt;
    rule_.mark = static_cast<std::uint32_t>(*mark);
    for (std::size_t at = 2; at < line_.words.size(); at += 2) {
      if (!read_condition(at)) return std::nullopt;
    }
    if (!has_destination_) {
      context_.diagnostics.error(line_.place,
                                 fmt::format("fwmark {} has no destination, expected 'destination PREFIX': "
                                             "the addresses whose packets are looked at; rule ignored",
                                             rule_.mark));
      return std::nullopt;
    }
    if (rule_.source && rule_.source->address.is_v6() != rule_.destination.address.is_v6()) {
      context_.diagnostics.error(line_.place,
                                 fmt::format("source {} and destination {} are of different families; rule "
                                             "ignored",
                                             rule_.source->text(), rule_.destination.text()));
      return std::nullopt;
    }
    return rule_;
  }

 private:
  bool read_condition(std::size_t at) {
    const std::string& name = line_.words[at].text;
    if (std::find(conditions.begin(), conditions.end(), name) == conditions.end()) {
      complain_choice(context_, line_, at, conditions);
      return false;
    }
    if (argument(context_, line_, at + 1, "a value for the condition") == nullptr) return false;
    if (name == "destination") return has_destination_ = store_prefix(at + 1, rule_.destination);
    if (name == "protocol") {
      rule_.protocol = read_choice(context_, line_, at + 1, protocols);
      return rule_.protocol.has_value();
    }
    if (name == "port") return read_ports(at + 1);
    if (name == "source") {
      rule_.source.emplace();
      return store_prefix(at + 1, *rule_.source);
    }
    return read_interface(at + 1);
  }

  bool store_prefix(std::size_t at, Prefix& prefix) {
    const auto read = read_prefix(context_, line_, at);
    if (read) prefix = *read;
    return read.has_value();
  }

  bool read_ports(std::size_t at) {
    const std::string& text = line_.words[at].text;
    const auto dash = text.find('-');
    const auto first = parse_number(std::string_view(text).substr(0, dash), 65535);
    const auto last = dash == std::string::npos ? first : parse_number(std::string_view(text).substr(dash + 1), 65535);
    if (!first || !last || *first > *last) {
      context_.diagnostics.error(
          line_.place_of(at),
          fmt::format("port {} is none, expected N or A-B within 0..65535; rule ignored", quoted(text)));
      return false;
    }
    rule_.port_first = static_cast<std::uint16_t>(*first);
    rule_.port_last = static_cast<std::uint16_t>(*last);
    return true;
  }

  bool read_interface(std::size_t at) {
    const std::string& name = line_.words[at].text;
    if (name.empty() || name.size() > interface_name_max || name.find('/') != std::string::npos) {
      context_.diagnostics.error(line_.place_of(at),
                                 fmt::format("interface {} is none, expected a name of 1..{} characters; rule ignored",
                                             quoted(name), interface_name_max));
      return false;
    }
    rule_.interface = name;
    return true;
  }

  Context& context_;
  const Statement& line_;
  Classify rule_;
  bool has_destination_ = false;
};

std::string ports_text(const Classify& rule) {
  return rule.port_first == rule.port_last ? fmt::format("{}", rule.port_first)
                                           : fmt::format("{}-{}", rule.port_first, rule.port_last);
}

bool has_ports(const Classify& rule) { return rule.port_first != 0 || rule.port_last != 65535; }

}  // namespace

std::string Classify::text() const {
  std::string text = fmt::format("fwmark {} destination {}", mark, destination.text());
  if (protocol) text += fmt::format(" protocol {}", word_of(protocols, *protocol));
  if (has_ports(*this)) text += " port " + ports_text(*this);
  if (source) text += " source " + source->text();
  if (!interface.empty()) text += " interface " + interface;
  return text;
}

void read_classify(Context& context, const Statement& statement, Dataplane& dataplane) {
  for (const Statement& line : statement.children) {
    if (line.keyword() != "fwmark") {
      context.diagnostics.error(
          line.place, fmt::format("{} ignored, expected 'fwmark N destination PREFIX ...'", quoted(line.keyword())));
      continue;
    }
    if (auto rule = Rule(context, line).read()) dataplane.classify.push_back(std::move(*rule));
  }
}

void list_classify(const std::string& block, std::vector<KeywordInfo>& out) {
  out.push_back({block, "fwmark", {}, Effect::acts, {}});
}

void write_classify(Writer& writer, std::string_view keyword, const Dataplane& dataplane) {
  if (dataplane.classify.empty()) return;
  writer.open_list(keyword);
  for (const Classify& rule : dataplane.classify) {
    std::vector<Arg> args = {option("fwmark", std::int64_t{rule.mark}), option("destination", rule.destination.text())};
    if (rule.protocol) args.push_back(option("protocol", std::string(word_of(protocols, *rule.protocol))));
    if (has_ports(rule)) args.push_back(option("port", ports_text(rule)));
    if (rule.source) args.push_back(option("source", rule.source->text()));
    if (!rule.interface.empty()) args.push_back(option("interface", rule.interface));
    writer.item(args);
  }
  writer.close_list();
}

}  // namespace sluice::control::config
