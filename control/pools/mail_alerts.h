// What is mailed of real servers and of quorum, in keepalived's words. When something is, is pool_manager.h's.
#pragma once

#include <string>
#include <string_view>

#include "control/mail/alert.h"
#include "control/pools/pool_spec.h"
#include "health/log_lines.h"
#include "health/pool.h"

namespace sluice::control {

/// A checker changed its mind. server_is_up: what all checkers of the server hold together, which is what the subject
/// tells. reason: the probe's, in words.
[[nodiscard]] Alert checker_alert(const health::CheckerSpec& checker, const health::CheckedNames& names,
                                  bool server_is_up, bool checker_is_up, const std::string& reason);

/// A server is taken out, though it was up. stopping: the daemon ends; otherwise a reload did it.
[[nodiscard]] Alert server_gone_alert(const health::CheckedNames& names, bool stopping);

/// service: as service_name.h names it.
[[nodiscard]] Alert quorum_alert(std::string_view service, const health::QuorumUp& quorum);
[[nodiscard]] Alert quorum_alert(std::string_view service, const health::QuorumDown& quorum);
/// The virtual server goes while it has quorum.
[[nodiscard]] Alert service_gone_alert(std::string_view service);

}  // namespace sluice::control
