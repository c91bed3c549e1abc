#include "control/vrrp/vrrp_mails.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::control {

namespace {

using vrrp::NotifyEvent;

template <typename Block>
bool wants_mail(const std::vector<Block>& blocks, const std::string& name) {
  const auto found = std::ranges::find(blocks, name, &Block::name);
  return found != blocks.end() && found->smtp_alert;
}

std::string subject_of(const VrrpNotice& notice) {
  const std::string who = fmt::format("VRRP {} {}", notice.of_group ? "Group" : "Instance", notice.name);
  if (notice.event == NotifyEvent::stop) return who + " - Stopping";
  if (notice.event == NotifyEvent::deleted) return who + " - Deleted";
  return fmt::format("{} - Entering {} state", who, to_string(notice.event));
}

/// keepalived never gets as far as sending a group's stop: those words are ours.
std::string body_of(const VrrpNotice& notice) {
  const bool stops = notice.event == NotifyEvent::stop;
  if (notice.of_group) {
    return stops ? "=> All VRRP group instances are stopping <="
                 : fmt::format("=> All VRRP group instances are now in {} state <=", to_string(notice.event));
  }
  if (stops) return "=> VRRP Instance stopping <=";
  if (notice.event == NotifyEvent::deleted) return "=> VRRP Deleted at reload <=";
  return notice.event == NotifyEvent::master ? "=> VRRP Instance is now owning VRRP VIPs <="
                                             : "=> VRRP Instance is no longer owning VRRP VIPs <=";
}

bool is_mailed(NotifyEvent event) {
  return event != NotifyEvent::master_rx_lower_priority && event != NotifyEvent::master_priority &&
         event != NotifyEvent::backup_priority;
}

}  // namespace

std::optional<Alert> VrrpMails::on(const config::Config& config, const VrrpNotice& notice) {
  if (!is_mailed(notice.event)) return std::nullopt;
  const bool wanted =
      notice.of_group ? wants_mail(config.sync_groups, notice.name) : wants_mail(config.vrrp_instances, notice.name);
  if (!wanted) return std::nullopt;
  if (notice.event == NotifyEvent::fault && config.global.mail.no_email_faults) return std::nullopt;
  const auto [last, is_first] = last_.try_emplace({notice.of_group, notice.name}, notice.event);
  if (!is_first && std::exchange(last->second, notice.event) == notice.event) return std::nullopt;
  if (notice.event == NotifyEvent::deleted) last_.erase(last);  // its name may come back
  return Alert{subject_of(notice), body_of(notice)};
}

}  // namespace sluice::control
