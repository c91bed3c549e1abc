#include "control/daemon/bfd_dump.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::control {

namespace {

namespace bfd = vrrp::bfd;

std::string session_text(const BfdSessionStatus& session) {
  std::string text = fmt::format(" BFD Instance = {}\n   Neighbor IP = {}\n", session.name, session.neighbor.text());
  const auto line = [&](std::string_view name, const auto& value) { text += fmt::format("   {} = {}\n", name, value); };
  const auto micros = [&](std::string_view name, std::chrono::microseconds value) {
    text += fmt::format("   {} = {} us\n", name, value.count());
  };
  const auto yes = [](bool value) { return value ? "Yes" : "No"; };
  if (session.source) line("Source IP", session.source->text());
  micros("Required min RX interval", session.min_rx);
  micros("Desired min TX interval", session.min_tx);
  micros("Desired idle TX interval", session.idle_tx);
  line("Detection multiplier", session.detect_mult);
  line(session.neighbor.is_v6() ? "hoplimit" : "TTL", session.ttl);
  line("max_hops", session.max_hops);
  line("passive", session.passive);
  line("send event to VRRP process", yes(session.for_vrrp));
  line("send event to checker process", yes(session.for_checkers));
  line("local state", bfd::to_string(session.state));
  line("remote state", bfd::to_string(session.remote_state));
  line("local discriminator", fmt::format("{:#x}", session.discriminator));
  line("remote discriminator", fmt::format("{:#x}", session.remote_discriminator));
  line("local diag", bfd::to_string(session.diagnostic));
  line("remote diag", bfd::to_string(session.remote_diagnostic));
  micros("remote min tx intv", session.remote_min_tx);
  micros("remote min rx intv", session.remote_min_rx);
  line("remote detect multiplier", session.remote_detect_mult);
  text += session.polling ? "   poll, !final\n" : "   !poll, !final\n";
  micros("local tx intv", session.transmit_interval);
  micros("local detection time", session.detection_time);
  return text;
}

}  // namespace

std::string bfd_data_text(const BfdStatus& status) {
  if (status.sessions.empty()) return "";
  std::string text = "------< BFD Topology >------\n";
  for (const BfdSessionStatus& session : status.sessions) text += session_text(session);
  return text;
}

}  // namespace sluice::control
