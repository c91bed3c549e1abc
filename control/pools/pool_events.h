// A change of a real server or of a quorum, for those who are told of every one whatever the configuration wants to be
// mailed or run: SNMP.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "control/backend/backend.h"

namespace sluice::control {

struct PoolEvent {
  enum class What : std::uint8_t {
    up,
    down,
    shutdown  ///< of a quorum: the virtual server goes, with the daemon or by a reload
  };
  What what = What::up;
  std::optional<DestinationKey> server;  ///< nothing: it is the quorum's
  VirtualServiceKey service;             ///< the first of them
  std::string group;                     ///< name of the virtual_server_group; empty: none
  net::Protocol protocol = net::Protocol::tcp;
  std::uint32_t quorum = 1;
  std::size_t servers_up = 0;  ///< after it
  std::size_t servers = 0;
};

/// Control thread. An event is only put together if somebody wants it: it counts servers.
struct PoolListener {
  std::function<bool()> wants;  ///< empty: no
  std::function<void(const PoolEvent&)> tell;
};

}  // namespace sluice::control
