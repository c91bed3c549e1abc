// global_defs: settings of the whole process, one struct per subject.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model/common.h"

namespace sluice::control::config {

struct SmtpServer {
  std::string host;  ///< address or name
  net::L4Port port = net::L4Port::of(25);

  bool operator==(const SmtpServer&) const = default;
};

struct MailSettings {
  std::vector<std::string> recipients;  ///< notification_email; "Name <a@b>" as written
  std::string from;                     ///< empty: USER@HOST
  std::optional<SmtpServer> server;     ///< without it, or without recipients, no mail is sent
  std::chrono::seconds connect_timeout{30};
  std::string helo_name;                   ///< empty: the host's name
  std::optional<bool> smtp_alert;          ///< default of the switches in the blocks
  std::optional<bool> smtp_alert_vrrp;     ///< goes before smtp_alert
  std::optional<bool> smtp_alert_checker;  ///< goes before smtp_alert
  bool no_email_faults = false;
  bool no_checker_emails = false;  ///< mail when a real server changes, not for each of its checkers

  bool operator==(const MailSettings&) const = default;
};

struct NotifyFifo {
  std::string path;  ///< empty: none
  std::optional<std::string> user;
  std::optional<std::string> group;
  std::optional<Script> reader;  ///< started by the daemon, with the path as its last argument

  bool operator==(const NotifyFifo&) const = default;
};

struct FifoSettings {
  NotifyFifo all;
  NotifyFifo vrrp;
  NotifyFifo lvs;
  bool write_vrrp_states_on_reload = false;
  bool vrrp_priority_changes = false;  ///< default of notify_priority_changes

  bool operator==(const FifoSettings&) const = default;
};

/// lvs_sync_daemon: the kernel's connection synchronisation.
struct SyncDaemon {
  Position position;
  std::string interface;
  std::string vrrp_instance;        ///< whose state it follows; empty: both daemons run
  std::optional<unsigned> sync_id;  ///< nothing: the instance's virtual_router_id, or 0
  std::optional<unsigned> bytes_max;
  std::uint16_t port = 8848;
  std::optional<unsigned> ttl;
  std::optional<net::IpAddr> group;  ///< nothing: 224.0.0.81

  bool operator==(const SyncDaemon&) const = default;
};

/// Nothing: as they are.
struct LvsTimeouts {
  std::optional<std::chrono::seconds> tcp;
  std::optional<std::chrono::seconds> tcp_fin;
  std::optional<std::chrono::seconds> udp;

  bool operator==(const LvsTimeouts&) const = default;
};

enum class FlushOnStop : std::uint8_t {
  no,       ///< what the daemon added is removed piece by piece
  all,      ///< the whole table, other people's services too
  services  ///< its own virtual services, at once
};

struct LvsSettings {
  std::optional<SyncDaemon> sync_daemon;
  LvsTimeouts timeouts;
  bool flush = false;  ///< the table, at the start
  FlushOnStop flush_on_stop = FlushOnStop::no;
  std::optional<std::string> nftables_table;  ///< nftables_ipvs
  std::int32_t nftables_priority = -1;
  std::uint32_t nftables_start_fwmark = 1000;

  bool operator==(const LvsSettings&) const = default;
};

/// garp_extra_if: gratuitous ARPs on the virtual addresses' other interfaces.
struct GarpExtra {
  bool all = false;
  std::chrono::seconds interval{0};

  bool operator==(const GarpExtra&) const = default;
};

/// Gratuitous ARPs (for IPv6: unsolicited neighbour advertisements) of a master.
struct GarpSettings {
  Inherited<std::chrono::seconds> master_delay{std::chrono::seconds(5)};    ///< to the second burst; 0: there is none
  Inherited<std::uint32_t> master_repeat{5};                                ///< per burst
  Inherited<std::chrono::seconds> master_refresh{std::chrono::seconds(0)};  ///< 0: no more bursts
  Inherited<std::uint32_t> master_refresh_repeat{1};
  Inherited<std::chrono::seconds> lower_prio_delay{std::chrono::seconds(5)};  ///< after a lower priority was heard
  Inherited<std::uint32_t> lower_prio_repeat{5};
  std::optional<GarpExtra> extra;

  bool operator==(const GarpSettings&) const = default;
};

/// The firewall that keeps a virtual address's packets from this host (no_accept).
struct FirewallNames {
  std::string in;
  std::string out;

  bool operator==(const FirewallNames&) const = default;
};

struct ReceiveBuffers {
  enum class Policy : std::uint8_t { system, mtu, advert, bytes };
  Policy policy = Policy::system;
  std::uint32_t bytes = 0;       ///< of Policy::bytes
  std::uint32_t multiplier = 3;  ///< of the others

