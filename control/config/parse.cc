// The top level: which blocks there are, in which order they are read, and what is checked once all of them are known.
#include "control/config/parse.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include "control/config/file.h"
#include "control/config/keywords.h"

namespace sluice::control::config {

namespace {

struct TopLevel {};
using T = TopLevel;

void global_defs(Context&, const Statement&, T&) {}  // was read before everything else
template <void (*read)(Context&, const Statement&)>
void block(Context& context, const Statement& statement, T&) {
  read(context, statement);
}

constexpr auto keywords = std::to_array<Keyword<T>>({
    {"global_defs", global_defs, nullptr, Shape::block, 0},
    {"virtual_server", block<read_virtual_server>, nullptr, Shape::block, 0},
    {"dataplane", block<read_dataplane>, nullptr, Shape::block, 0},
    {"vrrp_instance", block<read_vrrp_instance>, nullptr, Shape::block, 0},
    {"vrrp_script", block<read_vrrp_script>, nullptr, Shape::block, 0},
    {"vrrp_sync_group", block<read_vrrp_sync_group>, nullptr, Shape::block, 0},
    {"virtual_server_group", block<read_virtual_server_group>, nullptr, Shape::block, 2},
    {"vrrp_track_process", block<read_track_process>, nullptr, Shape::block, 0},
    Keyword<T>{"track_file", block<read_track_file>, nullptr, Shape::block, 0}.alias("vrrp_track_file"),
    {"track_file", block<read_track_file>, nullptr, Shape::block, 0},
    {"track_group", block<read_track_group>, nullptr, Shape::block, 0},
    {"bfd_instance", block<read_bfd_instance>, nullptr, Shape::block, 0},
    {"garp_group", block<read_garp_group>, nullptr, Shape::block, 0},
    {"static_ipaddress", block<read_static_ipaddress>, nullptr, Shape::block, 0},
    {"static_routes", block<read_static_routes>, nullptr, Shape::block, 0},
    {"static_rules", block<read_static_rules>, nullptr, Shape::block, 0},
    {"linkbeat_interfaces", block<read_process_setting>, nullptr, Shape::block, 0},
    {"interface_up_down_delays", block<read_process_setting>, nullptr, Shape::block, 0},
    {"SSL", block<read_ssl>, nullptr, Shape::block, 1},
    {"linkbeat_use_polling", block<read_process_setting>, nullptr, Shape::line, 0},
    {"net_namespace", block<read_process_setting>, nullptr, Shape::line, 0},
    {"net_namespace_ipvs", block<read_process_setting>, nullptr, Shape::line, 0},
    {"namespace_with_ipsets", block<read_process_setting>, nullptr, Shape::line, 0},
    {"use_pid_dir", block<read_process_setting>, nullptr, Shape::line, 0},
    {"instance", block<read_process_setting>, nullptr, Shape::line, 0},
    {"child_wait_time", block<read_process_setting>, nullptr, Shape::line, 0},
});

/// A bare name is searched in PATH, as keepalived does for vrrp_script.
bool is_runnable(const std::string& path) {
  if (path.find('/') != std::string::npos) return access(path.c_str(), X_OK) == 0;
  const char* const variable = std::getenv("PATH");
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    if (!folder.empty() && access((std::string(folder) + "/" + path).c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// keepalived warns, and -t answers 6, when a script that exists would run and enable_script_security isn't set.
void check_script_security(Context& context) {
  if (context.config.global.enable_script_security) return;
  for (const ScriptUse& script : context.scripts) {
    if (!script.vrrp_script.empty() && !context.tracked_scripts.contains(script.vrrp_script)) continue;
    if (!is_runnable(script.path)) continue;
    context.diagnostics.add(Severity::warning, script.place,
                            fmt::format("script {} will run without enable_script_security, expected that in "
                                        "global_defs",
                                        quoted(script.path)),
                            exit_status_security);
    return;
  }
}

/// A main file, read.
struct Text {
  std::string name;
  std::shared_ptr<const std::string> bytes;
};

ParseOutcome parse(const std::vector<Text>& texts, const ParseOptions& options) {
  ParseOutcome outcome;
  Diagnostics diagnostics;
  std::vector<std::uint32_t> files;
  for (const Text& text : texts) files.push_back(diagnostics.add_file(text.name, text.bytes));
  if (texts.size() > 1) {
    diagnostics.warning({files.front(), 0, 0},
                        fmt::format("{} files match, all of them are read, expected one", texts.size()));
  }
  Lexer lexer(diagnostics, std::move(files), options);
  BlockReader blocks(lexer, diagnostics);

  Context context{diagnostics, outcome.config};
  // Its values are defaults for what other blocks say, wherever it stands; several of them merge.
  for (const auto* head = &blocks.next_head("global_defs"); !head->empty(); head = &blocks.next_head("global_defs")) {
    note_vrrp_definitions(context, *head);
    if (head->front().keyword() == "global_defs") read_global_defs(context, head->front());
  }
  blocks.rewind();
  T top;
  for (const auto* next = &blocks.next(); !next->empty(); next = &blocks.next()) {
    apply<T>(context, keywords, "", *next, top);
  }
  settle_vrrp(context);
  if (options.interfaces) check_interfaces(context, *options.interfaces);
  resolve_virtual_servers(context);
  check_script_security(context);
  diagnostics.finish(outcome);
  return outcome;
}

}  // namespace

ParseOutcome parse_text(std::string_view text, const std::string& file_name, const ParseOptions& options) {
  return parse({{file_name, std::make_shared<const std::string>(text)}}, options);
}

Result<ParseOutcome> parse_file(const std::string& path, const ParseOptions& options) {
  auto found = read_config_files(path);
  if (!found) return std::unexpected(found.error());
  std::vector<Text> texts;
  for (auto& [name, bytes] : *found) texts.push_back({name, std::make_shared<const std::string>(std::move(bytes))});
  return parse(texts, options);
}

int test_exit_status(const ParseOutcome& outcome) {
  int status = exit_status_clean;
  for (const Complaint& complaint : outcome.complaints) {
    if (complaint.exit_status == exit_status_fatal) return exit_status_fatal;
    status = std::max(status, complaint.exit_status);
  }
  return status;
}

}  // namespace sluice::control::config
