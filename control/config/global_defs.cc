// global_defs: what Sluice acts on is a handful; everything else keepalived 2.2.7 (and later) knows is noted.
#include <fmt/format.h>

#include <array>

#include "control/config/keywords.h"

namespace sluice::control::config {

namespace {

using G = GlobalDefs;

void set_router_id(Context& context, const Statement& statement, G& global) {
  if (const Word* word = argument(context, statement, 1, "a name")) global.router_id = word->text;
}

void set_script_user(Context& context, const Statement& statement, G& global) {
  const Word* word = argument(context, statement, 1, "USER [GROUP]");
  if (word == nullptr) return;
  global.script_user = word->text;
  global.script_group.reset();
  if (statement.words.size() > 2) global.script_group = statement.words[2].text;
}

void set_script_security(Context&, const Statement&, G& global) { global.enable_script_security = true; }

void set_rs_init_notifies(Context& context, const Statement& statement, G& global) {
  if (auto value = read_bool(context, statement, 1)) global.rs_init_notifies = *value;
  note_effect(context, statement, Effect::later, {});
}

void set_log_all_failures(Context& context, const Statement& statement, G& global) {
  if (auto value = read_bool(context, statement, 1)) global.checker_log_all_failures = *value;
}

/// vrrp_garp_interval 0 stands in many a vendor's sample; keepalived refuses it.
void check_interval(Context& context, const Statement& statement, G&) {
  if (read_timer(context, statement, 1, Duration(1), short_timer_max))
    note_effect(context, statement, Effect::later, {});
}

void set_vrrp_version(Context& context, const Statement& statement, G& global) {
  if (auto value = read_integer(context, statement, 1, 2, 3)) global.vrrp.version = static_cast<unsigned>(*value);
  note_effect(context, statement, Effect::later, {});
}

/// 0 is taken as 1 s, with a complaint.
void check_smtp_timeout(Context& context, const Statement& statement, G&) {
  const auto value = read_integer(context, statement, 1, 0, 4294);
  if (value && *value == 0) {
    context.diagnostics.warning(statement.place_of(1), "smtp_connect_timeout '0' is taken as 1, expected 1..4294");
  }
  if (value) note_effect(context, statement, Effect::later, {});
}

constexpr auto keywords = std::to_array<Keyword<G>>({
    {"router_id", set_router_id},
    {"script_user", set_script_user, nullptr, Shape::line, 3},
    {"enable_script_security", set_script_security, nullptr, Shape::line, 1},
    {"rs_init_notifies", set_rs_init_notifies},
    {"checker_log_all_failures", set_log_all_failures},
    {"vrrp_garp_interval", check_interval},
    {"vrrp_gna_interval", check_interval},
    {"smtp_connect_timeout", check_smtp_timeout},
    // Mail.
    {"notification_email", nullptr, nullptr, Shape::block},
    {"notification_email_from"},
    {"smtp_server"},
    {"smtp_helo_name"},
    {"smtp_alert"},
    {"smtp_alert_vrrp"},
    {"smtp_alert_checker"},
    {"no_email_faults"},
    {"no_checker_emails"},
    // Scripts and FIFOs.
    {"use_symlink_paths"},
    {"set_supplementary_groups"},
    {"startup_script"},
    {"shutdown_script"},
    {"startup_script_timeout"},
    {"shutdown_script_timeout"},
    {"notify_fifo"},
    {"vrrp_notify_fifo"},
    {"lvs_notify_fifo"},
    {"notify_fifo_script"},
    {"vrrp_notify_fifo_script"},
    {"lvs_notify_fifo_script"},
    {"fifo_write_vrrp_states_on_reload"},
    {"vrrp_notify_priority_changes"},
    // LVS.
    {"dynamic_interfaces"},
    {"default_interface"},
    {"lvs_sync_daemon"},
    {"lvs_timeouts"},
    {"lvs_flush"},
    {"lvs_flush_on_stop"},
    {"lvs_flush_onstop"},
    {"nftables_ipvs"},
    {"nftables_ipvs_priority"},
    {"nftables_ipvs_start_fwmark"},
    // VRRP.
    {"vrrp_version", set_vrrp_version},
    {"vrrp_strict"},
    {"vrrp_skip_check_adv_addr"},
    {"vrrp_check_unicast_src"},
    {"vrrp_mcast_group4"},
    {"vrrp_mcast_group6"},
    {"vrrp_garp_master_delay"},
    {"vrrp_garp_master_repeat"},
    {"vrrp_garp_master_refresh"},
    {"vrrp_garp_master_refresh_repeat"},
    {"vrrp_garp_lower_prio_delay"},
    {"vrrp_garp_lower_prio_repeat"},
    {"vrrp_min_garp"},
    {"vrrp_garp_extra_if"},
    {"vrrp_vmac_garp_intvl"},
    {"vrrp_down_timer_adverts"},
    {"vrrp_lower_prio_no_advert"},
    {"vrrp_higher_prio_send_advert"},
    {"vrrp_owner_ignore_adverts"},
    {"v3_checksum_as_v2"},
    {"vrrp_startup_delay"},
    {"vrrp_delay_after_boot"},
    {"log_unknown_vrids"},
    {"vmac_prefix"},
    {"vmac_addr_prefix"},
    {"vrrp_iptables"},
    {"vrrp_ipsets"},
    {"nftables"},
    {"nftables_priority"},
    {"nftables_counters"},
    {"nftables_ifindex"},
    {"disable_local_igmp"},
    {"vrrp_rx_bufs_policy"},
    {"vrrp_rx_bufs_multiplier"},
    // Process settings.
    {"vrrp_netlink_cmd_rcv_bufs"},
    {"vrrp_netlink_cmd_rcv_bufs_force"},
    {"vrrp_netlink_monitor_rcv_bufs"},
    {"vrrp_netlink_monitor_rcv_bufs_force"},
    {"lvs_netlink_cmd_rcv_bufs"},
    {"lvs_netlink_cmd_rcv_bufs_force"},
    {"lvs_netlink_monitor_rcv_bufs"},
    {"lvs_netlink_monitor_rcv_bufs_force"},
    {"process_monitor_rcv_bufs"},
    {"process_monitor_rcv_bufs_force"},
    {"vrrp_priority"},
    {"checker_priority"},
    {"bfd_priority"},
    {"vrrp_rt_priority"},
    {"checker_rt_priority"},
    {"bfd_rt_priority"},
    {"vrrp_rlimit_rttime"},
    {"checker_rlimit_rttime"},
    {"bfd_rlimit_rttime"},
    {"vrrp_rlimit_rtime"},
    {"checker_rlimit_rtime"},
    {"bfd_rlimit_rtime"},
    {"vrrp_no_swap"},
    {"checker_no_swap"},
    {"bfd_no_swap"},
    {"vrrp_cpu_affinity"},
    {"checker_cpu_affinity"},
    {"bfd_cpu_affinity"},
    {"max_auto_priority"},
    {"min_auto_priority_delay"},
    {"process_names"},
    {"process_name"},
    {"vrrp_process_name"},
    {"checker_process_name"},
    {"lvs_process_name"},
    {"bfd_process_name"},
    {"umask"},
    {"random_seed"},
    // SNMP and D-Bus.
    {"enable_snmp_keepalived"},
    {"enable_snmp_vrrp"},
    {"enable_snmp_checker"},
    {"enable_snmp_rfc"},
    {"enable_snmp_rfcv2"},
    {"enable_snmp_rfcv3"},
    {"enable_traps"},
    {"snmp_socket"},
    {"snmp_vs_stats_update_interval"},
    {"snmp_rs_stats_update_interval"},
    {"enable_dbus"},
    {"dbus_service_name"},
    {"dbus_no_interface_name"},
    // Reload, dumps, paths.
    {"reload_check_config"},
    {"reload_time_file"},
    {"reload_repeat"},
    {"reload_file"},
    {"include_check"},
    {"config_save_dir"},
    {"tmp_config_directory"},
    {"data_use_instance"},
    {"state_dump_file"},
    {"stats_dump_file"},
    {"json_dump_file"},
    {"json_version"},
    {"iproute_usr_dir"},
    {"iproute_etc_dir"},
    {"thread_timer_expired"},
    {"timer_expired_backup"},
    // Root keywords that some versions take here as well.
    {"linkbeat_use_polling"},
    {"net_namespace"},
    {"net_namespace_ipvs"},
    {"instance"},
    {"use_pid_dir"},
    {"child_wait_time"},
});

}  // namespace

void read_global_defs(Context& context, const Statement& statement) {
  apply<G>(context, keywords, "global_defs", statement.children, context.config.global);
}

}  // namespace sluice::control::config
