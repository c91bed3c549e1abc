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

std::string after_script(const CheckerSpec& spec, std::uint32_t retries) {
  if (spec.timings.retry == 0) return " with retry disabled";
  return retries == 1 ? " after 1 retry" : after(retries);
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
    return fmt::format("({}): tracked file {} leaving FAULT state", names.server, file.file);
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
    if (reason == "timed out") return misc_line(misc, names, "timed out") + after_script(spec, retries) + ".";
    return fmt::format("{}{} ({}).", misc_line(misc, names, "failed"), after_script(spec, retries), reason);
  }
  std::string operator()(const FileCheckSpec& file) const {
    return fmt::format("({}): tracked file {} now FAULT state", names.server, file.file);
  }
  std::string operator()(const SmtpCheckSpec& smtp) const {
    const std::string said = smtp_failure(smtp, reason);
    if (said == reason) return failed_line();
    return fmt::format("SMTP_CHECK {} ({})", said, reason);
  }
  std::string operator()(const DnsCheckSpec&) const {
    const bool silence = reason.starts_with("no answer");
    return fmt::format("DNS_CHECK ({}) {} after {} retries ({})", names.server,
                       silence ? "read timeout from socket" : "failed to read socket", retries, reason);
  }
  std::string operator()(const PingCheckSpec&) const {
    return fmt::format("ICMP CHECK on service {}{} failed{}. ({})", names.server,
                       retries == 0 ? "" : " of " + names.service, after(retries), reason);
  }
  std::string operator()(const BfdCheckSpec& bfd) const { return of_watched(FailureLine{names}(bfd)); }
  std::string operator()(const auto&) const { return failed_line(); }

 private:
  [[nodiscard]] std::string failed_line() const {
    return fmt::format("{} on service {} failed{}. ({})", log_name(spec), names.server, after(retries), reason);
  }
  [[nodiscard]] std::string of_watched(const std::string& line) const { return fmt::format("{} ({})", line, reason); }
};

}  // namespace

// The probe's own words begin with what was being done; a connection that wasn't made has none.
std::string smtp_failure(const SmtpCheckSpec& spec, const std::string& reason) {
  for (const std::string_view doing : {"greeting:", "HELO:", "QUIT:"}) {
    if (reason.starts_with(doing)) return reason;
  }
  return fmt::format("Could not connect to server [{}]:{}", spec.connect.address.text(), spec.connect.port.host());
}

std::string up_line(const CheckerSpec& spec, const CheckedNames& names) { return std::visit(UpLine{names}, spec.what); }

std::optional<std::string> progress_line(const CheckerSpec& spec, const CheckedNames& names,
                                         const std::string& reason) {
  const auto* http = std::get_if<HttpGetSpec>(&spec.what);
  if (http == nullptr) return std::nullopt;
  for (const UrlSpec& url : http->urls) {
    if (!reason.starts_with(fmt::format("url {}: ", url.path))) continue;
    return fmt::format("HTTP status code success to {} url({})", names.server, url.path);
  }
  return std::nullopt;
}

std::string down_line(const CheckerSpec& spec, const CheckedNames& names, std::uint32_t retries,
                      const std::string& reason) {
  return std::visit(DownLine{spec, names, retries, reason}, spec.what);
}

std::string failure_line(const CheckerSpec& spec, const CheckedNames& names, const std::string& reason) {
  return fmt::format("{} ({})", std::visit(FailureLine{names}, spec.what), reason);
}

}  // namespace sluice::health
