// Which transitions are mailed, and in which words: keepalived's, as they were recorded from 2.2.7. Pure; who sends the
// mail is control/mail/mailer.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "control/config/config.h"
#include "control/mail/alert.h"
#include "control/vrrp/vrrp_settings.h"

namespace sluice::control {

/// Remembers what was mailed last of each instance and group: the same state isn't mailed twice in a row. A FAULT that
/// no_email_faults keeps back counts as not mailed, so a BACKUP after it isn't mailed either if that was the last.
class VrrpMails {
 public:
  /// config: with the notice's instance or group. Nothing: nobody is told.
  [[nodiscard]] std::optional<Alert> on(const config::Config& config, const VrrpNotice& notice);

 private:
  using Who = std::pair<bool, std::string>;  // a group's name, or an instance's
  std::map<Who, vrrp::NotifyEvent> last_;
};

}  // namespace sluice::control
