// What the file says at its top level about the processes themselves, outside of any block.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

/// How an interface's link is asked for when its messages aren't trusted.
enum class LinkPolling : std::uint8_t { automatic, mii, ethtool, ioctl };

struct LinkbeatInterface {
  Position position;
  std::string interface;
  LinkPolling polling = LinkPolling::automatic;

  bool operator==(const LinkbeatInterface&) const = default;
};

/// A link's change counts once it has lasted this long.
struct UpDownDelay {
  Position position;
  std::string interface;
  Duration down{0};
  Duration up{0};

  bool operator==(const UpDownDelay&) const = default;
};

struct ProcessSettings {
  std::string net_namespace;                      ///< empty: the one it is started in
  std::optional<std::string> net_namespace_ipvs;  ///< where the LVS table is; empty word: the default namespace
  bool namespace_with_ipsets = false;
  std::string instance;                     ///< part of pid files' names and of the log's ident; empty: none
  bool use_pid_dir = false;                 ///< net_namespace and instance turn it on
  std::chrono::seconds child_wait_time{5};  ///< for the director process to end
  bool linkbeat_use_polling = false;
  std::vector<LinkbeatInterface> linkbeat_interfaces;
  std::vector<UpDownDelay> interface_up_down_delays;

  bool operator==(const ProcessSettings&) const = default;
};

}  // namespace sluice::control::config
