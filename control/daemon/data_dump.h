// What SIGUSR1 writes into files: keepalived's .data files, as far as monitoring reads them. Texts are pure; writing
// them is apart.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "control/backend/backend.h"
#include "control/pools/pool_manager.h"
#include "net/error.h"

namespace sluice::control {

struct ParentData {
  pid_t pid = 0;
  pid_t director = 0;  ///< 0: none runs just now
};

/// keepalived_parent.data
[[nodiscard]] std::string parent_data_text(const ParentData& data);
/// keepalived_check.data: the topology, with states and weights, in the order of the file. Lines that monitoring
/// searches for have keepalived's words and indents.
[[nodiscard]] std::string check_data_text(const std::vector<VirtualServiceStatus>& table,
                                          const std::vector<PoolStatus>& pools);

/// One line for `systemctl status`: "2 virtual servers, 4 of 5 real servers up".
[[nodiscard]] std::string status_line(const PoolCounts& counts);

/// Writes a file of that name into $TMPDIR, if that is an absolute path, else /tmp. It appears at once as a whole, with
/// mode 0600, in place of whatever had its name; links aren't followed.
Result<> write_data_file(const std::string& name, const std::string& text);

}  // namespace sluice::control
