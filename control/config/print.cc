// Writing a whole configuration; see print.h. The order is one in which everything stands before its use.
#include "control/config/print.h"

#include "control/config/keywords.h"

namespace sluice::control::config {

namespace {

std::string written(std::unique_ptr<Writer> writer, const Config& config) {
  write_global_defs(*writer, config);
  write_process_settings(*writer, config);
  write_dataplane(*writer, config);
  write_track_groups(*writer, config);
  write_static_network(*writer, config);
  write_garp_groups(*writer, config);
  write_vrrp_scripts(*writer, config);
  write_track_files(*writer, config);
  write_track_processes(*writer, config);
  write_bfd_instances(*writer, config);
  write_vrrp_instances(*writer, config);
  write_vrrp_sync_groups(*writer, config);
  write_ssl(*writer, config);
  write_virtual_server_groups(*writer, config);
  write_virtual_servers(*writer, config);
  return writer->text();
}

}  // namespace

std::string to_text(const Config& config) { return written(make_text_writer(), config); }

std::string to_json(const Config& config) { return written(make_json_writer(), config); }

std::vector<KeywordInfo> all_keywords() {
  std::vector<KeywordInfo> all;
  list_global_defs("global_defs", all);
  list_process_settings("", all);
  list_dataplane("dataplane", all);
  list_track_group("track_group", all);
  list_garp_group("garp_group", all);
  list_vrrp_script("vrrp_script", all);
  list_track_file("track_file", all);
  list_track_process("vrrp_track_process", all);
  list_bfd_instance("bfd_instance", all);
  list_vrrp_instance("vrrp_instance", all);
  list_vrrp_sync_group("vrrp_sync_group", all);
  list_ssl("SSL", all);
  list_virtual_server_group("virtual_server_group", all);
  list_virtual_server("virtual_server", all);
  return all;
}

}  // namespace sluice::control::config
