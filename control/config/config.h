// The typed model of a configuration: what the file means, every default and every inheritance already resolved.
// A plain value: it can be compared, copied and diffed, and nothing after it reads text. What the words look like is
// left to lexer.h and block.h, what they mean to parse.h. Each part has a header of its own in model/.
//
// Equality ignores positions: a configuration whose lines moved is still the same configuration, and a reload of it
// must change nothing.
#pragma once

#include <optional>
#include <vector>

#include "control/config/model/dataplane.h"
#include "control/config/model/global_defs.h"
#include "control/config/model/process.h"
#include "control/config/model/servers.h"
#include "control/config/model/vrrp.h"

namespace sluice::control::config {

struct Config {
  GlobalDefs global;
  Dataplane dataplane;
  std::optional<SslClient> ssl;
  std::vector<VirtualServerGroup> virtual_server_groups;  ///< in the order of the file, names differ
  std::vector<VirtualServer> virtual_servers;             ///< in the order of the file

  ProcessSettings process;
  StaticNetwork static_network;
  std::vector<TrackGroup> track_groups;
  std::vector<GarpGroup> garp_groups;
  std::vector<VrrpScript> vrrp_scripts;
  std::vector<TrackFile> track_files;
  std::vector<TrackProcess> track_processes;
  std::vector<BfdInstance> bfd_instances;
  std::vector<VrrpInstance> vrrp_instances;  ///< in the order of the file, as all of these
  std::vector<SyncGroup> sync_groups;

  [[nodiscard]] bool has_vrrp() const { return !vrrp_instances.empty(); }

  bool operator==(const Config&) const = default;
};

}  // namespace sluice::control::config
