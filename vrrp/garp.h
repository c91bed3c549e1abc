// When gratuitous ARPs and unsolicited neighbour advertisements go out. GarpSchedule, one per instance, makes bursts of
// what the election says; GarpPacer, one per interface or garp_group, spreads their frames where an interval between
// frames is asked for. Pure; the frames themselves are announcement.h.
//
//   SendGarp --> GarpSchedule --burst of n--> every address n times, round robin --> GarpPacer --> one frame at a time
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "net/address.h"
#include "vrrp/actions.h"
#include "vrrp/protocol.h"

namespace sluice::vrrp {

/// keepalived's garp_* keywords with its defaults. A delay of 0: no second burst.
struct GarpSettings {
  Microseconds master_delay{5'000'000};
  std::uint32_t master_repeat = 5;
  Microseconds master_refresh{0};  ///< 0: none
  std::uint32_t master_refresh_repeat = 1;
  Microseconds lower_prio_delay{5'000'000};
  std::uint32_t lower_prio_repeat = 5;  ///< 0: none, no second burst either
  Microseconds extra_interval{0};       ///< of garp_extra_if; 0: none

  bool operator==(const GarpSettings&) const = default;
};

/// Every address of the instance, excluded ones too, `repeat` times; or its source address; or one address of each
/// interface that it sends no advertisements by.
struct GarpBurst {
  GarpCause cause;
  std::uint32_t repeat;

  bool operator==(const GarpBurst&) const = default;
};
using GarpBursts = std::vector<GarpBurst>;

/// The bursts of one instance: at once, once more after a delay, and again with every refresh while it is master. The
/// repeats of a burst are 1, 4, 16 and 64 ms after its beginning, then 64 ms apart. keepalived sends them back to back;
/// but a gratuitous ARP is a request, and the old master answers it as long as it has the address, by which a switch
/// learns the virtual MAC, or a host the address, where it was. A later one of ours puts that right. Not thread-safe.
class GarpSchedule {
 public:
  explicit GarpSchedule(const GarpSettings& settings) : settings_(settings) {}

  /// The election's SendGarp: what is due at once. Later bursts are there by next().
  GarpBursts on_garp(Time now, GarpCause cause);
  /// The election's StopGarps.
  void stop();
  /// What is due by `now`, a burst for each that is. A loop that missed several refreshes gets one.
  GarpBursts on_timer(Time now);
  [[nodiscard]] std::optional<Time> next() const;
  /// A reload: what is scheduled stays, but a refresh comes or goes. master: the instance is.
  void reload(Time now, const GarpSettings& settings, bool master);

 private:
  /// A burst that isn't over.
  struct Running {
    GarpCause cause;
    Time began;
    std::uint32_t repeat;
    std::uint32_t done;
  };
  void begin(Time now, GarpCause cause, std::uint32_t repeat, GarpBursts& bursts);

  GarpSettings settings_;
  std::vector<Running> running_;
  std::optional<Time> second_;        // burst after becoming master
  std::optional<Time> second_lower_;  // burst after a lower priority
  std::optional<Time> refresh_;
  std::optional<Time> extra_;
};

/// One address to be announced on one interface for one instance.
struct GarpTarget {
  std::uint32_t instance;
  std::uint32_t interface;
  net::IpAddr address;

  bool operator==(const GarpTarget&) const = default;
};

/// The budget of one interface, or of the interfaces that share one. ARPs and neighbour advertisements have a budget
/// each. Queues never grow beyond one entry per target. Not thread-safe.
class GarpPacer {
 public:
  /// Least time between two frames; 0: none.
  GarpPacer(Microseconds garp_interval, Microseconds gna_interval) : arp_{garp_interval}, na_{gna_interval} {}

  /// Each target `repeat` times, in turns. One that waits already is announced that often in all, not in addition.
  void enqueue(std::span<const GarpTarget> targets, std::uint32_t repeat);
  /// What may go out now, in order.
  std::vector<GarpTarget> take(Time now);
  /// When take() has something again; nothing: the queues are empty. In the past if it has something now.
  [[nodiscard]] std::optional<Time> next() const;
  /// The instance is no longer master.
  void forget(std::uint32_t instance);
  void set_intervals(Microseconds garp_interval, Microseconds gna_interval);

 private:
  struct Waiting {
    GarpTarget target;
    std::uint32_t pending;
  };
  struct Budget {
    Microseconds interval;
    Time free_at{};
    std::deque<Waiting> queue = {};
  };
  static void take(Time now, Budget& budget, std::vector<GarpTarget>& frames);

  Budget arp_;
  Budget na_;
};

}  // namespace sluice::vrrp
