#include "control/daemon/bfd_status.h"

#include <nlohmann/json.hpp>

namespace sluice::control {

namespace {

using Json = nlohmann::ordered_json;
namespace bfd = vrrp::bfd;

double seconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1e6; }

Json errors_json(const std::array<std::uint64_t, bfd::receive_errors>& errors) {
  Json counts = Json::object();
  for (std::size_t i = 0; i < errors.size(); ++i) counts[std::string(bfd::receive_error_names[i])] = errors[i];
  return counts;
}

Json session_json(const BfdSessionStatus& session) {
  const auto changed = std::chrono::duration_cast<std::chrono::seconds>(session.last_change.time_since_epoch());
  return {{"name", session.name},
          {"neighbor", session.neighbor.text()},
          {"source", session.source ? session.source->text() : ""},
          {"multihop", session.multihop},
          {"passive", session.passive},
          {"state", bfd::to_string(session.state)},
          {"diagnostic", bfd::to_string(session.diagnostic)},
          {"remote_state", bfd::to_string(session.remote_state)},
          {"remote_diagnostic", bfd::to_string(session.remote_diagnostic)},
          {"discriminator", session.discriminator},
          {"remote_discriminator", session.remote_discriminator},
          {"transmit_interval_s", seconds(session.transmit_interval)},
          {"detection_time_s", seconds(session.detection_time)},
          {"polling", session.polling},
          {"in_state_s", seconds(session.in_state)},
          {"last_change_unix_s", changed.count()},
          {"ttl", session.ttl},
          {"ttl_min", session.ttl_min},
          {"local",
           {{"min_tx_s", seconds(session.min_tx)},
            {"min_rx_s", seconds(session.min_rx)},
            {"multiplier", session.detect_mult}}},
          {"remote",
           {{"min_tx_s", seconds(session.remote_min_tx)},
            {"min_rx_s", seconds(session.remote_min_rx)},
            {"multiplier", session.remote_detect_mult}}},
          {"counters",
           {{"sent", session.counters.sent},
            {"received", session.counters.received},
            {"times_up", session.counters.times_up},
            {"times_down", session.counters.times_down},
            {"expired", session.counters.expired}}},
          {"errors", errors_json(session.errors)}};
}

}  // namespace

std::string bfd_json(const BfdStatus& status) {
  Json sessions = Json::array();
  for (const BfdSessionStatus& session : status.sessions) sessions.push_back(session_json(session));
  return Json{{"bfd_instances", std::move(sessions)}, {"errors", errors_json(status.errors)}}.dump();
}

}  // namespace sluice::control
