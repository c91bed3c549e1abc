// The director: what runs between start and stop of the daemon. Ties configuration, backend, pools, health and API
// together on the control thread; decides nothing itself.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/api/server.h"
#include "control/bfd/bfd_service.h"
#include "control/config/config.h"
#include "control/config/parse.h"
#include "control/daemon/forwarding_engine.h"
#include "control/mail/mailer.h"
#include "control/netlink/reflector.h"
#include "control/notify/script.h"
#include "control/pools/check_scripts.h"
#include "control/pools/notify_fifos.h"
#include "control/pools/pool_manager.h"
#include "control/snmp/snmp_service.h"
#include "control/vrrp/track_files.h"
#include "control/vrrp/vrrp_service.h"
#include "health/health_thread.h"
#include "net/error.h"

namespace spdlog {
class logger;
}

namespace sluice::control {

struct DirectorOptions {
  std::string socket_path = api::default_socket_path;
  /// Called once all is open that takes more rights than serving does; of other threads only workers run by then.
  /// Empty: nobody wants to know.
  std::function<void()> opened = {};
  /// What is read again at a reload, and how.
  std::string file = {};
  config::ParseOptions parse = {};
  bool serves = true;     ///< false: the file's virtual servers are left alone
  bool runs_vrrp = true;  ///< false: its vrrp_instances are
  SnmpOptions snmp = {};
  bool runs_bfd = true;   ///< false: its bfd_instances are, and what tracks them takes them for down
  /// Called with true when a reload begins and with false when it is over, whoever asked for it.
  std::function<void(bool)> reloading = {};
  /// Called with what is in force after a reload.
  std::function<void(config::Config)> reloaded = {};
  /// What is in force, in the language; nothing: it isn't known. Empty: as if nothing.
  std::function<std::optional<std::string>()> in_force = {};
};

/// What came of a reload, or would come of it.
struct ReloadOutcome {
  /// The file was good and is in force. Otherwise what ran before runs on, untouched.
  bool ok = false;
  std::vector<std::string> complaints;  ///< about the file, in its order; then what kept it from being taken
  std::vector<std::string> changes;     ///< lines of control/pools/diff.h
};

class Director {
 public:
  /// Opens everything and begins to serve. io: the control thread's, not running yet; must outlive the director.
  static Result<std::unique_ptr<Director>> start(boost::asio::io_context& io, const config::Config& config,
                                                 DirectorOptions options, std::shared_ptr<spdlog::logger> log);
  /// As stop().
  ~Director();
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  /// Takes every service out of the table and ends the threads. The host has its interfaces back afterwards.
  void stop();

  /// Reads the file again and makes it what is served, changing only what differs (PoolManager::apply). It is read and
  /// checked whole first: any complaint that is an error refuses it; keepalived goes on with what it understood. What
  /// can't be changed while running (cores, interfaces, ... of the dataplane block) is said and stays as it was.
  /// Everything that is said is in the log, too. Takes as long as reading the file does.
  ReloadOutcome reload();

  /// As things stand; all are empty without virtual servers.
  [[nodiscard]] PoolCounts counts() const;
  [[nodiscard]] std::vector<PoolStatus> pools() const;
  [[nodiscard]] std::vector<VirtualServiceStatus> services() const;
  /// done is called later, on the control thread.
  void vrrp_status(std::function<void(const VrrpStatus&)> done);
  void bfd_status(std::function<void(const BfdStatus&)> done);

 private:
  /// A configuration that was read and looked at, but isn't in force.
  struct Candidate {
    bool good = false;
    config::Config config;
    PoolList pools;
    std::vector<std::pair<LogLevel, std::string>> complaints;
  };

  Director(boost::asio::io_context& io, DirectorOptions options, std::shared_ptr<spdlog::logger> log);
  Result<> start_engine(const config::Config& config);
  void open_fifos(const config::Config& config);
  [[nodiscard]] WriteFifo write_fifo(NotifyFifos::About about);
  void start_bfd(const config::Config& config);
  Result<> start_vrrp(const config::Config& config);
  void connect_bfd();
  [[nodiscard]] std::vector<TrackedStatus> tracked_bfds(const config::Config& config) const;
  [[nodiscard]] std::vector<std::string> changes_of_vrrp(const config::Config& config) const;
  void start_pools();
  void stop_pools();
  void watch_files(const config::Config& config);
  void follow_addresses();
  void apply(PoolList pools, std::vector<std::string>* changes);
  void hand_over(PoolManager::Checkers checkers);
  void apply_classify(const config::Config& config);
  Result<> start_api();
  Candidate look_at(Result<config::ParseOutcome> outcome) const;
  void look_at_dataplane(Candidate& candidate) const;
  void reload_vrrp(const config::Config& config, ReloadOutcome& outcome);
  [[nodiscard]] ReloadOutcome preview(Result<config::ParseOutcome> outcome) const;
  api::Response set_weight(const api::Request& request);
  [[nodiscard]] SendAlert send_mail();
  [[nodiscard]] std::unique_ptr<SnmpService> make_snmp();
  void gather_for_snmp(const snmp::Parts& parts, std::function<void(snmp::Gathered)> done);
  Result<> write_by_snmp(const snmp::Write& write);
  void schedule_collect(std::chrono::milliseconds delay);
  void answer_vrrp(api::Respond respond);
  void answer_connections(const api::Request& request, api::Respond respond);

  boost::asio::io_context& io_;
  DirectorOptions options_;
  std::shared_ptr<spdlog::logger> log_;
  config::Dataplane dataplane_;  // in force
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  // Destroyed from the last to the first. Null when the configuration has no virtual servers.
  std::unique_ptr<netlink::Reflector> reflector_;
  std::unique_ptr<ForwardingEngine> engine_;
  ScriptRunner scripts_;
  CheckScripts check_scripts_;
  NotifyFifos fifos_;
  Mailer mailer_;
  std::unique_ptr<SnmpService> snmp_;
  std::unique_ptr<VrrpService> vrrp_;  // null: the configuration has no vrrp_instance
  std::unique_ptr<BfdService> bfd_;    // null: it has no bfd_instance
  std::function<Result<>(ScriptSpec)> run_pool_script_;  // empty: scripts_ runs it
  std::unique_ptr<PoolManager> pools_;
  std::unique_ptr<TrackFiles> checked_files_;  // null: no FILE_CHECK has asked for one
  std::unique_ptr<health::HealthThread> health_;
  netlink::Subscription addresses_;
  std::unique_ptr<api::ApiServer> api_;
  boost::asio::steady_timer collect_timer_;
};

}  // namespace sluice::control
