// Text of a keepalived.conf -> Config and complaints. Dirty files are normal in the field: no mistake stops the
// parse, each one becomes a complaint that says where, what was found, what was expected and what was done about it.
// Accepting and refusing follows keepalived 2.2.7; what it accepts and Sluice can't do yet is only noted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.h"
#include "net/error.h"

namespace sluice::control::config {

/// notice:  keepalived has nothing to say here, Sluice has: accepted, but not acted on (yet).
/// warning: keepalived complains as well; the line was understood, or was put right.
/// error:   keepalived complains as well; what the line asked for was ignored.
enum class Severity : std::uint8_t { notice, warning, error };

/// Exit statuses of `keepalived -t` (2.2.7).
inline constexpr int exit_status_clean = 0;
inline constexpr int exit_status_fatal = 2;     ///< a mandatory argument is missing
inline constexpr int exit_status_include = 4;   ///< a file is missing that the configuration insists on
inline constexpr int exit_status_config = 5;    ///< any other complaint
inline constexpr int exit_status_security = 6;  ///< scripts, but no enable_script_security

struct Complaint {
  Severity severity = Severity::warning;
  std::string file;
  unsigned line = 0;    ///< from 1; 0: the file as a whole
  unsigned column = 0;  ///< from 1, in bytes; 0: the line as a whole
  std::string message;  ///< one line, printable: strange bytes are escaped
  std::string line_text;
  int exit_status = exit_status_config;  ///< what keepalived -t would end with because of it; 0 for a notice
  std::string included_from = {};  ///< "FILE:LINE" or "FILE:LINE, FILE:LINE ...", innermost first; empty: main file

  /// "FILE:LINE:COLUMN: warning: MESSAGE".
  [[nodiscard]] std::string text() const;
};

/// text(), and below it the line with the word marked, and who included the file. Lines end in a newline; strange bytes
/// are escaped, tabs become blanks, and of a long line the part around the word is shown.
[[nodiscard]] std::string render(const Complaint& complaint);

struct ParseOutcome {
  Config config;
  std::vector<Complaint> complaints;   ///< in the order of the text, as far as one can tell
  std::size_t complaints_dropped = 0;  ///< beyond complaints_max
  std::vector<std::string> files;      ///< the file and all that it includes, in the order they were opened
  bool include_failed = false;         ///< a file that must be there is not: the daemon must not start (keepalived: 6)
};

struct ParseOptions {
  std::string config_id;        ///< decides `@id` lines (keepalived -i); empty: the host's name up to its first dot
  bool follow_includes = true;  ///< false: `include` lines are ignored, no file is touched
  /// keepalived -e: every `include` is an includea, unless include_check says otherwise.
  bool require_includes = false;
  std::optional<std::uint32_t> random_seed = {};  ///< of ${_RANDOM}, until a random_seed is read; else from the system
  /// Names of this host's interfaces: others are complained about. Nothing: that isn't looked at.
  std::optional<std::vector<std::string>> interfaces = {};
};

/// Largest file, and largest sum of a file and its includes: 400,000 real servers with a checker each.
inline constexpr std::size_t file_bytes_max = 64u << 20;
/// A file that isn't a configuration at all complains about every line; nobody reads more than this. Notices have as
/// many again, so that they don't crowd out what is wrong.
inline constexpr std::size_t complaints_max = 1'000;

/// Never fails: an empty text is an empty configuration. file_name is used in complaints, and its directory to resolve
/// relative includes. Reads included files unless told otherwise. Any thread.
[[nodiscard]] ParseOutcome parse_text(std::string_view text, const std::string& file_name,
                                      const ParseOptions& options = {});

/// As parse_text. Fails if the file is missing, unreadable, not a regular file, executable (keepalived refuses those)
/// or larger than file_bytes_max. If there is no file of that name, it is a pattern: all files that match are read, as
/// if they were one, with a warning if there are several.
[[nodiscard]] Result<ParseOutcome> parse_file(const std::string& path, const ParseOptions& options = {});

/// What `keepalived -t` would exit with: 0 when clean; 2 if a mandatory argument is missing; 6 if scripts are there
/// without enable_script_security; 5 for anything else it complains about; 4 if that is only a file that must be there
/// and isn't. Notices don't count.
[[nodiscard]] int test_exit_status(const ParseOutcome& outcome);

}  // namespace sluice::control::config
