// The command line: keepalived's options, short and long, with keepalived's meaning, and those few that Sluice adds.
// Only reads it; main() acts on it.
#pragma once

#include <sys/stat.h>
#include <syslog.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/error.h"

namespace sluice::control {

struct Options {
  enum class Action : std::uint8_t { serve, direct, test, version, help, signal_number, genhash };

  Action action = Action::serve;
  std::string signal_name;  ///< of --signum

  std::string file;  ///< empty: the first default that exists
  std::string config_id;
  bool all_config = false;  ///< a missing include is an error
  std::string test_log;     ///< -tFILE; empty: stderr
  std::string socket_path;  ///< empty: the default

  bool vrrp = true;    ///< false with -C alone
  bool bfd = true;
  bool checks = true;  ///< false with -P alone

  bool foreground = false;
  bool log_console = false;
  bool log_syslog = true;
  std::optional<std::string> log_file;
  int facility = LOG_DAEMON;
  int detail = 0;
  bool dump_config = false;

  std::string pid_file;                     ///< empty: the default
  std::vector<std::string> role_pid_files;  ///< -r, -c, -b

  bool release_vips = false;   ///< -X
  bool keep_vips = false;      ///< -V
  bool keep_services = false;  ///< -I
  bool respawn = true;
  std::string net_namespace;
  std::string ident = "sluiced";  ///< in syslog
  std::string process_name;       ///< empty: sluiced
  std::optional<mode_t> umask;
  bool snmp = false;        ///< -x
  std::string snmp_socket;  ///< -A; empty: the file's
  bool address_monitoring = false;
  bool core_dump = false;

  /// One sentence for each option that was given and changes nothing, or was put right.
  std::vector<std::string> remarks;
};

inline constexpr const char* default_pid_file = "/run/sluiced.pid";
/// The files that are looked for when none is named, in this order.
inline constexpr const char* default_files[] = {"/etc/sluice/sluice.conf", "/etc/keepalived/keepalived.conf"};

/// Error: an option that doesn't exist, or lacks its argument.
[[nodiscard]] Result<Options> parse_command_line(const std::vector<std::string>& arguments);
/// What --help prints.
[[nodiscard]] std::string usage();
/// The words after the program's name with which the supervisor starts a director that has these options.
/// options.file must be absolute.
[[nodiscard]] std::vector<std::string> director_arguments(const Options& options);
/// STOP RELOAD DATA STATS STATS_CLEAR JSON TDUMP -> the signal; nothing: no such name.
[[nodiscard]] std::optional<int> signal_number(const std::string& name);

}  // namespace sluice::control
