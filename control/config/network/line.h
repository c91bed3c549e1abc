// Reads the lines of addresses, routes and rules: options in any order, each with the words it takes. Complaints stand
// under the word they are about. Internal to control/config.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/fields.h"

namespace sluice::control::config {

/// iproute2's tables of names.
enum class NameTable : std::uint8_t { scopes, tables, protocols, realms, tos, groups };

/// The name's number, from what every kernel knows or from the tables in /etc/iproute2 and /usr/share/iproute2.
[[nodiscard]] std::optional<std::uint32_t> number_of(Context& context, NameTable table, const std::string& name);

/// Digits (0x.., 0.. and decimal, as strtoul() with base 0) up to max.
[[nodiscard]] std::optional<std::uint64_t> any_number(std::string_view text, std::uint64_t max);

class OptionLine {
 public:
  /// what: "route", "rule"; for messages.
  /// missing_status: what keepalived -t ends with when an option lacks its value.
  OptionLine(Context& context, const Statement& line, std::string_view what, std::size_t first, int missing_status)
      : context_(context), line_(line), what_(what), at_(first), missing_status_(missing_status) {}

  [[nodiscard]] bool at_end() const { return at_ >= line_.words.size(); }
  /// Only when not at_end().
  [[nodiscard]] const std::string& word() const { return line_.words[at_].text; }
  [[nodiscard]] std::size_t at() const { return at_; }
  void next() { ++at_; }
  /// Steps over the word if it is this one.
  bool take(std::string_view expected);

  /// The word behind the option at hand, which becomes the one at hand; or a complaint that it lacks one, and the line
  /// is over. keepalived ends at that in lines of routes and rules, not in those of addresses.
  [[nodiscard]] const std::string* value();
  /// With another exit status than the line's.
  [[nodiscard]] const std::string* value(int missing_status);

  // Values of the option at hand: complain and give nothing if they are no good.
  [[nodiscard]] std::optional<std::uint64_t> number(std::uint64_t max);
  [[nodiscard]] std::optional<std::uint32_t> named_number(NameTable table, std::uint32_t max);
  [[nodiscard]] std::optional<net::IpAddr> address();
  /// "default", "all" and "any" are no prefix at all, and fine: then any is set.
  [[nodiscard]] std::optional<Prefix> prefix(bool& any);
  [[nodiscard]] std::optional<Realms> realms();
  /// "interface": it must exist.
  [[nodiscard]] std::optional<std::string> interface();

  /// About the word at hand.
  void error(std::string message);
  void warning(std::string message);
  [[nodiscard]] Place place() const { return line_.place_of(std::min(at_, line_.words.size() - 1)); }
  /// A line with a complaint about a value is ignored.
  [[nodiscard]] bool failed() const { return failed_; }
  void refuse(const std::string& expected);

 private:
  Context& context_;
  const Statement& line_;
  std::string_view what_;
  std::size_t at_;
  int missing_status_;
  bool failed_ = false;
};

/// One line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress; nothing if it is ignored.
std::optional<InterfaceAddress> read_interface_address(Context& context, const Statement& line, bool is_static);
void write_interface_address(Writer& writer, const InterfaceAddress& address);

std::optional<IpRoute> read_route(Context& context, const Statement& line, bool is_static);
void write_route(Writer& writer, const IpRoute& route);

std::optional<IpRule> read_rule(Context& context, const Statement& line, bool is_static);
void write_rule(Writer& writer, const IpRule& rule);

/// encap TYPE ...: the word at hand is "encap".
std::optional<Encap> read_encap(OptionLine& line);
void write_encap(std::vector<Arg>& args, const Encap& encap);

void write_realms(std::vector<Arg>& args, const Realms& realms);

/// A track_group that a static item names must be there.
bool is_track_group(Context& context, Place place, const std::string& name);

}  // namespace sluice::control::config
