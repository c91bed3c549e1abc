// sluicectl: asks a running sluiced over its control socket and prints the answer, as a table or as JSON.
// Exit status: 0 answered, 1 not answered, 2 not understood.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "control/api/client.h"
#include "control/api/server.h"
#include "control/api/tables.h"

namespace {

namespace api = sluice::control::api;

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

}  // namespace

int main(int argc, char** argv) {
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
  auto* connections = app.add_subcommand("connections", "The connection table, as `ipvsadm -L -n -c` shows it");
  connections->add_option("--limit", limit, "Print at most so many")->capture_default_str();
  auto* stats = app.add_subcommand("stats", "Packets, drops, flows and time per packet, by worker");
  stats->add_flag("--all", all, "Show drop reasons that never happened too");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : exit_not_understood;
  }

  const std::string target = services->parsed()      ? "/services"
                             : connections->parsed() ? "/connections?limit=" + std::to_string(limit)
                                                     : "/stats";
  const auto answer = api::get(socket, target);
  if (!answer) return print(answer);
  if (json) return print(api::indented(*answer));
  if (services->parsed()) return print(api::services_table(*answer));
  if (connections->parsed()) return print(api::connections_table(*answer));
  return print(api::stats_table(*answer, all));
}
