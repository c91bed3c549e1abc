#include "control/pools/from_config.h"

#include <utility>

#include "control/pools/script_resolver.h"

namespace sluice::control {

using std::chrono::milliseconds;

namespace {

milliseconds rounded_up(config::Duration duration) { return std::chrono::ceil<milliseconds>(duration); }

health::Connect connect_from(const config::CheckerCommon& common) {
  health::Connect connect;
  connect.address = common.connect_ip;
  connect.port = common.connect_port;
  connect.bind_address = common.bindto;
  connect.timeout = rounded_up(common.connect_timeout);
  return connect;
}

health::TcpCheckSpec check_from(const config::TcpCheck& check) { return {connect_from(check.common)}; }

health::HttpGetSpec check_from(const config::HttpGet& check) {
  health::HttpGetSpec spec;
  spec.connect = connect_from(check.common);
  for (const config::Url& url : check.urls) {
    health::UrlSpec one{.path = url.path, .virtual_host = url.virtualhost, .status_codes = {}};
    for (const config::StatusRange& range : url.statuses) {
      one.status_codes.push_back({static_cast<std::uint16_t>(range.first), static_cast<std::uint16_t>(range.last)});
    }
    one.digest = health::parse_md5(url.digest);
    spec.urls.push_back(std::move(one));
  }
  switch (check.http_protocol) {
    case config::HttpProtocol::http_1_0: spec.version = health::HttpVersion::http_1_0; break;
    case config::HttpProtocol::http_1_0_close: spec.version = health::HttpVersion::http_1_0_close; break;
    case config::HttpProtocol::http_1_1: spec.version = health::HttpVersion::http_1_1; break;
  }
  spec.fast_recovery = check.fast_recovery;
  return spec;
}

CheckerSetup checker_from(const config::Checker& checker) {
  return std::visit(
      [](const auto& check) {
        const config::CheckerCommon& common = check.common;
        health::CheckerSpec spec;
        spec.what = check_from(check);
        spec.timings = {rounded_up(common.delay_loop), rounded_up(common.delay_before_retry), common.retry};
        spec.warmup = rounded_up(common.warmup);
        spec.starts_up = !common.alpha;
        return CheckerSetup{std::move(spec), common.log_all_failures};
      },
      checker);
}

RealServerSpec server_from(const config::RealServer& server, ScriptResolver& scripts) {
  RealServerSpec spec;
  spec.destination = {.key = {server.address, server.port},
                      .method = server.method,
                      .weight = server.weight,
                      .upper_threshold = server.upper_threshold,
                      .lower_threshold = server.lower_threshold};
  spec.inhibit_on_failure = server.inhibit_on_failure;
  spec.notify_up = scripts.resolve(server.notify_up);
  spec.notify_down = scripts.resolve(server.notify_down);
  spec.checkers.reserve(server.checkers.size());
  for (const config::Checker& checker : server.checkers) spec.checkers.push_back(checker_from(checker));
  return spec;
}

PoolSpec pool_from(const config::VirtualServer& server, const config::GlobalDefs& global, ScriptResolver& scripts) {
  PoolSpec spec;
  spec.services = {
      {.key = server.key, .scheduler = server.scheduler, .sh_fallback = server.sh_fallback, .sh_port = server.sh_port}};
  spec.protocol = server.key.protocol;
  spec.servers.reserve(server.real_servers.size());
  for (const config::RealServer& real : server.real_servers) spec.servers.push_back(server_from(real, scripts));
  if (server.sorry_server) {
    const config::SorryServer& sorry = *server.sorry_server;
    spec.sorry_server = DestinationSpec{.key = {sorry.endpoint.address, sorry.endpoint.port}, .method = sorry.method};
    spec.sorry_server_inhibit = sorry.inhibit;
  }
  spec.quorum = server.quorum;
  spec.hysteresis = server.hysteresis;
  spec.quorum_up = scripts.resolve(server.quorum_up);
  spec.quorum_down = scripts.resolve(server.quorum_down);
  spec.notify_up_at_start = global.rs_init_notifies;
  spec.notify_down_at_stop = server.omega;
  return spec;
}

}  // namespace

PoolsFromConfig pools_from(const config::Config& config) {
  PoolsFromConfig result;
  ScriptResolver scripts(config.global, result.complaints);
  for (const config::VirtualServer& server : config.virtual_servers) {
    result.pools.push_back(pool_from(server, config.global, scripts));
  }
  return result;
}

}  // namespace sluice::control
