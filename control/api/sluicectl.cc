// sluicectl: asks a running sluiced over its control socket and prints the answer, as a table or as JSON.
// Exit status: 0 answered, 1 not answered (for reload and diff also: the file has errors), 2 not understood.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "control/api/client.h"
#include "control/api/request.h"
#include "control/api/server.h"
#include "control/api/sluicectl/config_command.h"
#include "control/api/sluicectl/genhash.h"
#include "control/api/tables.h"

namespace {

namespace api = sluice::control::api;
namespace config = sluice::control::config;

constexpr int exit_not_answered = 1;
constexpr int exit_not_understood = 2;

int print(const sluice::Result<std::string>& text) {
  if (!text) {
    std::fprintf(stderr, "sluicectl: %s\n", text.error().text().c_str());
    return exit_not_answered;
  }
  std::fwrite(text->data(), 1, text->size(), stdout);
  // A closed pipe (`| head`) is no failure worth words, a full disk is one.
  return std::fflush(stdout) == 0 ? 0 : exit_not_answered;
}

std::string standard_input() {
  std::string text;
  char part[65536];
  for (std::size_t n; (n = std::fread(part, 1, sizeof part, stdin)) > 0;) text.append(part, n);
  return text;
}

/// FILE's differences from what runs. The daemon reads it, as its includes are the daemon's to find.
sluice::Result<std::string> ask_diff(const std::string& socket, const std::string& file) {
  if (file == "-") return api::post(socket, "/diff", standard_input());
  std::error_code ignored;
  const auto path = std::filesystem::absolute(file, ignored);
  return api::get(socket, "/diff?file=" + api::percent_encoded(path.string()), std::chrono::minutes(2));
}

int print_changes(const std::string& answer, const char* refusal) {
  const auto report = api::changes(answer);
  if (!report) return print(std::unexpected(report.error()));
  std::fputs(report->complaints.c_str(), stderr);
  if (!report->ok) {
    std::fprintf(stderr, "sluicectl: %s\n", refusal);
    return exit_not_answered;
  }
  return print(report->changes);
}

}  // namespace

int main(int argc, char** argv) {
  // Its options are genhash's, not ours.
  if (argc > 1 && std::string_view(argv[1]) == "genhash") {
    return api::genhash_main("sluicectl genhash", {argv + 2, argv + argc});
  }
  CLI::App app("Shows what a running sluiced does: its services, its connections, its counters.", "sluicectl");
  std::string socket = api::default_socket_path;
  bool json = false;
  bool all = false;
  std::size_t limit = 10'000;
  app.add_option("--socket", socket, "The daemon's control socket")->capture_default_str();
  app.add_flag("--json", json, "Print the daemon's answer as JSON");
  app.require_subcommand(1);
  app.fallthrough();

  const auto* services = app.add_subcommand(
      "services", "Virtual servers and their real servers, as `ipvsadm -L -n` shows them, with health");
  auto* health =
      app.add_subcommand("health", "Checkers: what each last said, when it asks again, how often it changed");
  bool failing = false;
  health->add_flag("-f,--failing", failing, "Show those only that fail");
  auto* connections = app.add_subcommand("connections", "The connection table, as `ipvsadm -L -n -c` shows it");
  connections->add_option("--limit", limit, "Print at most so many")->capture_default_str();
  auto* stats = app.add_subcommand("stats", "Packets, drops, flows and time per packet, by worker");
  stats->add_flag("--all", all, "Show drop reasons that never happened too");
  auto* vrrp = app.add_subcommand("vrrp", "VRRP: who is master, since when, and why");
  vrrp->add_flag("-a,--all", all, "Show timers, tracked things, counters and addresses too");
  auto* bfd = app.add_subcommand("bfd", "BFD: which neighbors are reached, how fast a loss is noticed");
  bfd->add_flag("-a,--all", all, "Show both sides' intervals, discriminators and counters too");
  std::string virtual_server, real_server, weight;
  const auto maintenance = [&](const char* name, const char* what) {
    auto* command = app.add_subcommand(name, what);
    command->add_option("service", virtual_server, "As 10.0.0.1:80, 10.0.0.1:53/udp, 'FWM 5' or the log's name for it")
        ->type_name("SERVICE")
        ->required();
    command->add_option("server", real_server, "As 10.0.2.11:80, or its address alone")
        ->type_name("SERVER")
        ->required();
    return command;
  };
  const auto* drain = maintenance("drain", "No new connections for SERVER until it is enabled, over reloads too");
  const auto* enable = maintenance("enable", "SERVER's configured weight again");
  auto* weigh = maintenance("weight", "SERVER's weight until it is enabled, over reloads too");
  weigh->add_option("weight", weight, "0 drains it")->type_name("N")->required();
  const auto* reload = app.add_subcommand("reload", "Read the configuration again, and say what has changed by it");
  auto* diff = app.add_subcommand("diff", "What would change if FILE were the configuration; changes nothing");
  std::string file;
  diff->add_option("file", file, "A configuration; - reads it from standard input")->type_name("FILE")->required();

  auto* effective = app.add_subcommand(
      "config", "The configuration that the daemon runs, or what FILE means: whole, with defaults, as FILE's language");
  effective->add_option("file", file, "A configuration; no daemon is asked")->type_name("FILE");
  config::ParseOptions options;
  effective->add_option("-i,--config-id", options.config_id, "Decides lines that begin with @ID; else the host's name")
      ->type_name("ID");
  app.add_subcommand("genhash", "The digest of a web page, for HTTP_GET (sluicectl genhash -h)");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : exit_not_understood;
  }

  if (effective->parsed()) {
    return file.empty() ? api::print_running_config(socket, json) : api::print_config(file, options, json);
  }
  if (drain->parsed() || enable->parsed() || weigh->parsed()) {
    return print(api::post(socket,
                           "/weight?virtual_server=" + api::percent_encoded(virtual_server) +
                               "&real_server=" + api::percent_encoded(real_server) +
                               "&weight=" + (drain->parsed() ? "0" : api::percent_encoded(weight)),
                           ""));
  }
  if (reload->parsed() || diff->parsed()) {
    const auto answer = reload->parsed() ? api::post(socket, "/reload", "") : ask_diff(socket, file);
    if (!answer) return print(answer);
    if (json) return print(api::indented(*answer));
    return print_changes(*answer,
                         reload->parsed() ? "not reloaded: what ran before runs on" : "a reload would be refused");
  }
  const std::string target = services->parsed()      ? "/services"
                             : health->parsed()      ? "/health"
                             : vrrp->parsed()        ? "/vrrp"
                             : bfd->parsed()         ? "/bfd"
                             : connections->parsed() ? "/connections?limit=" + std::to_string(limit)
                                                     : "/stats";
  const auto answer = api::get(socket, target);
  if (!answer) return print(answer);
  if (json) return print(api::indented(*answer));
  if (services->parsed()) return print(api::services_table(*answer));
  if (health->parsed()) return print(api::health_table(*answer, failing));
  if (vrrp->parsed()) return print(api::vrrp_table(*answer, all));
  if (bfd->parsed()) return print(api::bfd_table(*answer, all));
  if (connections->parsed()) return print(api::connections_table(*answer));
  return print(api::stats_table(*answer, all));
}
