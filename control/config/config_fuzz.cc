// libFuzzer target: any bytes are a configuration. Checks what later code relies on, that CRLF line ends mean the same
// as LF, and that the configuration, printed and read again, is the same. Included files are not followed: the fuzzer
// must depend on its input alone.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "control/config/lexer.h"
#include "control/config/parse.h"
#include "control/config/print.h"

namespace {

using namespace sluice::control::config;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const Config& config) {
  for (const VirtualServer& vs : config.virtual_servers) {
    require(!vs.real_servers.empty() || vs.sorry_server);
    require(vs.delay_loop.value.count() > 0);
    for (const RealServer& rs : vs.real_servers) {
      for (const Checker& checker : rs.checkers) {
        const CheckerCommon& common = common_of(checker);
        require(common.delay_loop.value.count() > 0);
        require(common.warmup.value.count() >= 0 && common.delay_before_retry.value.count() >= 0);
        if (const auto* get = std::get_if<HttpGet>(&checker)) {
          for (const Url& url : get->urls) require(!url.path.empty());
        }
      }
      for (const auto* script : {&rs.notify_up, &rs.notify_down}) require(!*script || !(*script)->argv.empty());
    }
  }
  for (const VrrpInstance& vi : config.vrrp_instances) {
    require(vi.virtual_router_id >= 1 && vi.virtual_router_id <= 255 && vi.priority >= 1 && vi.priority <= 255);
    require(vi.advert_int.count() > 0 && (vi.version == 2 || vi.version == 3));
    require(!vi.interface.empty() || !vi.unicast_peers.empty());
    for (const InterfaceAddress& address : vi.addresses) require(address.address.is_v6() == vi.is_v6);
  }
  require(config.dataplane.connections >= connections_min && config.dataplane.connections <= connections_max);
}

/// Lines that the language has no room for: a value grows when it is quoted, and a word that says `${` or `include` can
/// only come about by substitution.
bool can_be_written(std::string_view printed) {
  if (printed.find("${") != std::string_view::npos || printed.find("include") != std::string_view::npos) return false;
  for (std::size_t at = 0; at < printed.size();) {
    const std::size_t end = std::min(printed.find('\n', at), printed.size());
    if (end - at > line_bytes_max) return false;
    at = end + 1;
  }
  return true;
}

void check_round_trip(const Config& config, const ParseOptions& options) {
  const std::string printed = to_text(config);
  if (!can_be_written(printed)) return;
  const ParseOutcome again = parse_text(printed, "printed.conf", options);
  require(again.config == config);
  require(to_text(again.config) == printed);
  require(!to_json(config).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ParseOptions options;
  options.config_id = "director1";
  options.follow_includes = false;
  const ParseOutcome outcome = parse_text(text, "fuzz.conf", options);
  check(outcome.config);
  check_round_trip(outcome.config, options);
  for (const Complaint& complaint : outcome.complaints) {
    for (const char c : complaint.text()) require(c >= 0x20 && c < 0x7f);
  }

  std::string crlf;
  for (const char c : text) {
    if (c == '\n') crlf += '\r';
    crlf += c;
  }
  const ParseOutcome other = parse_text(crlf, "fuzz.conf", options);
  require(other.config == outcome.config);
  require(test_exit_status(other) == test_exit_status(outcome));
  return 0;
}
