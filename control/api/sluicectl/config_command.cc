#include "control/api/sluicectl/config_command.h"

#include <cstdio>
#include <string_view>

#include "control/api/client.h"
#include "control/config/print.h"

namespace sluice::control::api {

namespace {

int write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

int complain(const std::string& text) {
  std::fprintf(stderr, "sluicectl: %s\n", text.c_str());
  return 1;
}

}  // namespace

int print_config(const std::string& file, const config::ParseOptions& options, bool json) {
  const auto outcome = config::parse_file(file, options);
  if (!outcome) return complain(outcome.error().text());
  for (const config::Complaint& complaint : outcome->complaints) std::fputs(config::render(complaint).c_str(), stderr);
  return write(json ? config::to_json(outcome->config) : config::to_text(outcome->config));
}

int print_running_config(const std::string& socket, bool json) {
  const auto answer = get(socket, "/config");
  if (!answer) return complain(answer.error().text());
  if (!json) return write(*answer);
  // What the daemon printed is its whole configuration: it needs no includes, and no name of a host.
  config::ParseOptions options;
  options.follow_includes = false;
  return write(config::to_json(config::parse_text(*answer, socket, options).config));
}

}  // namespace sluice::control::api
