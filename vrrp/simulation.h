// Whole histories of small networks in virtual time, from one seed: 2 to 5 routers with one to three virtual routers
// each, alone or in a sync group; advertisements that are lost, delayed, cut off by partitions; routers that crash,
// end, restart, reload, have faults, lose addresses, change priorities. First such chaos, then a calm network, then the
// end of one master. In a part of the histories every advertisement goes through the codec, with AH, too.
//
// What must hold, at every moment or from some moment on, is simulation_rules.cc; what happens, simulation.cc.
#pragma once

#include <cstdint>
#include <functional>  // std::greater
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "vrrp/codec.h"
#include "vrrp/election.h"
#include "vrrp/sync_group.h"

namespace sluice::vrrp::simulation {

/// SplitMix64: small, and the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// 0..limit-1; limit > 0.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool percent(unsigned chance) { return below(100) < chance; }
  Microseconds up_to(Microseconds limit) { return Microseconds(below(std::uint64_t(limit.count()) + 1)); }
  template <typename T>
  const T& one_of(const std::vector<T>& choice) {
    return choice[below(choice.size())];
  }

 private:
  std::uint64_t state_;
};

/// One virtual router on one router.
struct Member {
  InstanceConfig config;
  WireConfig wire_config;
  WireState wire;
  std::optional<Instance> instance;  // none: the router is down
  bool owns = false;                 // the addresses, by the actions that came out
  std::uint64_t timer = 0;           // only the last one armed counts
  Time last_sent{};
};

struct Router {
  std::vector<Member> members;  // by virtual router
  std::optional<SyncGroup> group;
  bool alive = false;
  bool faulty = false;   // in a group by the first member, otherwise each member for itself
  unsigned side = 0;     // of the partition
  Time eligible_from{};  // since when it could be master: up, without fault, past its start-up delay
};

class History {
 public:
  /// trace: gets a line for everything that happens; null: quicker.
  History(std::uint64_t seed, std::string* trace);

  /// Nothing if all that must hold held; else what didn't, and when.
  std::optional<std::string> run();

 private:
  struct Packet {
    std::size_t from, virtual_router;
    std::uint8_t priority;
    Centiseconds interval;
    std::shared_ptr<std::vector<std::uint8_t>> bytes;  // null: straight from election to election
  };
  struct Event {
    Time at;
    std::uint64_t order;
    std::size_t router;
    std::size_t virtual_router;
    std::uint64_t timer;  // 0: a packet
    std::shared_ptr<Packet> packet;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  // The network and its routers, from the seed.
  void make_network();
  void configure(std::size_t router, bool again);
  [[nodiscard]] InstanceConfig make_config(std::size_t router);
  [[nodiscard]] WireConfig make_wire_config(const InstanceConfig& config, std::size_t virtual_router) const;

  // What happens.
  void run_until(Time end);
  void step(const Event& event);
  void chaos();
  void boot(std::size_t router);
  void crash(std::size_t router);
  void stop(std::size_t router);
  void reload(std::size_t router);
  void set_fault(std::size_t router, bool faulty);
  void change_priority(std::size_t router);
  void lose_addresses(std::size_t router);
  void heal();

  // What comes out.
  void carry_out(std::size_t router, std::size_t virtual_router, const Actions& actions);
  void carry_out(std::size_t router, const GroupActions& actions);
  void carry_out(std::size_t router, std::size_t virtual_router, const Action& action);
  void say_action(std::size_t router, std::size_t virtual_router, const Action& action);
  void broadcast(std::size_t router, std::size_t virtual_router, std::uint8_t priority);
  void deliver(std::size_t router, const Packet& packet);
  void own(std::size_t router, std::size_t virtual_router, bool owns);

  // What must hold.
  // what: yields a text; asked for only when it's needed, as is line.
  template <typename What>
  void require(bool holds, const What& what) {
    if (!holds && !complaint_) complain(what());
  }
  void complain(const std::string& what);
  void check_router(std::size_t router);
  void check_owners();
  void check_one_master();
  void settle();
  void end_a_master();

  template <typename Line>
  void say(const Line& line) {
    if (trace_ != nullptr) write(line());
  }
  void write(const std::string& line);
  [[nodiscard]] net::IpAddr source(std::size_t router) const;
  [[nodiscard]] bool eligible(const Router& router) const { return router.alive && !router.faulty; }
  [[nodiscard]] std::optional<std::size_t> owner(std::size_t virtual_router) const;

  Random random_;
  std::string* trace_;
  std::optional<std::string> complaint_;
  /// What signatures carry: all routers' clocks are right.
  [[nodiscard]] std::chrono::system_clock::time_point wall_clock() const {
    return std::chrono::system_clock::time_point(now_.time_since_epoch());
  }

  Time now_{};
  std::uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Router> routers_;

  std::size_t virtual_routers_ = 1;
  bool grouped_ = false;
  bool through_codec_ = false;
  Version version_ = Version::v2;
  Authentication authentication_;
  Centiseconds interval_{100};        // the shortest
  unsigned interval_factor_max_ = 1;  // times the shortest: the longest
  unsigned down_timer_adverts_ = 3;
  enum class Owners { none, only_the_first, any } address_owners_ = Owners::none;
  unsigned loss_ = 0;  // percent
  Microseconds delay_max_{};
  Microseconds late_max_{};  // of timers
  // Bounds of all configurations.
  Microseconds down_max_{};  // Master_Down_Interval
  Microseconds preempt_delay_max_{};
  Microseconds startup_delay_max_{};

  // By virtual router.
  std::vector<std::size_t> owners_;    // how many own it
  std::vector<Time> ownerless_since_;  // the last change from one to none
  std::vector<Time> owned_since_;      // the last change from none to one
  bool settled_ = false;               // from now on nobody may change
  std::vector<std::optional<std::size_t>> settled_owner_;
};

}  // namespace sluice::vrrp::simulation
