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
    {"vrrp_track_process", nullptr, nullptr, Shape::block},
    {"vrrp_track_file", nullptr, nullptr, Shape::block},
    {"track_file", nullptr, nullptr, Shape::block},
    {"track_group", nullptr, nullptr, Shape::block},
    {"bfd_instance", nullptr, nullptr, Shape::block},
    {"garp_group", nullptr, nullptr, Shape::block},
    {"static_ipaddress", nullptr, nullptr, Shape::block},
    {"static_routes", nullptr, nullptr, Shape::block},
    {"static_rules", nullptr, nullptr, Shape::block},
    {"linkbeat_interfaces", nullptr, nullptr, Shape::block},
    {"interface_up_down_delays", nullptr, nullptr, Shape::block},
    {"SSL", block<read_ssl>, nullptr, Shape::block, 1},
    {"linkbeat_use_polling"},
    {"net_namespace"},
    {"net_namespace_ipvs"},
    {"namespace_with_ipsets"},
    {"use_pid_dir"},
    {"instance"},
    {"child_wait_time"},
    {"reload_repeat"},
    {"reload_time_file"},
    {"random_seed"},
    {"config_save_dir"},
    {"max_auto_priority"},
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
    if (head->front().keyword() == "global_defs") read_global_defs(context, head->front());
  }
  blocks.rewind();
  T top;
  for (const auto* next = &blocks.next(); !next->empty(); next = &blocks.next()) {
    apply<T>(context, keywords, "", *next, top);
  }
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
