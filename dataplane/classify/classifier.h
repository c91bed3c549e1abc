// From a packet to its mark: an ordered list of rules, compiled so that the cost of a packet is bounded by a few binary
// searches and one AND over a bit per rule, however the rules overlap. Made by control, handed to a worker, never
// changed after that; says nothing about services.
//
// Each condition is an axis (destination, source, port, protocol, ingress), cut where any rule's range begins or ends.
// A piece of an axis holds a bit for each rule that covers it. A packet picks one piece per axis; the lowest bit that
// is set in all of them is the first rule that matches. A tree of rules would be smaller for thousands of disjoint
// rules, but its worst case grows with how they overlap.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/classify/rule.h"
#include "net/address.h"

namespace sluice::dataplane {

class Classifier {
 public:
  /// Memory grows with the square: 1024 rules that all differ take 800 KB, and some 100 ns for a packet (bench/classify).
  static constexpr std::size_t rules_max = 1024;

  /// rules: in order, the first that matches decides; at most rules_max.
  explicit Classifier(std::span<const ClassifyRule> rules);

  /// Some rule has this destination. For packets that can't be told apart otherwise: one binary search.
  [[nodiscard]] bool has_destination(net::Ipv4Addr destination) const {
    return wanted_[destinations_.piece(destination.host())];
  }
  /// The mark of a packet that came in at this port and with this VLAN tag (0: none); 0: no rule matches.
  [[nodiscard]] std::uint32_t mark_of(const net::FiveTuple& tuple, PortId port, std::uint16_t vlan) const;

 private:
  struct Range {
    std::uint32_t first, last;
  };

  /// The line of all 32-bit values in pieces, each with a bit per rule.
  class Axis {
   public:
    /// ranges: of rule 0, 1, ...
    void compile(std::span<const Range> ranges, std::size_t words);
    [[nodiscard]] std::size_t piece(std::uint32_t value) const;
    [[nodiscard]] std::size_t pieces() const { return starts_.size(); }
    [[nodiscard]] const std::uint64_t* row(std::size_t piece) const { return bits_.data() + piece * words_; }

   private:
    std::vector<std::uint32_t> starts_;  // of the pieces, in order; the first is 0
    std::vector<std::uint64_t> bits_;    // words_ per piece
    std::size_t words_ = 0;
  };

  static std::uint32_t ingress_value(PortId port, std::uint16_t vlan) { return (std::uint32_t(port) << 16) | vlan; }

  std::size_t words_;
  std::vector<std::uint32_t> marks_;  // of rule 0, 1, ...
  Axis destinations_, sources_, ports_, protocols_, ingresses_;
  std::vector<bool> wanted_;  // piece of destinations_: some rule covers it
};

}  // namespace sluice::dataplane
