// One virtual router of this host and its election: events and the time go in, actions come out (actions.h). Pure: no
// socket, no clock, no log, so that a simulation can run thousands of years of it. Which bytes make an advertisement is
// codec.h, what several instances do together sync_group.h, where faults and priorities come from tracking.h.
//
//              start                 deadline (no master heard)
//   INIT ----------------> BACKUP -------------------------------> MASTER
//     |                    ^   ^ |  <----------------------------   | |
//     | fault        all   |   '-' accepted advertisement:   higher | | deadline: advertise
//     v             clear  |       deadline anew           priority | v
//   FAULT -----------------'  <-------------------------------------'-- fault: advertise 0
//
// One deadline per instance: in BACKUP the Master_Down_Timer, in MASTER the Adver_Timer, elsewhere none. State by state
// it follows keepalived, which departs from RFC 9568 6.4 in some places; each is marked at its line in election.cc.
// Not thread-safe; owned by the vrrp thread. Nothing fails.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "vrrp/actions.h"
#include "vrrp/codec.h"
#include "vrrp/timers.h"

namespace sluice::vrrp {

enum class State : std::uint8_t { init, backup, master, fault };
[[nodiscard]] std::string_view to_string(State state);  ///< "MASTER" ...

struct InstanceConfig {
  std::string name;
  Version version = Version::v2;
  std::uint8_t priority = priority_default;        ///< 1..255
  Microseconds advertisement_interval{1'000'000};  ///< whole seconds in version 2, whole centiseconds in version 3
  bool start_as_master = false;                    ///< keepalived's `state MASTER`, and its default for priority 255
  bool preempt_mode = true;                        ///< false: nopreempt
  Microseconds preempt_delay{0};
  unsigned down_timer_adverts = 3;                   ///< 1..100
  Microseconds startup_delay{0};                     ///< since start(): hears and does nothing
  std::optional<std::uint8_t> timer_expired_backup;  ///< if a peer of this priority must have taken over, step down
  net::IpAddr source;                                ///< of our advertisements; decides between equal priorities
  bool accept_mode = true;
  bool strict = false;
  bool unicast = false;
  bool lower_prio_no_advert = false;
  bool higher_prio_send_advert = false;
  bool owner_ignore_adverts = false;
  bool skip_check_adv_addr = false;
  bool dont_track_primary = false;
  bool notify_deleted = false;

  bool operator==(const InstanceConfig&) const = default;
};

/// With what keepalived takes back: strict mode's rules, nopreempt and preempt_delay where they contradict priority
/// 255, `state MASTER` or each other. Instance does it to its own configuration; who complains to the operator is
/// control.
[[nodiscard]] InstanceConfig corrected(InstanceConfig config);

enum class FaultKind : std::uint8_t {
  interface_down,  ///< of the instance itself; dont_track_primary ignores it
  base_down,       ///< the interface under a virtual MAC
  no_source_address,
  configuration,
  tracker,            ///< a tracked interface, script, file, process or BFD session; index: which
  sync_group,         ///< another member of the group is in FAULT
  script_pending,     ///< a script with weight 0 hasn't run yet: the instance waits in INIT and says nothing
  sync_group_pending  ///< another member waits so
};
/// A reason not to take part. Any number may hold at once; the instance is back when all are gone.
struct Fault {
  FaultKind kind;
  std::uint32_t index = 0;

  [[nodiscard]] bool is_silent() const {
    return kind == FaultKind::script_pending || kind == FaultKind::sync_group_pending;
  }
  [[nodiscard]] bool is_of_group() const {
    return kind == FaultKind::sync_group || kind == FaultKind::sync_group_pending;
  }
  bool operator==(const Fault&) const = default;
};

// Why the last transition happened: name, text for sluicectl.
#define SLUICE_VRRP_REASONS(X)                                             \
  X(started, "started")                                                    \
  X(master_down, "no master was heard")                                    \
  X(higher_priority, "another router has a higher priority")               \
  X(higher_address, "another router of our priority has a higher address") \
  X(fault, "a fault")                                                      \
  X(fault_cleared, "no fault is left")                                     \
  X(addresses_lost, "somebody removed an address, a route or a rule")      \
  X(sync_group, "the sync group moved")                                    \
  X(timer_late, "our timer was so late that a peer must have taken over")  \
  X(stopped, "stopped")

enum class Reason : std::uint8_t {
#define SLUICE_NAME(name, text) name,
  SLUICE_VRRP_REASONS(SLUICE_NAME)
#undef SLUICE_NAME
};
[[nodiscard]] std::string_view to_string(Reason reason);

struct Transition {
  Time at{};
  State from = State::init;
  State to = State::init;
  Reason reason = Reason::started;
};

/// keepalived's statistics, but for the receive errors, which the receiver counts.
struct Counters {
  std::uint64_t adverts_received = 0;
  std::uint64_t adverts_sent = 0;
  std::uint64_t become_master = 0;
  std::uint64_t release_master = 0;
  std::uint64_t priority_zero_received = 0;
  std::uint64_t priority_zero_sent = 0;
  std::uint64_t address_list_errors = 0;
};

enum class StopCause : std::uint8_t { shutdown, deleted };

class Instance {
 public:
  explicit Instance(const InstanceConfig& config);

  /// Once. Faults that are there already go in by on_fault() before. may_start_as_master: false in a sync group of
  /// which not all members own their addresses.
  Actions start(Time now, bool may_start_as_master = true);

