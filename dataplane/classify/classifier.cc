#include "dataplane/classify/classifier.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace sluice::dataplane {

namespace {

constexpr std::uint32_t all = 0xffffffff;
constexpr std::size_t word_bits = 64;

}  // namespace

void Classifier::Axis::compile(std::span<const Range> ranges, std::size_t words) {
  words_ = words;
  starts_ = {0};
  for (const Range& range : ranges) {
    starts_.push_back(range.first);
    if (range.last != all) starts_.push_back(range.last + 1);
  }
  std::sort(starts_.begin(), starts_.end());
  starts_.erase(std::unique(starts_.begin(), starts_.end()), starts_.end());
  bits_.assign(starts_.size() * words_, 0);
  for (std::size_t rule = 0; rule < ranges.size(); ++rule) {
    const std::uint64_t bit = std::uint64_t{1} << (rule % word_bits);
    for (std::size_t at = piece(ranges[rule].first); at < starts_.size() && starts_[at] <= ranges[rule].last; ++at) {
      bits_[at * words_ + rule / word_bits] |= bit;
    }
  }
}

std::size_t Classifier::Axis::piece(std::uint32_t value) const {
  return std::size_t(std::upper_bound(starts_.begin(), starts_.end(), value) - starts_.begin()) - 1;
}

Classifier::Classifier(std::span<const ClassifyRule> rules) : words_((rules.size() + word_bits - 1) / word_bits) {
  assert(rules.size() <= rules_max);
  std::vector<Range> destinations, sources, ports, protocols, ingresses;
  for (const ClassifyRule& rule : rules) {
    marks_.push_back(rule.mark);
    destinations.push_back({rule.destination.first(), rule.destination.last()});
    sources.push_back({rule.source.first(), rule.source.last()});
    ports.push_back({rule.port_first, rule.port_last});
    const auto protocol = rule.protocol ? std::uint32_t(*rule.protocol) : 0;
    protocols.push_back(rule.protocol ? Range{protocol, protocol} : Range{0, all});
    const auto ingress = rule.ingress ? ingress_value(rule.ingress->port, rule.ingress->vlan) : 0;
    ingresses.push_back(rule.ingress ? Range{ingress, ingress} : Range{0, all});
  }
  destinations_.compile(destinations, words_);
  sources_.compile(sources, words_);
  ports_.compile(ports, words_);
  protocols_.compile(protocols, words_);
  ingresses_.compile(ingresses, words_);
  for (std::size_t piece = 0; piece < destinations_.pieces(); ++piece) {
    const std::uint64_t* row = destinations_.row(piece);
    wanted_.push_back(std::any_of(row, row + words_, [](std::uint64_t word) { return word != 0; }));
  }
}

std::uint32_t Classifier::mark_of(const net::FiveTuple& tuple, PortId port, std::uint16_t vlan) const {
  const std::size_t destination = destinations_.piece(tuple.destination.address.host());
  if (!wanted_[destination]) return 0;
  const std::uint64_t* by_destination = destinations_.row(destination);
  const std::uint64_t* by_source = sources_.row(sources_.piece(tuple.source.address.host()));
  const std::uint64_t* by_port = ports_.row(ports_.piece(tuple.destination.port.host()));
  const std::uint64_t* by_protocol = protocols_.row(protocols_.piece(std::uint32_t(tuple.protocol)));
  const std::uint64_t* by_ingress = ingresses_.row(ingresses_.piece(ingress_value(port, vlan)));
  for (std::size_t word = 0; word < words_; ++word) {
    const std::uint64_t both = by_destination[word] & by_source[word] & by_port[word];
    const std::uint64_t match = both & by_protocol[word] & by_ingress[word];
    if (match != 0) return marks_[word * word_bits + std::size_t(std::countr_zero(match))];
  }
  return 0;
}

}  // namespace sluice::dataplane
