#include "health/log_lines.h"

#include <fmt/format.h>

namespace sluice::health {

namespace {

std::string misc_line(const MiscCheckSpec& misc, const CheckedNames& names, std::string_view verb) {
  return fmt::format("Misc check for [{} VS {}] by [{}] {}", names.server, names.service,
                     misc.script.argv.empty() ? std::string() : misc.script.argv.front(), verb);
}

std::string after(std::uint32_t retries) {
  return retries == 0 ? std::string() : fmt::format(" after {} retries", retries);
}

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
  std::string operator()(const MiscCheckSpec& misc) const { return misc_line(misc, names, "succeeded") + "."; }
  std::string operator()(const FileCheckSpec& file) const {
    return fmt::format("FILE_CHECK {} on service {} succeeded.", file.file, names.server);
  }
  std::string operator()(const BfdCheckSpec& bfd) const {
    return fmt::format("BFD_CHECK {} on service {} succeeded.", bfd.session, names.server);
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
  std::string operator()(const MiscCheckSpec& misc) const { return misc_line(misc, names, "failed"); }
  std::string operator()(const FileCheckSpec& file) const {
    return fmt::format("FILE_CHECK {} on service {} failed.", file.file, names.server);
  }
  std::string operator()(const BfdCheckSpec& bfd) const {
    return fmt::format("BFD_CHECK {} on service {} failed.", bfd.session, names.server);
  }
};

/// The checker goes down; the reason follows in parentheses.
struct DownLine {
  const CheckerSpec& spec;
  const CheckedNames& names;
  std::uint32_t retries;
  const std::string& reason;
  std::string operator()(const MiscCheckSpec& misc) const {
    const bool timed_out = reason.starts_with("timed out");
    return fmt::format("{}{} ({}).", misc_line(misc, names, timed_out ? "timed out" : "failed"), after(retries),
                       reason);
  }
  std::string operator()(const FileCheckSpec& file) const { return of_watched(FailureLine{names}(file)); }
  std::string operator()(const BfdCheckSpec& bfd) const { return of_watched(FailureLine{names}(bfd)); }
  std::string operator()(const auto&) const {
    return fmt::format("{} on service {} failed{}. ({})", log_name(spec), names.server, after(retries), reason);
  }

 private:
  [[nodiscard]] std::string of_watched(const std::string& line) const { return fmt::format("{} ({})", line, reason); }
};

}  // namespace

std::string up_line(const CheckerSpec& spec, const CheckedNames& names) { return std::visit(UpLine{names}, spec.what); }

std::string down_line(const CheckerSpec& spec, const CheckedNames& names, std::uint32_t retries,
                      const std::string& reason) {
  return std::visit(DownLine{spec, names, retries, reason}, spec.what);
}

std::string failure_line(const CheckerSpec& spec, const CheckedNames& names, const std::string& reason) {
  return fmt::format("{} ({})", std::visit(FailureLine{names}, spec.what), reason);
}

}  // namespace sluice::health
