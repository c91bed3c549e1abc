// One virtual server as the pool manager runs it: what goes into the backend's table, how each real server is checked,
// and what is to be run when something changes. Plain values; from_config.h makes them, diff.h compares them. There may
// be a hundred thousand real servers, twice during a reload: what is large or repeated is shared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/backend/backend.h"
#include "control/notify/script.h"
#include "health/spec.h"
#include "net/shared_value.h"

namespace sluice::control {

struct CheckerSetup {
  net::SharedValue<health::CheckerSpec> spec;  ///< never empty
  bool log_all_failures = false;               ///< also those that are tolerated, or of a server that is down already

  bool operator==(const CheckerSetup&) const = default;
};

/// Of what people get mail.
enum class ServerMails : std::uint8_t {
  none,
  changes,  ///< of the server: no_checker_emails
  checkers  ///< of each of its checkers
};

struct RealServerSpec {
  DestinationSpec destination;  ///< with the configured weight
  bool inhibit_on_failure = false;
  ServerMails mails = ServerMails::none;
  net::SharedValue<ScriptSpec> notify_up;
  net::SharedValue<ScriptSpec> notify_down;
  std::vector<CheckerSetup> checkers;  ///< none: always up

  bool operator==(const RealServerSpec&) const = default;
};

struct PoolSpec {
  /// At least one; more for a virtual_server_group: each entry is a service of its own in the table, with the same real
  /// servers, but they are checked and counted once.
  std::vector<VirtualServiceSpec> services;
  std::string group;                            ///< "[web]:0", as keepalived names the group's virtual server in logs
  net::Protocol protocol = net::Protocol::tcp;  ///< of the real servers' names in logs
  std::vector<RealServerSpec> servers;          ///< in the order of the file, which is the order of add_destination
  std::optional<DestinationSpec> sorry_server;
  bool sorry_server_inhibit = false;
  std::uint32_t quorum = 1;
  std::uint32_t hysteresis = 0;
  net::SharedValue<ScriptSpec> quorum_up;
  net::SharedValue<ScriptSpec> quorum_down;
  bool notify_up_at_start = false;   ///< rs_init_notifies
  bool notify_down_at_stop = false;  ///< omega
  bool mails_quorum = false;         ///< smtp_alert
  bool ha_suspend = false;           ///< checkers rest while the address isn't on this host: suspension.h

  bool operator==(const PoolSpec&) const = default;
};

}  // namespace sluice::control
