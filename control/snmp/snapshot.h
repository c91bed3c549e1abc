// Everything that SNMP shows, as things stood at one moment: what the tables are made from. A value; whoever has it may
// read it on any thread. snmp_service.h gathers it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/backend/backend.h"
#include "control/config/config.h"
#include "control/pools/pool_manager.h"
#include "control/vrrp/vrrp_settings.h"

namespace sluice::control::snmp {

/// Bits per second and so on, from two readings; 0 until there are two.
struct Rates {
  std::uint64_t connections = 0;
  std::uint64_t in_packets = 0;
  std::uint64_t out_packets = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out_bytes = 0;
};

struct Traffic {
  TrafficCounters counters;
  Rates rates;
  std::uint64_t active = 0;  ///< connections now, of a real server
  std::uint64_t inactive = 0;
};

/// A virtual server of the configuration and what became of it.
struct ShownServer {
  const config::VirtualServer* config = nullptr;
  const PoolStatus* pool = nullptr;  ///< null: it isn't served
  Traffic traffic;                   ///< of all its services
  /// By real server of the configuration, in its order; null: it isn't served.
  std::vector<const RealServerStatus*> servers;
  std::vector<Traffic> servers_traffic;
  Traffic sorry_traffic;
};

struct HostInterface {
  std::uint32_t index = 0;
  net::MacAddr mac{};
};

struct Snapshot {
  std::shared_ptr<const config::Config> config = std::make_shared<const config::Config>();
  VrrpStatus vrrp;
  std::vector<TrackedStatus> tracked;
  std::vector<PoolStatus> pools;
  std::vector<ShownServer> servers;  ///< points into config and pools
  std::map<std::string, HostInterface> interfaces;
  /// Programs by the path in the file: where they are when symbolic links are followed, as keepalived shows them.
  std::shared_ptr<const std::map<std::string, std::string>> programs =
      std::make_shared<const std::map<std::string, std::string>>();
  std::string version;    ///< "Sluice 0.1.0"
  std::string router_id;  ///< router_id, or the host's name
  std::chrono::steady_clock::time_point taken{};
  std::chrono::steady_clock::time_point agent_started{};  ///< TimeStamps count from here

  /// 0: there is no such interface.
  [[nodiscard]] std::uint32_t ifindex(const std::string& name) const {
    const auto found = interfaces.find(name);
    return found == interfaces.end() ? 0 : found->second.index;
  }
};

}  // namespace sluice::control::snmp
