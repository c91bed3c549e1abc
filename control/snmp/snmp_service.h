// SNMP as the director sees it: configured, told of events and stopped here. The agent's thread asks for what it shows
// by a message to the control thread, waits for a moment, and else shows what it had: a walk delays nobody, and the
// control thread spends a small part of its time on snapshots, however many managers ask. Control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "control/config/config.h"
#include "control/pools/pool_events.h"
#include "control/snmp/agent.h"
#include "control/snmp/mibs.h"
#include "control/snmp/snapshot_maker.h"
#include "control/snmp/writes.h"
#include "control/vrrp/vrrp_settings.h"
#include "net/error.h"

namespace sluice::control {

/// What the command line says; goes before the file.
struct SnmpOptions {
  bool everything = false;  ///< -x: all parts, but no traps
  std::string socket;       ///< -A; empty: the file's
};

class SnmpService {
 public:
  struct Hooks {
    /// Fills in what there is of VRRP and pools, and calls done with it, then or later, on the control thread.
    std::function<void(const snmp::Parts&, std::function<void(snmp::Gathered)> done)> gather;
    /// Does what a manager wants.
    std::function<Result<>(const snmp::Write&)> write;
    std::function<void(const std::string&, bool is_warning)> log;
  };

  /// io, the control thread's, outlives it. version: "Sluice 0.1.0".
  SnmpService(boost::asio::io_context& io, SnmpOptions options, std::string version, Hooks hooks);
  /// As stop().
  ~SnmpService();
  SnmpService(const SnmpService&) = delete;
  SnmpService& operator=(const SnmpService&) = delete;

  /// Shows this configuration from now on; starts the agent if any part of SNMP is on. One that was on may be turned
  /// off and on again, which keepalived can't.
  void configure(const config::Config& config);

  /// The instances have changed otherwise than by a reload.
  void show(const config::Config& vrrp);

  // Traps, if they are enabled.
  [[nodiscard]] bool wants_traps() const { return traps_ && agent_ != nullptr; }
  void tell(const VrrpNotice& notice, const config::Config& config);
  void tell(const VrrpRejection& rejection);
  void tell(const PoolEvent& event);

  /// Sends the traps that wait.
  void stop();

 private:
  struct Shared;

  void gather();
  void send(std::vector<snmp::Trap> traps);
  snmp::WriteError ask_to_write(const snmp::Write& write);

  boost::asio::io_context& io_;
  SnmpOptions options_;
  std::string version_;
  Hooks hooks_;
  snmp::Parts parts_;
  bool traps_ = false;
  std::string socket_;
  std::string router_id_;
  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const std::map<std::string, std::string>> programs_;
  std::shared_ptr<Shared> shared_;  // with the agent's thread
  std::unique_ptr<snmp::Agent> agent_;
};

/// The parts that a configuration turns on.
[[nodiscard]] snmp::Parts snmp_parts(const config::Monitoring& monitoring, const SnmpOptions& options);

}  // namespace sluice::control
