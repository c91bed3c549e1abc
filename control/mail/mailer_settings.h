// What of global_defs decides where mail goes and as whose, with what the file leaves open filled in.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "control/config/model/global_defs.h"

namespace sluice::control {

struct MailerSettings {
  std::string router_id;                ///< "[lb1] " at the begin of each subject
  std::string from;                     ///< as written, for the header
  std::vector<std::string> recipients;  ///< as written; none: no mail is sent
  std::string server;                   ///< address or name; empty: no mail is sent
  net::L4Port port;
  std::chrono::milliseconds timeout{std::chrono::seconds{30}};  ///< for connecting, and for each answer
  std::string helo_name;

  [[nodiscard]] bool sends() const { return !server.empty() && !recipients.empty(); }
  /// "[192.0.2.25]:25", as keepalived's log has it.
  [[nodiscard]] std::string server_text() const;

  bool operator==(const MailerSettings&) const = default;
};

/// Asks this host for its name, and for the user's, where the file doesn't say.
[[nodiscard]] MailerSettings mailer_settings(const config::GlobalDefs& global);

}  // namespace sluice::control