  /// Why an advertisement that comes now wouldn't be looked at: not_listening, which is before check(), or
  /// owner_ignores, which is after it: an owner who is deaf to the others' words must still learn their sequence
  /// numbers, or they take its own for replays.
  [[nodiscard]] std::optional<ReceiveError> refusal(Time now) const;
  /// One that passed check(). What waits in the socket goes before on_timer(): a late loop must not miss a living
  /// master.
  Actions on_advert(Time now, const Advert& advert);

  /// The deadline. group_wants_master: all other members of the sync group do. Too early: arms it again.
  Actions on_timer(Time now, bool group_wants_master = true);

  /// why: what stands in the log, "(interface eth0 down)", "due to script chk"; may be empty. Twice the same is once.
  Actions on_fault(Time now, Fault fault, std::string_view why);
  /// To be called after the fault that takes its place, if one does, has come in.
  Actions on_fault_cleared(Time now, Fault fault);

  /// delta: sum of what the trackers add and subtract (tracking.h). No effect on priority 255.
  Actions on_priority_delta(Time now, int delta);

  /// BFD misses that neighbor. If it is the master, a backup takes this for its goodbye: it waits for the skew time and
  /// no longer for advertisements. Not in keepalived; draft-ietf-rtgwg-vrrp-bfd-p2p has the idea.
  Actions on_neighbor_lost(Time now, const net::IpAddr& neighbor);

  /// A third party removed an address, route or rule that isn't no_track.
  Actions on_addresses_lost(Time now);

  /// The address that advertisements come from is another one.
  void set_source(const net::IpAddr& source) { config_.source = source; }

  /// State, deadline and learnt values are kept. addresses_added: the new configuration has addresses that the old had
  /// not. New faults follow as on_fault().
  Actions reload(Time now, const InstanceConfig& config, bool addresses_added);

  /// For good.
  Actions stop(Time now, StopCause cause);

  // --- for the sync group

  /// In BACKUP: the deadline has passed, only the group holds us back. In MASTER: true.
  [[nodiscard]] bool wants_master() const { return state_ == State::master || wants_master_; }
  /// From BACKUP, because the group does.
  Actions join_master(Time now);
  /// From MASTER, because another member left it: without priority 0, its master is there already.
  Actions leave_master(Time now);
  /// Has a fault, or waits for a script, of its own; not the group's.
  [[nodiscard]] bool has_own_fault(bool silent) const;

  // --- to be shown

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const InstanceConfig& config() const { return config_; }
  [[nodiscard]] std::uint8_t effective_priority() const;
  /// The interval that the master advertises; our own in version 2 and in MASTER.
  [[nodiscard]] Microseconds master_adver_interval() const { return master_adver_interval_; }
  [[nodiscard]] Microseconds skew_time() const;
  [[nodiscard]] Microseconds master_down_interval() const;
  [[nodiscard]] std::optional<Time> deadline() const { return deadline_; }
  /// Whose advertisements were taken last, and with which priority.
  [[nodiscard]] const std::optional<net::IpAddr>& master_address() const { return master_address_; }
  [[nodiscard]] std::uint8_t master_priority() const { return master_priority_; }
  [[nodiscard]] const std::vector<Fault>& faults() const { return faults_; }
  [[nodiscard]] const Transition& last_transition() const { return last_transition_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  // Lines that come with every packet are said once, until the master or the state changes.
  enum class Said : std::uint8_t { discarding, lower, same_address, interval, addresses };

  // on_advert(), by state and by what came.
  void backup_hears(Time now, const Advert& advert, Actions& actions);
  void master_hears(Time now, const Advert& advert, Actions& actions);
  void master_hears_lower(Time now, const Advert& advert, Actions& actions);
  void master_hears_higher(Time now, const Advert& advert, Reason reason, Actions& actions);
  bool is_persistent_owner(Time now, const Advert& advert);
  void compare(const Advert& advert, Actions& actions);
  bool preempt_delay_runs(Time now, Actions& actions);
  void learn(const Advert& advert);

  // Transitions.
  void enter_first_state(Time now, bool may_start_as_master, Actions& actions);
  void become_master(Time now, Reason reason, Actions& actions);
  void become_backup(Time now, Microseconds wait, Reason reason, Actions& actions);
  void enter_fault(Time now, Actions& actions);
  void move(Time now, State to, Reason reason);
  void give_up_addresses(Actions& actions);

  void send_advert(Time next, Actions& actions);
  void send_zero(Actions& actions);
  void arm(Time at, Actions& actions);
  void cancel(Actions& actions);
  void log(Actions& actions, std::string text, bool detail = false) const;
  bool first_time(Said what);
  [[nodiscard]] bool has_loud_fault() const;
  [[nodiscard]] bool accepts() const { return config_.accept_mode || config_.priority == priority_owner; }
  [[nodiscard]] Time not_before(Time now) const { return now < listens_from_ ? listens_from_ : now; }

  InstanceConfig config_;
  State state_ = State::init;
  bool running_ = false;
  bool may_start_as_master_ = true;
  bool entered_before_ = false;  // out of INIT: its first state has been reported
  bool wants_master_ = false;
  std::uint8_t said_ = 0;
  int priority_delta_ = 0;
  Microseconds master_adver_interval_;
  Time started_at_{};
  Time listens_from_{};  // when the start-up delay is over
  std::optional<Time> deadline_;
  std::optional<Time> preempts_from_;  // when the preempt delay is over, once it has begun
  std::optional<net::IpAddr> master_address_;
  std::uint8_t master_priority_ = 0;
  std::vector<Fault> faults_;

  // Another router that claims priority 255, too: since when, heard last, and whether we have given in.
  Time other_owner_since_{};
  std::optional<Time> other_owner_heard_;
  bool conceding_ = false;

  Transition last_transition_;
  Counters counters_;
};

}  // namespace sluice::vrrp
