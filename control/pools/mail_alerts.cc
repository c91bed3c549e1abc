#include "control/pools/mail_alerts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::control {

namespace {

constexpr std::string_view shutting_down = "=> Shutting down <=";

/// How keepalived mails of one kind of checker. {}: the probe's reason, where it has a place.
struct CheckerWords {
  std::string_view log_name;
  std::string_view up;
  std::string_view down;
};

constexpr std::array checker_words = {
    CheckerWords{"TCP_CHECK", "TCP CHECK succeed on service", "TCP CHECK failed on service"},
    CheckerWords{"HTTP_CHECK", "CHECK succeed on service", "CHECK failed on service : HTTP request failed"},
    CheckerWords{"SSL_CHECK", "CHECK succeed on service", "CHECK failed on service : SSL request failed"},
    CheckerWords{"SMTP_CHECK", "CHECK succeed on service", "CHECK failed on service : {}"},
    CheckerWords{"DNS_CHECK", "DNS_CHECK: succeed on service", "DNS_CHECK: failed on service"},
    CheckerWords{"UDP_CHECK", "UDP CHECK succeed on service", "UDP CHECK failed on service"},
    CheckerWords{"ICMP CHECK", "ICMP CHECK succeed on service", "ICMP CHECK failed on service"},
    CheckerWords{"MISC_CHECK", "MISC CHECK succeeded on service", "MISC CHECK failed on service"},
};

std::string body_of(const health::CheckerSpec& checker, bool up, const std::string& reason) {
  if (!up && std::holds_alternative<health::MiscCheckSpec>(checker.what) && reason == "timed out") {
    return "=> MISC CHECK timed out on service <=";
  }
  const std::string_view log_name = health::log_name(checker);
  const auto* known = std::ranges::find(checker_words, log_name, &CheckerWords::log_name);
  if (known == checker_words.end()) return fmt::format("=> {} {} on service <=", log_name, up ? "succeeded" : "failed");
  const auto* smtp = std::get_if<health::SmtpCheckSpec>(&checker.what);
  return fmt::format("=> {} <=", fmt::format(fmt::runtime(up ? known->up : known->down),
                                             smtp != nullptr ? health::smtp_failure(*smtp, reason) : reason));
}

Alert server_alert(const health::CheckedNames& names, bool up, std::string body) {
  return {fmt::format("Realserver {} of virtual server {} - {}", names.server, names.service, up ? "UP" : "DOWN"),
          std::move(body)};
}

Alert service_alert(std::string_view service, bool up, std::string body) {
  return {fmt::format("Virtualserver {} - {}", service, up ? "UP" : "DOWN"), std::move(body)};
}

/// keepalived 2.2.7 writes "3+1=2 <= 1" of a quorum that is lost, too: filters know it so.
std::string sum_of(std::string_view what, const auto& quorum, std::uint64_t wanted) {
  return fmt::format("=> {} {}+{}={} <= {} <=", what, quorum.quorum, quorum.hysteresis, wanted, quorum.weight_sum);
}

}  // namespace

Alert checker_alert(const health::CheckerSpec& checker, const health::CheckedNames& names, bool server_is_up,
                    bool checker_is_up, const std::string& reason) {
  return server_alert(names, server_is_up, body_of(checker, checker_is_up, reason));
}

Alert server_gone_alert(const health::CheckedNames& names, bool stopping) {
  return server_alert(names, false, std::string(stopping ? shutting_down : "=> Removing <="));
}

Alert quorum_alert(std::string_view service, const health::QuorumUp& quorum) {
  return service_alert(service, true,
                       sum_of(quorum.at_start ? "Starting with quorum up" : "Gained quorum", quorum,
                              std::uint64_t{quorum.quorum} + quorum.hysteresis));
}

Alert quorum_alert(std::string_view service, const health::QuorumDown& quorum) {
  return service_alert(
      service, false,
      sum_of(quorum.at_start ? "Starting with quorum down" : "Lost quorum", quorum,
             quorum.at_start ? std::uint64_t{quorum.quorum} + quorum.hysteresis : quorum.quorum - quorum.hysteresis));
}

Alert service_gone_alert(std::string_view service) { return service_alert(service, false, std::string(shutting_down)); }

}  // namespace sluice::control
