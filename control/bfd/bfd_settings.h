// What goes to the bfd thread and comes from it: values that are handed over whole.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "vrrp/bfd/receive_error.h"
#include "vrrp/bfd/session.h"

namespace sluice::control {

using BfdInstances = std::vector<config::BfdInstance>;

/// A session is Up, or isn't: the one thing that others ask of it. Init and AdminDown aren't Up.
struct BfdNews {
  std::string name;
  bool up = false;
  bool for_vrrp = true;  ///< the block's `vrrp` and `checker`
  bool for_checkers = true;
  /// It has just ended because nothing came any more; by its neighbor's own word it is no loss.
  std::optional<net::IpAddr> lost_neighbor = {};

  bool operator==(const BfdNews&) const = default;
};

/// A line for the log. detail: keepalived says it with -D only.
struct BfdLine {
  std::string text;
  bool is_warning = false;
  bool is_detail = false;
};

/// One session as things stand, to be shown.
struct BfdSessionStatus {
  std::string name;
  net::IpAddr neighbor;
  std::optional<net::IpAddr> source;  ///< as configured
  bool multihop = false;
  bool passive = false;
  unsigned ttl = 255;
  unsigned ttl_min = 255;
  int max_hops = 0;
  bool for_vrrp = true;
  bool for_checkers = true;
  vrrp::bfd::State state = vrrp::bfd::State::down;
  vrrp::bfd::State remote_state = vrrp::bfd::State::down;
  vrrp::bfd::Diagnostic diagnostic = vrrp::bfd::Diagnostic::none;
  vrrp::bfd::Diagnostic remote_diagnostic = vrrp::bfd::Diagnostic::none;
  std::uint32_t discriminator = 0;
  std::uint32_t remote_discriminator = 0;
  std::chrono::microseconds min_tx{0}, min_rx{0}, idle_tx{0};    ///< as configured
  std::chrono::microseconds remote_min_tx{0}, remote_min_rx{0};  ///< as the neighbor said last
  unsigned detect_mult = 0, remote_detect_mult = 0;
  std::chrono::microseconds transmit_interval{0};
  std::chrono::microseconds detection_time{0};
  bool polling = false;
  std::chrono::microseconds in_state{0};
  std::chrono::system_clock::time_point last_change;
  vrrp::bfd::Counters counters;
  std::array<std::uint64_t, vrrp::bfd::receive_errors> errors{};
};

struct BfdStatus {
  std::vector<BfdSessionStatus> sessions;
  /// Packets that are nobody's.
  std::array<std::uint64_t, vrrp::bfd::receive_errors> errors{};
};

}  // namespace sluice::control
