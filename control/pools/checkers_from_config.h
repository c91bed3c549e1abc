// The checkers of a configuration -> what the health thread runs, one function per kind. What needs the host is looked
// at here: scripts, client certificates, whether a pattern is one.
#pragma once

#include <optional>
#include <vector>

#include "control/config/config.h"
#include "control/pools/pool_spec.h"
#include "control/pools/script_resolver.h"
#include "net/error.h"

namespace sluice::control {

/// For one configuration, which must outlive it, as must the others.
class CheckerMaker {
 public:
  CheckerMaker(const config::Config& config, ScriptResolver& scripts, std::vector<Error>& complaints)
      : config_(config), scripts_(scripts), complaints_(complaints) {}

  /// server: the virtual server around it. Nothing: the check can't be run, which was said.
  std::optional<CheckerSetup> make(const config::Checker& checker, const config::VirtualServer& server);

 private:
  using Spec = std::optional<decltype(health::CheckerSpec::what)>;

  Spec from(const config::TcpCheck& check, const config::VirtualServer& server);
  Spec from(const config::HttpGet& check, const config::VirtualServer& server);
  Spec from(const config::SmtpCheck& check, const config::VirtualServer& server);
  Spec from(const config::DnsCheck& check, const config::VirtualServer& server);
  Spec from(const config::UdpCheck& check, const config::VirtualServer& server);
  Spec from(const config::PingCheck& check, const config::VirtualServer& server);
  Spec from(const config::MiscCheck& check, const config::VirtualServer& server);
  Spec from(const config::FileCheck& check, const config::VirtualServer& server);
  Spec from(const config::BfdCheck& check, const config::VirtualServer& server);

  void complain(const config::Position& position, std::string what);
  net::SharedValue<health::RegexSpec> regex_from(const config::Url& url);
  const net::SharedValue<health::TlsSpec>& tls();

  const config::Config& config_;
  ScriptResolver& scripts_;
  std::vector<Error>& complaints_;
  net::SharedValue<health::TlsSpec> tls_;  // once an SSL_GET has asked
};

}  // namespace sluice::control
