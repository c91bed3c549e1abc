#include "health/spec.h"

#include <charconv>

namespace sluice::health {

namespace {

struct LogName {
  std::string_view operator()(const TcpCheckSpec&) const { return "TCP_CHECK"; }
  std::string_view operator()(const HttpGetSpec& http) const { return http.tls ? "SSL_CHECK" : "HTTP_CHECK"; }
  std::string_view operator()(const DnsCheckSpec&) const { return "DNS_CHECK"; }
  std::string_view operator()(const UdpCheckSpec&) const { return "UDP_CHECK"; }
  std::string_view operator()(const PingCheckSpec&) const { return "ICMP CHECK"; }
  std::string_view operator()(const SmtpCheckSpec&) const { return "SMTP_CHECK"; }
  std::string_view operator()(const MiscCheckSpec&) const { return "MISC_CHECK"; }
  std::string_view operator()(const FileCheckSpec&) const { return "FILE_CHECK"; }
  std::string_view operator()(const BfdCheckSpec&) const { return "BFD_CHECK"; }
};

struct Target {
  std::string operator()(const auto& what) const { return net::endpoint_text(what.connect.address, what.connect.port); }
  std::string operator()(const PingCheckSpec& what) const { return what.connect.address.text(); }
  std::string operator()(const MiscCheckSpec& what) const {
    return what.script.argv.empty() ? std::string() : what.script.argv.front();
  }
  std::string operator()(const FileCheckSpec& what) const { return what.file; }
  std::string operator()(const BfdCheckSpec& what) const { return what.session; }
};

}  // namespace

std::string_view log_name(const CheckerSpec& spec) { return std::visit(LogName{}, spec.what); }

std::string target_of(const CheckerSpec& spec) { return std::visit(Target{}, spec.what); }

std::optional<Md5> parse_md5(std::string_view hex) {
  Md5 digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const char* pair = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(pair, pair + 2, digest[i], 16);
    if (error != std::errc{} || end != pair + 2) return std::nullopt;
  }
  return digest;
}

std::string to_string(const Md5& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

}  // namespace sluice::health
