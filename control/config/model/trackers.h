// What VRRP instances watch: scripts, files, processes, BFD sessions, interfaces. And the groups that belong to them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

/// What a tracked thing does to an instance's priority. 0: a failure is a FAULT (reversed: a success is). Positive:
/// added while it is up; negative: subtracted while it is down; reversed: the other way round.
struct TrackWeight {
  int value = 0;
  bool reverse = false;

  bool operator==(const TrackWeight&) const = default;
};

inline constexpr int track_weight_max = 253;

struct VrrpScript {
  Position position;
  std::string name;
  Script script;              ///< argv is empty if readable_file isn't
  std::string readable_file;  ///< `script "</PATH"`: instead of running anything, whether the file can be read
  Duration interval = std::chrono::seconds(1);  ///< from start to start
  Duration timeout = std::chrono::seconds(1);   ///< the interval unless given
  TrackWeight weight;
  unsigned rise = 1;       ///< successes in a row that make it up
  unsigned fall = 1;       ///< failures in a row that make it down
  bool init_fail = false;  ///< starts as failed

  bool operator==(const VrrpScript&) const = default;
};

struct TrackFileInit {
  std::int32_t value = 0;
  bool overwrite = false;  ///< also where the file exists

  bool operator==(const TrackFileInit&) const = default;
};

/// A file with a number in it; number * weight changes priorities.
struct TrackFile {
  Position position;
  std::string name;
  std::string path;
  TrackWeight weight{1, false};
  std::optional<TrackFileInit> init;

  bool operator==(const TrackFile&) const = default;
};

enum class ParamMatch : std::uint8_t {
  name,     ///< only the command's name counts
  exact,    ///< the parameters too, none if none are given
  initial,  ///< the last one given may be longer
  partial   ///< more may follow
};

/// Processes of this host that run, or not.
struct TrackProcess {
  Position position;
  std::string name;
  std::vector<std::string> command;  ///< not empty; the first is the process's name
  ParamMatch match = ParamMatch::name;
  bool full_command = false;  ///< compared with the whole command line
  TrackWeight weight;
  unsigned quorum = 1;                 ///< that must run
  std::optional<unsigned> quorum_max;  ///< that may run; nothing: any number
  Duration fork_delay{0};              ///< from the quorum reached to being up
  Duration terminate_delay{0};         ///< from the quorum lost to being down

  bool operator==(const TrackProcess&) const = default;
};

struct BfdInstance {
  Position position;
  std::string name;
  net::IpAddr neighbor;
  std::optional<net::IpAddr> source;  ///< of the neighbour's family
  Duration min_rx = std::chrono::milliseconds(10);
  Duration min_tx = std::chrono::milliseconds(10);
  Duration idle_tx = std::chrono::seconds(1);
  unsigned multiplier = 5;  ///< packets missed until the session is down
  bool passive = false;
  unsigned ttl = 255;  ///< hop limit for IPv6; 255, IPv6: 64
  int max_hops = 0;    ///< a packet's TTL may have been lowered by; -1: isn't checked
  bool multihop = false;
  TrackWeight weight;
  bool for_vrrp = true;      ///< its events go to VRRP
  bool for_checkers = true;  ///< and to BFD_CHECKs

  bool operator==(const BfdInstance&) const = default;
};

/// A watched thing in a vrrp_instance or vrrp_sync_group. weight is final: the line's, or that of what is watched.
struct Tracked {
  Position position;
  std::string name;
  TrackWeight weight;

  bool operator==(const Tracked&) const = default;
};

struct Tracking {
  std::vector<Tracked> interfaces;
  std::vector<Tracked> scripts;    ///< names of vrrp_scripts
  std::vector<Tracked> files;      ///< of track_files
  std::vector<Tracked> processes;  ///< of vrrp_track_processes
  std::vector<Tracked> bfds;       ///< of bfd_instances

  bool operator==(const Tracking&) const = default;
};

/// Instances that go to FAULT when a static address, route or rule that names the group is gone.
struct TrackGroup {
  Position position;
  std::string name;
  std::vector<std::string> instances;

  bool operator==(const TrackGroup&) const = default;
};

/// Interfaces that share one budget of gratuitous ARPs and unsolicited neighbour advertisements.
struct GarpGroup {
  Position position;
  Duration garp_interval{0};  ///< 0: not limited
  Duration gna_interval{0};
  std::vector<std::string> interfaces;

  bool operator==(const GarpGroup&) const = default;
};

}  // namespace sluice::control::config
