// The typed model of a configuration: what the file means, every default and every inheritance already resolved.
// A plain value: it can be compared, copied and diffed, and nothing after it reads text. What the words look like is
// left to lexer.h and block.h, what they mean to parse.h. Each part has a header of its own in model/.
//
// Equality ignores positions: a configuration whose lines moved is still the same configuration, and a reload of it
// must change nothing.
#pragma once

#include <vector>

#include "control/config/model/dataplane.h"
#include "control/config/model/global_defs.h"
#include "control/config/model/servers.h"
#include "control/config/model/vrrp.h"

namespace sluice::control::config {

struct Config {
  GlobalDefs global;
  Dataplane dataplane;
  std::vector<VirtualServer> virtual_servers;  ///< in the order of the file
  bool has_vrrp = false;                       ///< any vrrp_instance, complete or not
  std::vector<VrrpInstance> vrrp_instances;

  bool operator==(const Config&) const = default;
};

}  // namespace sluice::control::config
