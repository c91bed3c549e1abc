// A checker as written, before it inherits: what a real_server's block collects, and how that becomes a Checker of the
// model. Internal to control/config.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/keywords.h"

namespace sluice::control::config {

/// What virtual_server, real_server and checkers may all say, each inheriting from the one around it.
struct CheckDefaults {
  std::optional<Duration> delay_loop;
  std::optional<Duration> delay_before_retry;
  std::optional<Duration> warmup;
  std::optional<Duration> connect_timeout;
  std::optional<unsigned> retry;
  std::optional<bool> alpha;
  std::optional<std::string> virtualhost;

  void inherit(const CheckDefaults& outer);
};

struct CheckerDraft : CheckDefaults {
  Place place;
  std::string kind;    ///< the keyword
  bool built = false;  ///< false: Sluice has no such checker yet
  std::optional<net::IpAddr> connect_ip;
  std::optional<net::L4Port> connect_port;
  std::optional<net::IpAddr> bindto;
  std::optional<bool> log_all_failures;
  std::vector<Url> urls;
  HttpProtocol http_protocol = HttpProtocol::http_1_0;
  bool fast_recovery = false;
};

// Handlers for tables whose draft has CheckDefaults.

template <typename Draft>
void set_delay_loop(Context& context, const Statement& statement, Draft& draft) {
  if (auto value = read_timer(context, statement, 1, Duration(1), timer_max)) draft.delay_loop = value;
}
template <typename Draft>
void set_delay_before_retry(Context& context, const Statement& statement, Draft& draft) {
  if (auto value = read_timer(context, statement, 1, Duration(0), timer_max)) draft.delay_before_retry = value;
}
template <typename Draft>
void set_warmup(Context& context, const Statement& statement, Draft& draft) {
  if (auto value = read_timer(context, statement, 1, Duration(0), timer_max)) draft.warmup = value;
}
template <typename Draft>
void set_connect_timeout(Context& context, const Statement& statement, Draft& draft) {
  if (auto value = read_timer(context, statement, 1, Duration(1), short_timer_max)) draft.connect_timeout = value;
}
/// minimum: 1 for servers, 0 for checkers.
template <typename Draft, int minimum>
void set_retry(Context& context, const Statement& statement, Draft& draft) {
  if (auto value = read_integer(context, statement, 1, minimum, 4294967295)) {
    draft.retry = static_cast<unsigned>(*value);
  }
}
template <typename Draft>
void set_alpha(Context& context, const Statement& statement, Draft& draft) {
  if (auto value = read_bool(context, statement, 1)) draft.alpha = value;
}
template <typename Draft>
void set_virtualhost(Context& context, const Statement& statement, Draft& draft) {
  if (const Word* word = argument(context, statement, 1, "a host name")) draft.virtualhost = word->text;
}

/// Reads one checker's block. Nothing if keepalived would drop it (HTTP_GET without a url).
std::optional<CheckerDraft> read_checker(Context& context, const Statement& statement);

/// The model's checker. draft has inherited; address and port are the real server's final ones. draft.built.
Checker make_checker(Context& context, const CheckerDraft& draft, const net::IpAddr& address, net::L4Port port);

}  // namespace sluice::control::config
