// With which status the daemon and its director end: keepalived's numbers, which scripts and units know.
#pragma once

namespace sluice::control {

inline constexpr int exit_ok = 0;
inline constexpr int exit_fatal = 1;          ///< something on this host is in the way
inline constexpr int exit_config = 2;         ///< the configuration can't be served
inline constexpr int exit_no_permission = 4;  ///< run as root
inline constexpr int exit_no_config = 6;      ///< no configuration, or it can't be read
inline constexpr int exit_internal = 70;      ///< an exception that nobody caught
inline constexpr int exit_test_missing_file = 4;

}  // namespace sluice::control
