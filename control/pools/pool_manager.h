// Where health meets the table: on the control thread, gives each checker's result to its virtual server's pool, and
// carries out what the pool decides: on the backend, as scripts and mail, in the log (in keepalived's words, which
// operators search for). It doesn't probe (health/health_thread.h) and doesn't decide (health/pool.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/backend/backend.h"
#include "control/mail/alert.h"
#include "control/notify/fifo.h"
#include "control/pools/pool_events.h"
#include "control/pools/pool_list.h"
#include "health/health_thread.h"
#include "net/error.h"

namespace sluice::control {

enum class LogLevel : std::uint8_t { info, warning, error };

/// What a checker last said.
struct CheckerStatus {
  std::string kind;           ///< "TCP_CHECK", "HTTP_CHECK"
  std::string target;         ///< "10.0.2.11:80": what it connects to
  bool up = true;             ///< what the checker holds of its server, retries counted
  bool has_run = false;       ///< a probe has ended
  std::string reason;         ///< of the last probe, in words; empty before the first
  std::uint32_t retries = 0;  ///< tolerated failures just now
  bool suspended = false;     ///< ha_suspend: it doesn't probe for now
  std::uint64_t flaps = 0;    ///< changes between up and down since start
  std::chrono::microseconds latency{0};
  std::optional<std::chrono::steady_clock::time_point> last_probe;
  std::optional<std::chrono::steady_clock::time_point> next_probe;
};

struct RealServerStatus {
  DestinationSpec destination;  ///< with the configured weight
  bool up = true;
  bool in_table = false;
  std::uint32_t table_weight = 0;           ///< 0 while inhibited; only meaningful in the table
  std::optional<std::uint32_t> set_weight;  ///< by an operator
  std::vector<CheckerStatus> checkers;
};

struct PoolStatus {
  VirtualServiceKey service;                ///< the first of them
  std::vector<VirtualServiceKey> services;  ///< more than one for a virtual_server_group
  std::string name;                         ///< as the log names it: "[10.0.0.1]:tcp:80", "FWM 5", "[web]:0"
  bool has_quorum = true;
  std::uint32_t quorum = 1;
  std::uint32_t hysteresis = 0;
  std::uint64_t weight_sum = 0;  ///< of the servers that are up
  std::optional<DestinationKey> sorry_server;
  bool sorry_server_serves = false;
  /// The backend's last complaint about this service; empty if there was none. A service that it refused isn't
  /// served at all.
  std::string backend_error;
  std::vector<RealServerStatus> servers;  ///< in the order of the file
};

struct PoolCounts {
  std::size_t pools = 0;
  std::size_t servers = 0;
  std::size_t servers_up = 0;

  bool operator==(const PoolCounts&) const = default;
};

/// Control thread only.
class PoolManager {
 public:
  using RunScript = std::function<Result<>(const ScriptSpec&)>;
  using Log = std::function<void(LogLevel, const std::string&)>;

  /// backend must outlive the manager. mail: what the specs want to be mailed. write_fifo: each server and virtual
  /// server that goes up or down.
  PoolManager(Backend& backend, RunScript run_script, Log log, SendAlert mail = {}, WriteFifo write_fifo = {});
  ~PoolManager();
  PoolManager(const PoolManager&) = delete;
  PoolManager& operator=(const PoolManager&) = delete;

  /// What changes for the health thread.
  struct Checkers {
    std::vector<health::CheckerId> end;
    std::vector<health::CheckerToRun> run;
    std::vector<health::CheckerId> suspend;
    std::vector<health::CheckerId> resume;
  };

  /// Makes `next` what is served, and changes nothing but what differs from what is served now (diff.h). The first call
  /// fills the backend, in the order of the file.
  ///
  /// As keepalived's reload: a checker with the same parameters keeps its state and goes on undisturbed; one that is
  /// new or changed, on a server that stays, takes its server to be what it was, and then one failure is enough. What
  /// is gone notifies down if it was up. A new upper or lower threshold reaches the table, which keepalived forgets.
  ///
  /// What the backend refuses is logged and shown in status(), and tried again by the next call; everything else goes
  /// on.
  [[nodiscard]] Checkers apply(PoolList next);

  /// What apply() would change, as lines() of diff.h.
  [[nodiscard]] std::vector<std::string> preview(const PoolList& next) const;

  /// One result of the health thread, weights included. Results of checkers that aren't known (any more) do nothing.
  void on_health(const health::HealthEvent& event);

  /// What a track_file says, and whether a BFD session is up, from now on: for the FILE_CHECKs and BFD_CHECKs that
  /// there are and those that come. A session that was never up has said nothing yet: its servers stay what they are.
  void on_file(const std::string& name, std::int64_t value);
  void on_session(const std::string& name, bool up);

  /// Whether an address is on any interface of this host, from now on: for ha_suspend. None is until it is said.
  [[nodiscard]] Checkers on_address(const net::IpAddr& address, bool is_here);

  /// For maintenance: that server's weight from now on, whatever the configuration or a script says, until it is undone
  /// (weight: nothing), over reloads too. 0 drains it: its connections end as they may, it gets no new ones, and it has
  /// no vote in the quorum. Names: server_reference.h. Yields a line about what is so now. Errors: no such server.
  Result<std::string> set_weight(std::string_view virtual_server, std::string_view real_server,
                                 std::optional<std::uint32_t> weight);

  /// Told of every change of a server or a quorum from now on, and of each virtual server that goes. For SNMP.
  void set_listener(PoolListener listener);

  /// Takes every destination and service out of the backend; with omega, runs the down scripts first, and mails.
  void stop();

  /// A snapshot for the API.
  [[nodiscard]] std::vector<PoolStatus> status() const;
  /// Cheap enough for every second, with 100,000 servers too.
  [[nodiscard]] PoolCounts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::control