  bool operator==(const ReceiveBuffers&) const = default;
};

/// Defaults of all vrrp_instances, already applied to them.
struct VrrpDefaults {
  unsigned version = 2;  ///< 2 or 3; IPv6 is always 3
  bool strict = false;
  bool skip_check_adv_addr = false;
  bool check_unicast_src = false;
  net::IpAddr mcast_group4 = net::Ipv4Addr::of(224, 0, 0, 18);
  net::IpAddr mcast_group6 = net::Ipv6Addr{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}};
  GarpSettings garp;
  Duration garp_interval{0};  ///< between gratuitous ARPs; 0: not limited
  Duration gna_interval{0};   ///< between unsolicited neighbour advertisements
  bool min_garp = false;      ///< one per burst and no second burst, where the file doesn't say otherwise
  unsigned down_timer_adverts = 3;
  bool lower_prio_no_advert = false;
  bool higher_prio_send_advert = false;
  bool owner_ignore_adverts = false;
  bool v3_checksum_as_v2 = false;
  Duration startup_delay{0};
  Duration delay_after_boot{0};
  bool log_unknown_vrids = false;
  std::string vmac_prefix = "vrrp";
  std::string vmac_addr_prefix;                    ///< empty: vmac_prefix
  std::optional<FirewallNames> iptables;           ///< vrrp_iptables
  std::optional<std::vector<std::string>> ipsets;  ///< vrrp_ipsets
  std::optional<std::string> nftables_table;       ///< nftables
  std::int32_t nftables_priority = -1;
  bool nftables_counters = false;
  bool nftables_ifindex = false;
  bool disable_local_igmp = false;
  ReceiveBuffers receive_buffers;

  bool operator==(const VrrpDefaults&) const = default;
};

/// Of one of keepalived's processes.
struct ProcessTuning {
  std::optional<int> nice;
  std::optional<unsigned> realtime_priority;  ///< SCHED_RR
  std::optional<std::uint32_t> rlimit_rttime_us;
  bool no_swap = false;
  std::vector<unsigned> cpus;  ///< empty: all
  std::string name;            ///< empty: as started

  bool operator==(const ProcessTuning&) const = default;
};

struct Processes {
  ProcessTuning vrrp;
  ProcessTuning checker;
  ProcessTuning bfd;
  std::optional<int> max_auto_priority;  ///< -1: off, and keepalived doesn't mention it
  std::optional<std::uint32_t> min_auto_priority_delay_us;
  bool names = false;  ///< process_names
  std::string name;    ///< process_name

  bool operator==(const Processes&) const = default;
};

struct SocketBuffer {
  std::optional<std::uint32_t> bytes;
  bool force = false;

  bool operator==(const SocketBuffer&) const = default;
};

struct SocketBuffers {
  SocketBuffer vrrp_command;
  SocketBuffer vrrp_monitor;
  SocketBuffer lvs_command;
  SocketBuffer lvs_monitor;
  SocketBuffer process_monitor;

  bool operator==(const SocketBuffers&) const = default;
};

struct Monitoring {
  bool snmp_vrrp = false;
  bool snmp_checker = false;
  bool snmp_rfc2 = false;
  bool snmp_rfc3 = false;
  bool snmp_traps = false;
  std::string snmp_socket;
  std::optional<Duration> snmp_vs_stats_interval;
  std::optional<Duration> snmp_rs_stats_interval;
  bool dbus = false;
  std::string dbus_service_name;
  std::string dbus_no_interface_name;

  bool operator==(const Monitoring&) const = default;
};

/// Reloading, and the files that the daemon writes.
struct FileSettings {
  std::optional<std::string> reload_check_config;  ///< the log of the check; "": none wanted
  std::string reload_time_file;                    ///< empty: none
  bool reload_repeat = false;
  std::optional<std::string> reload_file;  ///< "": keepalived.reload in the pid files' folder
  std::string config_save_dir;
  std::string tmp_config_directory;
  bool data_use_instance = false;  ///< names of dumps have the instance's name in them
  std::string state_dump_file;
  std::string stats_dump_file;
  std::string json_dump_file;
  unsigned json_version = 1;
  std::string iproute_usr_dir;
  std::string iproute_etc_dir;
  std::optional<unsigned> umask;
  std::optional<std::uint32_t> random_seed;

  bool operator==(const FileSettings&) const = default;
};

enum class DynamicInterfaces : std::uint8_t {
  no,               ///< an interface that the file names must exist
  yes,              ///< it may come later
  allow_if_changes  ///< and be of another type then
};

struct GlobalDefs {
  std::string router_id;  ///< empty: the host's name
  std::optional<std::string> script_user;
  std::optional<std::string> script_group;
  bool enable_script_security = false;
  bool use_symlink_paths = false;
  bool set_supplementary_groups = false;
  std::optional<Script> startup_script;   ///< before anything else starts
  std::optional<Script> shutdown_script;  ///< after everything else ended
  std::chrono::seconds startup_script_timeout{10};
  std::chrono::seconds shutdown_script_timeout{10};
  bool rs_init_notifies = false;
  bool checker_log_all_failures = false;  ///< already applied to the checkers
  DynamicInterfaces dynamic_interfaces = DynamicInterfaces::no;
  std::string default_interface = "eth0";  ///< of static addresses and routes that name none

  MailSettings mail;
  FifoSettings fifos;
  LvsSettings lvs;
  VrrpDefaults vrrp;
  Processes processes;
  SocketBuffers socket_buffers;
  Monitoring monitoring;
  FileSettings files;

  bool operator==(const GlobalDefs&) const = default;
};

}  // namespace sluice::control::config
