// The typed model of a configuration: what the file means, every default and every inheritance already resolved.
// A plain value: it can be compared, copied and diffed, and nothing after it reads text. What the words look like is
// left to lexer.h and block.h, what they mean to parse.h.
//
// Equality ignores positions: a configuration whose lines moved is still the same configuration, and a reload of it
// must change nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "control/backend/backend.h"
#include "net/address.h"

namespace sluice::control::config {

/// keepalived's timers have a resolution of one microsecond.
using Duration = std::chrono::microseconds;

/// Where a node stands in the text. line and column count from 1, column in bytes.
struct Position {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  /// "file:line:column".
  [[nodiscard]] std::string text() const;
  /// Always equal: see the top of this file.
  constexpr bool operator==(const Position&) const { return true; }
};

/// A command to run. argv has at least one element. user and group as in the file (names or numbers); without them
/// the command runs as global_defs' script_user.
struct Script {
  Position position;
  std::vector<std::string> argv;
  std::optional<std::string> user;
  std::optional<std::string> group;

  bool operator==(const Script&) const = default;
};

/// An address with a port, of either family. Port 0: none given.
struct ServerEndpoint {
  net::IpAddr address;
  net::L4Port port{};

  auto operator<=>(const ServerEndpoint&) const = default;
};

// --- checkers ---------------------------------------------------------------------------------------------------

/// What checkers have in common. Final values: checker <- real_server <- virtual_server <- default.
struct CheckerCommon {
  Position position;
  net::IpAddr connect_ip;
  net::L4Port connect_port{};
  std::optional<net::IpAddr> bindto;
  Duration connect_timeout{};
  unsigned retry = 1;             ///< failures in a row that are forgiven before the checker goes down
  Duration delay_before_retry{};  ///< between such tries
  Duration delay_loop{};          ///< between checks
  Duration warmup{};              ///< longest random delay before the first check; 0 = none
  bool alpha = false;             ///< starts down, until a first success
  bool log_all_failures = false;

  bool operator==(const CheckerCommon&) const = default;
};

struct TcpCheck {
  CheckerCommon common;

  bool operator==(const TcpCheck&) const = default;
};

/// Inclusive, 100..599.
struct StatusRange {
  unsigned first = 200;
  unsigned last = 299;

  auto operator<=>(const StatusRange&) const = default;
};

struct Url {
  Position position;
  std::string path;                   ///< never empty
  std::vector<StatusRange> statuses;  ///< never empty; 200-299 unless configured
  std::string digest;                 ///< MD5 of the body, 32 lower-case hex digits; empty: any body
  std::string virtualhost;            ///< Host header: url <- checker <- real server <- virtual server; empty: none set

  bool operator==(const Url&) const = default;
};

/// What keepalived spells 1.0; 1.0C (1.0 with a "Connection: close" line); 1.1 (which has that line too).
enum class HttpProtocol : std::uint8_t { http_1_0, http_1_0_close, http_1_1 };

/// HTTP_GET. SSL_GET has ssl set; such checkers aren't built yet, so parse() never leaves one in a Config.
struct HttpGet {
  CheckerCommon common;
  bool ssl = false;
  std::vector<Url> urls;    ///< in order; never empty
  std::string virtualhost;  ///< the checker's default, already applied to urls
  HttpProtocol http_protocol = HttpProtocol::http_1_0;
  bool fast_recovery = false;  ///< no delay between URLs while recovering

  bool operator==(const HttpGet&) const = default;
};

using Checker = std::variant<TcpCheck, HttpGet>;

/// The part that every kind of checker has.
[[nodiscard]] const CheckerCommon& common_of(const Checker& checker);

// --- servers ----------------------------------------------------------------------------------------------------

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

// --- the rest of the file ---------------------------------------------------------------------------------------

struct GlobalDefs {
  std::string router_id;  ///< empty: the host's name
  std::optional<std::string> script_user;
  std::optional<std::string> script_group;
  bool enable_script_security = false;
  unsigned vrrp_version = 2;              ///< 2 or 3; read, not acted on yet
  bool rs_init_notifies = false;          ///< read, not acted on yet
  bool checker_log_all_failures = false;  ///< already applied to the checkers

  bool operator==(const GlobalDefs&) const = default;
};

/// One line of virtual_ipaddress or virtual_ipaddress_excluded.
struct VirtualAddress {
  Position position;
  net::IpAddr address;
  unsigned prefix_length = 32;
  std::string interface;  ///< dev, or the instance's; may be empty

  bool operator==(const VirtualAddress&) const = default;
};

/// As much of a vrrp_instance as the engine needs to choose its interfaces.
struct VrrpInstance {
  Position position;
  std::string name;
  std::string interface;  ///< may be empty
  std::vector<VirtualAddress> addresses;

  bool operator==(const VrrpInstance&) const = default;
};

enum class Driver : std::uint8_t { af_xdp };
enum class PollPolicy : std::uint8_t { adaptive, always };
enum class XdpMode : std::uint8_t { automatic, zero_copy, native_copy, generic };

/// Sluice's own block. The defaults are meant to be right for nearly everyone.
struct Dataplane {
  Position position;
  Driver driver = Driver::af_xdp;
  std::vector<std::string> interfaces;    ///< empty: those of the virtual addresses and of the routes to real servers
  unsigned queues = 0;                    ///< per interface; 0 = all
  std::vector<unsigned> cores;            ///< empty: automatic
  std::uint32_t connections = 1'048'576;  ///< connection table's size, records
  PollPolicy poll = PollPolicy::adaptive;
  XdpMode xdp_mode = XdpMode::automatic;

  bool operator==(const Dataplane&) const = default;
};

inline constexpr std::uint32_t connections_min = 1024;
/// 2^28 records of 64 bytes are 16 GiB; beyond that indices of 32 bits get tight.
inline constexpr std::uint32_t connections_max = 1u << 28;

struct Config {
  GlobalDefs global;
  Dataplane dataplane;
  std::vector<VirtualServer> virtual_servers;  ///< in the order of the file
  bool has_vrrp = false;                       ///< any vrrp_instance, complete or not
  std::vector<VrrpInstance> vrrp_instances;

  bool operator==(const Config&) const = default;
};

}  // namespace sluice::control::config
