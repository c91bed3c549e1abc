#include "control/daemon/classify_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <expected>

#include "dataplane/classify/classifier.h"

namespace sluice::control {

namespace {

using dataplane::Ingress;

dataplane::Ipv4Prefix prefix_of(const config::Prefix& prefix) { return {prefix.address.v4(), prefix.length}; }

/// Where packets of a named interface come in, or why none do.
std::expected<Ingress, std::string> ingress_of(const std::string& name, std::span<const EngineInterface> interfaces,
                                               const netlink::Mirror& mirror) {
  const netlink::Link* link = mirror.link(name);
  if (link == nullptr) return std::unexpected(fmt::format("interface '{}' doesn't exist", name));
  std::uint16_t vlan = 0;
  while (link->kind == "vlan" && link->parent_ifindex != 0) {
    if (vlan != 0 || !link->vlan_8021q) {
      return std::unexpected(fmt::format("the frames of '{}' have more than one 802.1Q tag", name));
    }
    vlan = link->vlan;
    link = mirror.link(link->parent_ifindex);
    if (link == nullptr) return std::unexpected(fmt::format("the interface below '{}' isn't here", name));
  }
  const auto found = std::find_if(interfaces.begin(), interfaces.end(),
                                  [&](const EngineInterface& each) { return each.ifindex == link->ifindex; });
  if (found == interfaces.end()) {
    return std::unexpected(fmt::format("'{}' isn't one of the engine's interfaces", name));
  }
  return Ingress{dataplane::PortId(found - interfaces.begin()), link->ifindex, vlan};
}

std::expected<dataplane::ClassifyRule, std::string> compile(const config::Classify& rule,
                                                            std::span<const EngineInterface> interfaces,
                                                            const netlink::Mirror& mirror) {
  if (rule.destination.address.is_v6()) return std::unexpected("IPv6 isn't forwarded yet");
  if (rule.protocol == net::Protocol::sctp) return std::unexpected("SCTP isn't forwarded yet");
  dataplane::ClassifyRule compiled;
  compiled.mark = rule.mark;
  compiled.destination = prefix_of(rule.destination);
  compiled.protocol = rule.protocol;
  compiled.port_first = rule.port_first;
  compiled.port_last = rule.port_last;
  if (rule.source) compiled.source = prefix_of(*rule.source);
  if (!rule.interface.empty()) {
    const auto ingress = ingress_of(rule.interface, interfaces, mirror);
    if (!ingress) return std::unexpected(ingress.error());
    compiled.ingress = *ingress;
  }
  return compiled;
}

bool has(std::span<const config::Classify> rules, const config::Classify& wanted) {
  return std::find(rules.begin(), rules.end(), wanted) != rules.end();
}

}  // namespace

ClassifyRules classify_rules(std::span<const config::Classify> rules, std::span<const EngineInterface> interfaces,
                             const netlink::Mirror& mirror) {
  constexpr std::size_t most = dataplane::Classifier::rules_max;
  ClassifyRules result;
  for (const config::Classify& rule : rules) {
    auto compiled = compile(rule, interfaces, mirror);
    if (!compiled) {
      result.complaints.push_back(
          {rule.position.text(), fmt::format("this classify rule marks nothing: {}", compiled.error())});
    } else if (result.rules.size() == most) {
      result.complaints.push_back(
          {rule.position.text(), fmt::format("from here on classify rules mark nothing: the engine takes {}", most)});
      break;
    } else {
      result.rules.push_back(*compiled);
    }
  }
  return result;
}

std::vector<std::string> classify_changes(std::span<const config::Classify> old,
                                          std::span<const config::Classify> next) {
  std::vector<std::string> lines;
  for (const config::Classify& rule : old) {
    if (!has(next, rule)) lines.push_back("- classify " + rule.text());
  }
  for (const config::Classify& rule : next) {
    if (!has(old, rule)) lines.push_back("+ classify " + rule.text());
  }
  if (lines.empty() && !std::equal(old.begin(), old.end(), next.begin(), next.end())) {
    lines.emplace_back("~ classify: the same rules in another order");
  }
  return lines;
}

}  // namespace sluice::control
