// Writing a whole configuration; see print.h. The order is one in which everything stands before its use.
#include "control/config/print.h"

#include "control/config/keywords.h"

namespace sluice::control::config {

namespace {

std::string written(std::unique_ptr<Writer> writer, const Config& config) {
  write_dataplane(*writer, config);
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
  list_dataplane("dataplane", all);
  list_ssl("SSL", all);
  list_virtual_server_group("virtual_server_group", all);
  list_virtual_server("virtual_server", all);
  return all;
}

}  // namespace sluice::control::config
