// What the election wants done: plain values that the vrrp thread carries out in the order in which they come. Nothing
// here does anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vrrp/protocol.h"

namespace sluice::vrrp {

/// With which priority; 0: this router gives up. Its interval is always the instance's own.
struct SendAdvert {
  std::uint8_t priority;
  bool operator==(const SendAdvert&) const = default;
};
/// The instance's one deadline; replaces the one before. At once if it has passed.
struct ArmTimer {
  Time at;
  bool operator==(const ArmTimer&) const = default;
};
struct CancelTimer {
  bool operator==(const CancelTimer&) const = default;
};
/// Firewall, addresses, excluded addresses, routes, rules, in this order. accept: packets to the addresses are for this
/// host; otherwise they are dropped, neighbour discovery apart (Accept_Mode).
struct OwnAddresses {
  bool accept;
  bool operator==(const OwnAddresses&) const = default;
};
/// Rules, routes, addresses, firewall, in this order.
struct ReleaseAddresses {
  bool operator==(const ReleaseAddresses&) const = default;
};
/// A reload, and the instance stays master: take away what the old configuration had only, add what the new has.
struct UpdateAddresses {
  bool accept;
  bool operator==(const UpdateAddresses&) const = default;
};

enum class GarpCause : std::uint8_t {
  became_master,
  lower_priority,   ///< somebody else still thought himself master, and hosts may have believed it
  addresses_added,  ///< by a reload
  extra_interfaces,  ///< where the instance sends no advertisements, for switches to remember the address
  source_address    ///< not the virtual addresses but the instance's own: unicast peers must find it after a FAULT
};
/// Gratuitous ARPs, for IPv6 unsolicited neighbour advertisements; garp.h makes bursts of it.
struct SendGarp {
  GarpCause cause;
  bool operator==(const SendGarp&) const = default;
};
/// No longer master: what is queued and scheduled is void.
struct StopGarps {
  bool operator==(const StopGarps&) const = default;
};

/// What scripts, FIFOs and mail hear of. STOP: the daemon ends; deleted: a reload removed the instance.
enum class NotifyEvent : std::uint8_t {
  master,
  backup,
  fault,
  stop,
  deleted,
  master_rx_lower_priority,
  master_priority,  ///< the effective priority changed, in state MASTER
  backup_priority   ///< ... in any other state
};
/// The word that keepalived's scripts and FIFOs get.
[[nodiscard]] constexpr std::string_view to_string(NotifyEvent event) {
  switch (event) {
    case NotifyEvent::master: return "MASTER";
    case NotifyEvent::backup: return "BACKUP";
    case NotifyEvent::fault: return "FAULT";
    case NotifyEvent::stop: return "STOP";
    case NotifyEvent::deleted: return "DELETED";
    case NotifyEvent::master_rx_lower_priority: return "MASTER_RX_LOWER_PRI";
    case NotifyEvent::master_priority: return "MASTER_PRIORITY";
    case NotifyEvent::backup_priority: return "BACKUP_PRIORITY";
  }
  return "";
}
/// priority: effective; 0 for a sync group, as keepalived reports it.
struct Notify {
  NotifyEvent event;
  std::uint8_t priority;
  bool operator==(const Notify&) const = default;
};

/// A line with keepalived's words, "(NAME) ..." first. detail: keepalived says it with -D only.
struct Log {
  std::string text;
  bool detail = false;
  bool operator==(const Log&) const = default;
};

using Action = std::variant<SendAdvert, ArmTimer, CancelTimer, OwnAddresses, ReleaseAddresses, UpdateAddresses,
                            SendGarp, StopGarps, Notify, Log>;
using Actions = std::vector<Action>;

}  // namespace sluice::vrrp
