#include "control/vrrp/notify_calls.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::control {

namespace {

using vrrp::NotifyEvent;

template <typename Block>
const Block* find(const std::vector<Block>& blocks, const std::string& name) {
  const auto found = std::ranges::find(blocks, name, &Block::name);
  return found == blocks.end() ? nullptr : &*found;
}

const config::VrrpNotify* notify_of(const config::Config& config, const VrrpNotice& notice) {
  if (notice.of_group) {
    const auto* group = find(config.sync_groups, notice.name);
    return group == nullptr ? nullptr : &group->notify;
  }
  const auto* instance = find(config.vrrp_instances, notice.name);
  return instance == nullptr ? nullptr : &instance->notify;
}

const std::optional<config::Script>* script_of(const config::VrrpNotify& notify, NotifyEvent event) {
  switch (event) {
    case NotifyEvent::master: return &notify.master;
    case NotifyEvent::backup: return &notify.backup;
    case NotifyEvent::fault: return &notify.fault;
    case NotifyEvent::stop: return &notify.stop;
    case NotifyEvent::deleted: return &notify.deleted;
    case NotifyEvent::master_rx_lower_priority: return &notify.master_rx_lower_pri;
    case NotifyEvent::master_priority:
    case NotifyEvent::backup_priority: return nullptr;
  }
  return nullptr;
}

bool is_state(NotifyEvent event) {
  return event == NotifyEvent::master || event == NotifyEvent::backup || event == NotifyEvent::fault ||
         event == NotifyEvent::stop || event == NotifyEvent::deleted;
}

const char* kind_of(const VrrpNotice& notice) { return notice.of_group ? "GROUP" : "INSTANCE"; }

}  // namespace

std::vector<NotifyCall> notify_calls(const config::Config& config, const VrrpNotice& notice) {
  std::vector<NotifyCall> calls;
  const config::VrrpNotify* notify = notify_of(config, notice);
  if (notify == nullptr) return calls;
  const auto* own = script_of(*notify, notice.event);
  if (own != nullptr && *own) calls.push_back({&**own, {}});
  if (notify->any && is_state(notice.event)) {
    calls.push_back(
        {&*notify->any,
         {kind_of(notice), notice.name, std::string(to_string(notice.event)), std::to_string(notice.priority)}});
  }
  return calls;
}

std::optional<std::string> fifo_line(const config::Config& config, const VrrpNotice& notice) {
  if (notice.event == NotifyEvent::master_priority || notice.event == NotifyEvent::backup_priority) {
    const auto* instance = find(config.vrrp_instances, notice.name);
    const auto* group = find(config.sync_groups, notice.name);
    const bool wanted = notice.of_group ? group != nullptr && group->notify_priority_changes
                                        : instance != nullptr && instance->notify_priority_changes;
    if (!wanted) return std::nullopt;
  }
  return fmt::format("{} \"{}\" {} {}\n", kind_of(notice), notice.name, to_string(notice.event), notice.priority);
}

}  // namespace sluice::control
