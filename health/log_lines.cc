#include "health/log_lines.h"

#include <fmt/format.h>

namespace sluice::health {

namespace {

struct UpLine {
  const CheckedNames& names;
  std::string operator()(const TcpCheckSpec&) const {
    return fmt::format("TCP connection to {} success.", names.server);
  }
  std::string operator()(const HttpGetSpec&) const {
    return fmt::format("Remote Web server {} succeed on service.", names.server);
  }
  std::string operator()(const DnsCheckSpec&) const { return fmt::format("DNS_CHECK ({}) success", names.server); }
  std::string operator()(const UdpCheckSpec&) const {
    return fmt::format("UDP connection to {} success.", names.server);
  }
  std::string operator()(const PingCheckSpec&) const {
    return fmt::format("ICMP connection to {} success.", names.server);
  }
  std::string operator()(const SmtpCheckSpec&) const {
    return fmt::format("Remote SMTP server {} succeed on service.", names.server);
  }
};

/// One failed probe, without its reason.
struct FailureLine {
  const CheckedNames& names;
  std::string operator()(const TcpCheckSpec&) const {
    return fmt::format("TCP connection to {} failed.", names.server);
  }
  std::string operator()(const HttpGetSpec& http) const {
    return fmt::format("{} request to {} failed.", http.tls ? "HTTPS" : "HTTP", names.server);
  }
  std::string operator()(const DnsCheckSpec&) const { return fmt::format("DNS_CHECK ({}) failed.", names.server); }
  std::string operator()(const UdpCheckSpec&) const {
    return fmt::format("UDP connection to {} failed.", names.server);
  }
  std::string operator()(const PingCheckSpec&) const {
    return fmt::format("ICMP connection to {} failed.", names.server);
  }
  std::string operator()(const SmtpCheckSpec&) const {
    return fmt::format("SMTP_CHECK of server {} failed.", names.server);
  }
};

std::string after(std::uint32_t retries) {
  return retries == 0 ? std::string() : fmt::format(" after {} retries", retries);
}

}  // namespace

std::string up_line(const CheckerSpec& spec, const CheckedNames& names) { return std::visit(UpLine{names}, spec.what); }

std::string down_line(const CheckerSpec& spec, const CheckedNames& names, std::uint32_t retries,
                      const std::string& reason) {
  return fmt::format("{} on service {} failed{}. ({})", log_name(spec), names.server, after(retries), reason);
}

std::string failure_line(const CheckerSpec& spec, const CheckedNames& names, const std::string& reason) {
  return fmt::format("{} ({})", std::visit(FailureLine{names}, spec.what), reason);
}

}  // namespace sluice::health
