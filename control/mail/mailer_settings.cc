#include "control/mail/mailer_settings.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

namespace sluice::control {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "localhost";
}

std::string user_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return fmt::format("{}", ::geteuid());
}

}  // namespace

std::string MailerSettings::server_text() const { return fmt::format("[{}]:{}", server, port.host()); }

MailerSettings mailer_settings(const config::GlobalDefs& global) {
  const config::MailSettings& mail = global.mail;
  const std::string host = host_name();
  MailerSettings settings{.router_id = global.router_id.empty() ? host : global.router_id,
                          .from = mail.from.empty() ? fmt::format("{}@{}", user_name(), host) : mail.from,
                          .recipients = mail.recipients,
                          .server = mail.server ? mail.server->host : std::string(),
                          .port = mail.server ? mail.server->port : net::L4Port(),
                          .timeout = mail.connect_timeout,
                          .helo_name = mail.helo_name.empty() ? host : mail.helo_name};
  return settings;
}

}  // namespace sluice::control
