// Virtual servers, their real servers and sorry servers. Everything the file says is here; what of it can be served is
// decided where pools are made of it.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "control/backend/backend.h"
#include "control/config/model/checkers.h"
#include "control/config/model/server_group.h"

namespace sluice::control::config {

enum class TunnelType : std::uint8_t { ipip, gue, gre };
enum class TunnelChecksum : std::uint8_t { none, full, remote };

/// lvs_method (lb_kind) with its options.
struct Forwarding {
  ForwardingMethod method = ForwardingMethod::nat;
  TunnelType tunnel = TunnelType::ipip;            ///< of method tunnel; so are the others
  TunnelChecksum checksum = TunnelChecksum::none;  ///< full: gue, gre; remote: gue only
  net::L4Port port{};                              ///< gue only, and always there

  bool operator==(const Forwarding&) const = default;
};

/// What virtual servers and real servers say on behalf of their checkers; virtual server <- default, real server <-
/// virtual server. Those without a value differ by the kind of checker.
struct CheckDefaults {
  Inherited<Duration> delay_loop = Duration(std::chrono::seconds(60));
  Inherited<Duration> connect_timeout = Duration(std::chrono::seconds(5));
  std::optional<Duration> delay_before_retry;
  std::optional<Duration> warmup;
  std::optional<unsigned> retry;
  Inherited<bool> alpha;  ///< checkers start down
  Inherited<bool> smtp_alert;
  Inherited<SharedText> virtualhost;
  SharedText snmp_name;

  bool operator==(const CheckDefaults&) const = default;
};

struct RealServer : CheckDefaults {
  Position position;
  net::IpAddr address;
  net::L4Port port{};  ///< final; zero: that of each service it stands behind
  Inherited<std::uint32_t> weight = 1u;
  Inherited<Forwarding> forwarding;
  Inherited<bool> inhibit_on_failure;  ///< failed: weight 0 instead of removal
  std::uint32_t upper_threshold = 0;   ///< connections; 0 = none
  std::uint32_t lower_threshold = 0;   ///< not above upper_threshold
  Boxed<Script> notify_up;
  Boxed<Script> notify_down;
  std::vector<Checker> checkers;  ///< none: always up

  bool operator==(const RealServer&) const = default;
};

struct SorryServer {
  Position position;
  ServerEndpoint endpoint;  ///< the port is final: the virtual server's if the method isn't NAT or none was given
  Forwarding forwarding;
  bool inhibit = false;  ///< stays in the table with weight 0

  bool operator==(const SorryServer&) const = default;
};

enum class VirtualServerKind : std::uint8_t { address, fwmark, group };

/// Clients that count as one for persistence: an IPv4 netmask, or an IPv6 prefix length 1..128.
using PersistenceGranularity = std::variant<net::Ipv4Addr, unsigned>;

struct VirtualServer : CheckDefaults {
  Position position;
  VirtualServerKind kind = VirtualServerKind::address;
  VirtualServiceKey key;            ///< of kind address; port zero: all ports. Of the others: the protocol only
  std::uint32_t fwmark = 0;         ///< of kind fwmark, not 0
  std::string group;                ///< of kind group; there is such a group
  bool has_protocol = false;        ///< false: fwmarks only, which stand for all of them
  std::optional<Family> ip_family;  ///< of kind address and fwmark always there

  Inherited<std::string> scheduler = std::string("wlc");  ///< one of LVS's, see scheduler_names
  bool sh_port = false;
  bool sh_fallback = false;
  bool mh_port = false;
  bool mh_fallback = false;
  bool hashed = false;
  bool flag_1 = false;  ///< the scheduler's first flag, whatever it means by it; sh and mh: fallback
  bool flag_2 = false;  ///< sh and mh: port
  bool flag_3 = false;
  bool ops = false;                             ///< one-packet scheduling; UDP only
  Inherited<Forwarding> forwarding;             ///< lb_kind
  std::chrono::seconds persistence_timeout{0};  ///< 0 = off
  std::optional<PersistenceGranularity> persistence_granularity;
  std::string persistence_engine;

  Boxed<SorryServer> sorry_server;
  unsigned quorum = 1;      ///< weight that must be alive; at most the total weight of the real servers
  unsigned hysteresis = 0;  ///< less than quorum
  Boxed<Script> quorum_up;
  Boxed<Script> quorum_down;
  bool ha_suspend = false;  ///< check only while the address is on this host
  bool omega = false;       ///< down notifies run when the daemon stops
  bool inhibit_on_failure = false;
  std::uint32_t weight = 1;              ///< default of the real servers
  std::vector<RealServer> real_servers;  ///< in the order of the file; never empty

  bool operator==(const VirtualServer&) const = default;
  /// "10.0.0.1:80", "fwmark 5", "group WEB": for messages.
  [[nodiscard]] std::string name() const;
};

inline constexpr std::array<std::string_view, 14> scheduler_names = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh",
                                                                     "mh", "dh",  "fo", "ovf", "sed",  "nq",    "twos"};

/// SSL: what SSL_GET shows of itself. The server's certificate is never verified.
struct SslClient {
  Position position;
  std::string password;
  std::string ca;
  std::string certificate;
  std::string key;

  bool operator==(const SslClient&) const = default;
};

}  // namespace sluice::control::config
