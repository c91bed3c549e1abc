// Reads the values that stand behind a keyword: numbers, timers, booleans, addresses, scripts. Whatever is wrong
// becomes a complaint that says what was expected; the caller only sees a value or nothing. Internal to control/config.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/block.h"
#include "control/config/config.h"
#include "control/config/diagnostics.h"

namespace sluice::control::config {

/// A command that the file names.
struct ScriptUse {
  Place place;
  std::string path;
  std::string vrrp_script;  ///< the name of that block if it is one's: runs only if tracked
};

/// An interface that the file names and that must exist.
struct InterfaceUse {
  Place place;
  std::string name;
};

/// What the handlers of keywords share while one file is read.
struct Context {
  Diagnostics& diagnostics;
  Config& config;
  /// Every script of the file, for the security check at the end.
  std::vector<ScriptUse> scripts = {};
  std::set<std::string> tracked_scripts = {};  ///< names of vrrp_scripts that some instance tracks
  std::set<std::string> noted_globals = {};    ///< keywords of global_defs whose effect was noted
  /// Where the blocks with a name begin: "vrrp_script chk_haproxy" -> its line.
  std::map<std::string, Place> definitions = {};
  /// What was read under a name that counts once: "vrrp_script chk_haproxy" -> its index among its kind.
  std::map<std::string, std::size_t> names = {};
  /// iproute2's tables of names, read when the first name is met; by the file's name.
  std::map<std::string, std::map<std::string, std::uint32_t>> name_tables = {};
  std::vector<InterfaceUse> interfaces = {};
  std::uint32_t next_rule_preference = 16384;  ///< of a rule that has none
};

/// words[index], or a complaint that it is missing (keepalived's exit status for that is 2).
const Word* argument(Context& context, const Statement& statement, std::size_t index, std::string_view expected);

/// A decimal integer within [min, max]. "12x" is 12 with a complaint, as keepalived's daemon takes it; anything else
/// out of shape or out of range is refused.
std::optional<std::int64_t> read_integer(Context& context, const Statement& statement, std::size_t index,
                                         std::int64_t min, std::int64_t max);

/// Decimal seconds within [min, max], microseconds at best; more decimals are rounded with a complaint.
std::optional<Duration> read_timer(Context& context, const Statement& statement, std::size_t index, Duration min,
                                   Duration max);

/// true on yes | false off no; no value at all is true.
std::optional<bool> read_bool(Context& context, const Statement& statement, std::size_t index);

std::optional<net::IpAddr> read_address(Context& context, const Statement& statement, std::size_t index);

/// Is the line of a list of names one of them? A block inside a list, with a complaint, isn't: a '}' is missing before
/// it.
bool is_item(Context& context, const Statement& line, std::string_view list);

/// ADDRESS[/LENGTH]; without a length the address alone.
std::optional<Prefix> read_prefix(Context& context, const Statement& statement, std::size_t index);

/// Digits alone, at most `max`.
[[nodiscard]] std::optional<std::uint32_t> parse_number(std::string_view digits, std::uint32_t max);

/// 1..65535; a word of zeros is port 0 ("no port") if `optional`.
std::optional<net::L4Port> read_port(Context& context, const Statement& statement, std::size_t index, bool optional);

/// `keyword COMMAND [USER [GROUP]]`, split like a shell would.
std::optional<Script> read_script(Context& context, const Statement& statement);

/// As read_script; a second one in the same block is refused, as in keepalived.
void read_script_once(Context& context, const Statement& statement, std::optional<Script>& script);

/// Some of keepalived's timers end where 32 bits of microseconds do.
inline constexpr Duration short_timer_max = Duration(4'294'967'295);
/// The others end beyond all use; 30 years leave room for sums of them.
inline constexpr Duration timer_max = std::chrono::seconds(1'000'000'000);

}  // namespace sluice::control::config
