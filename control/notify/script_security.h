// Who else could decide what a script does? keepalived's question before it runs one as root: everybody who may write
// the file, or replace it or a directory on the way to it. What follows from the answer (enable_script_security
// disables the script, otherwise it is a warning) is the caller's.
#pragma once

#include <string>

#include "control/notify/script.h"
#include "net/error.h"

namespace sluice::control {

/// Does it run with rights that are worth stealing: as root, or from a file that is setuid or setgid?
/// A file that isn't there counts by its user alone. Looks at the file.
[[nodiscard]] bool runs_with_privileges(const ScriptSpec& script);

/// Walks every component of an absolute path, through symbolic links, those of their targets, too. Each must belong to
/// root, and be writable by root alone (or by group root). A sticky directory, as /tmp, may be everybody's: what
/// belongs to root in it stays as it is.
/// Error: where is the component, what says why: "/opt/scripts: can be written by everybody".
/// For start and reload: what is true now may be otherwise later, but only root can make it so.
[[nodiscard]] Result<> check_script_security(const std::string& path);

}  // namespace sluice::control
