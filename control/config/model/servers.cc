// What the model of virtual servers says about itself; see servers.h and checkers.h.
#include "control/config/model/servers.h"

#include <fmt/format.h>

#include <type_traits>

namespace sluice::control::config {

std::string VirtualServer::name() const {
  switch (kind) {
    case VirtualServerKind::address: return net::endpoint_text(key.address, key.port);
    case VirtualServerKind::fwmark: return fmt::format("fwmark {}", fwmark);
    case VirtualServerKind::group: return fmt::format("group {}", group);
  }
  return {};
}

SharedText SmtpCheck::default_helo_name() {
  static const SharedText name("smtpchecker.keepalived.org");
  return name;
}

const CheckerCommon& common_of(const Checker& checker) {
  return std::visit([](const auto& check) -> const CheckerCommon& { return check; }, checker);
}

std::string_view keyword_of(const Checker& checker) {
  if (const auto* http = std::get_if<HttpGet>(&checker)) return http->ssl ? "SSL_GET" : "HTTP_GET";
  static constexpr std::array<std::string_view, std::variant_size_v<Checker>> names = {
      "TCP_CHECK",  "HTTP_GET",   "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK",
      "PING_CHECK", "MISC_CHECK", "FILE_CHECK", "BFD_CHECK"};
  return names[checker.index()];
}

}  // namespace sluice::control::config
