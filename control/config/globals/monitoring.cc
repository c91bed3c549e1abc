// global_defs: SNMP and D-Bus.
#include <array>

#include "control/config/fields.h"
#include "control/config/globals/parts.h"
#include "control/config/lift.h"

namespace sluice::control::config {

namespace {

using M = Monitoring;
using F = Field<M>;

constexpr std::string_view no_dbus = "Sluice isn't on D-Bus; sluicectl shows what is to be known";
constexpr std::int64_t stats_min_us = 1'000;
constexpr std::int64_t stats_max_us = 30'000'000;

void set_both_rfcs(Context&, const Statement&, M& monitoring) {
  monitoring.snmp_rfc2 = true;
  monitoring.snmp_rfc3 = true;
}

/// Optional word: without it the keyword is ignored, which 2.2.7 complains about.
void set_dbus_name(Context& context, const Statement& statement, M& monitoring) {
  if (const Word* word = argument(context, statement, 1, "a D-Bus name")) monitoring.dbus_service_name = word->text;
}

constexpr auto snmp_vrrp = F::flag<&M::snmp_vrrp>("enable_snmp_vrrp");

constexpr auto lines = std::to_array<Keyword<M>>({
    snmp_vrrp,
    snmp_vrrp.alias("enable_snmp_keepalived"),
    F::flag<&M::snmp_checker>("enable_snmp_checker"),
    F::custom("enable_snmp_rfc", set_both_rfcs, nullptr, 1),
    F::flag<&M::snmp_rfc2>("enable_snmp_rfcv2"),
    F::flag<&M::snmp_rfc3>("enable_snmp_rfcv3"),
    F::flag<&M::snmp_traps>("enable_traps"),
    F::text<&M::snmp_socket>("snmp_socket").lenient(),
    F::timer<&M::snmp_vs_stats_interval, stats_min_us, stats_max_us>("snmp_vs_stats_update_interval"),
    F::timer<&M::snmp_rs_stats_interval, stats_min_us, stats_max_us>("snmp_rs_stats_update_interval"),
    F::flag<&M::dbus>("enable_dbus").no_effect(no_dbus),
    F::custom(
        "dbus_service_name", set_dbus_name,
        [](Writer& writer, std::string_view keyword, const M& monitoring) {
          if (!monitoring.dbus_service_name.empty()) {
            writer.line(keyword, {plain("", monitoring.dbus_service_name)});
          }
        },
        2)
        .lenient()
        .no_effect(no_dbus),
    F::text<&M::dbus_no_interface_name>("dbus_no_interface_name").no_effect(no_dbus),
});

constexpr auto keywords = lifted<&GlobalDefs::monitoring, lines>();

}  // namespace

GlobalKeywords monitoring_keywords() { return keywords; }

}  // namespace sluice::control::config
