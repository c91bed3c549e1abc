// Virtual servers, their real servers, sorry servers and groups.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/backend/backend.h"
#include "control/config/model/checkers.h"

namespace sluice::control::config {

struct RealServer {
  Position position;
  net::IpAddr address;
  net::L4Port port{};
  std::uint32_t weight = 1;
  ForwardingMethod method = ForwardingMethod::nat;  ///< lvs_method, or the virtual server's
  bool inhibit_on_failure = false;                  ///< failed: weight 0 instead of removal
  std::optional<Script> notify_up;
  std::optional<Script> notify_down;
  std::uint32_t upper_threshold = 0;  ///< connections; 0 = none
  std::uint32_t lower_threshold = 0;
  std::vector<Checker> checkers;  ///< none: always up

  bool operator==(const RealServer&) const = default;
};

struct SorryServer {
  Position position;
  ServerEndpoint endpoint;  ///< the port is final: the virtual server's if the method isn't NAT or none was given
  ForwardingMethod method = ForwardingMethod::nat;
  bool inhibit = false;  ///< stays in the table with weight 0

  bool operator==(const SorryServer&) const = default;
};

struct VirtualServer {
  Position position;
  VirtualServiceKey key;          ///< protocol is TCP or UDP, port isn't 0
  std::string scheduler = "wlc";  ///< one of those in dataplane/sched: rr wrr lc wlc sh dh lblc
  bool sh_port = false;
  bool sh_fallback = false;
  ForwardingMethod method = ForwardingMethod::nat;  ///< lb_kind
  std::chrono::seconds persistence_timeout{0};      ///< 0 = off. Read, not acted on yet

  Duration delay_loop = std::chrono::seconds(60);
  std::optional<SorryServer> sorry_server;
  unsigned quorum = 1;      ///< weight that must be alive; at most the total weight of the real servers
  unsigned hysteresis = 0;  ///< less than quorum
  std::optional<Script> quorum_up;
  std::optional<Script> quorum_down;
  std::string virtualhost;
  bool alpha = false;  ///< checkers start down
  bool omega = false;  ///< down notifies run when the daemon stops
  bool inhibit_on_failure = false;
  std::uint32_t weight = 1;                            ///< default of the real servers
  std::optional<unsigned> retry;                       ///< default of the checkers, already applied to them
  std::optional<Duration> delay_before_retry;          ///< likewise
  std::optional<Duration> warmup;                      ///< likewise
  Duration connect_timeout = std::chrono::seconds(5);  ///< likewise
  std::vector<RealServer> real_servers;                ///< in the order of the file; never empty

  bool operator==(const VirtualServer&) const = default;
};

}  // namespace sluice::control::config
