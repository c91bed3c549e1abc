// The keywords of gratuitous ARPs: vrrp_garp_... in global_defs and garp_... in a vrrp_instance are the same settings.
// Internal to control/config.
#pragma once

#include <string_view>

#include "control/config/fields.h"

namespace sluice::control::config {

/// keepalived keeps delays in microseconds of 32 bits.
inline constexpr std::int64_t garp_delay_max = 4294;
inline constexpr std::int64_t garp_count_max = 4294967295;
inline constexpr std::int64_t garp_extra_max = 86'400;

/// A count of which 0 is taken as 1, with a complaint.
template <Inherited<std::uint32_t> GarpSettings::*Member>
void read_garp_count(Context& context, const Statement& statement, GarpSettings& garp) {
  const auto value = read_integer(context, statement, 1, 0, garp_count_max);
  if (!value) return;
  if (*value == 0) {
    context.diagnostics.warning(statement.place_of(1), statement.keyword() + " '0' is taken as 1, expected 1 or more");
  }
  (garp.*Member).write(*value == 0 ? 1 : static_cast<std::uint32_t>(*value));
}

template <Inherited<std::uint32_t> GarpSettings::*Member>
constexpr Keyword<GarpSettings> garp_count(std::string_view name) {
  return Field<GarpSettings>::custom(
      name, read_garp_count<Member>,
      [](Writer& writer, std::string_view keyword, const GarpSettings& garp) {
        writer.line(keyword, {plain("", std::int64_t{(garp.*Member).value})});
      },
      2);
}

/// [all] SECONDS. zero_turns_off: in an instance 0 is allowed, to go without what global_defs ask for.
void read_garp_extra(Context& context, const Statement& statement, GarpSettings& garp);
void write_garp_extra(Writer& writer, std::string_view keyword, const GarpSettings& garp);

}  // namespace sluice::control::config
