// What checkers inherit, by kind; see resolve.h.
#include <fmt/format.h>

#include <concepts>

#include "control/config/servers/fields.h"
#include "control/config/servers/resolve.h"

namespace sluice::control::config {

namespace {

using std::chrono::seconds;

/// What differs by kind, for checkers that nothing was said about (keepalived 2.2.7).
template <typename C>
constexpr unsigned retry_default = std::same_as<C, DnsCheck>    ? 3
                                   : std::same_as<C, MiscCheck> ? 0
                                                                : 1;

template <typename C>
Duration delay_before_retry_default(const C& check) {
  if constexpr (std::same_as<C, HttpGet>) return seconds(3);
  if constexpr (std::same_as<C, DnsCheck>) return check.delay_loop.value;
  return seconds(1);
}

template <typename C>
void inherit_timings(Context& context, C& check, const RealServer& rs) {
  check.delay_loop.inherit(rs.delay_loop);
  check.retry.inherit(rs.retry.value_or(retry_default<C>));
  check.delay_before_retry.inherit(rs.delay_before_retry.value_or(delay_before_retry_default(check)));
  check.warmup.inherit(rs.warmup.value_or(check.delay_loop.value));
  check.alpha.inherit(rs.alpha);
  check.log_all_failures.inherit(context.config.global.checker_log_all_failures);
}

bool is_link_local(const net::IpAddr& address) {
  return address.is_v6() && address.v6().bytes[0] == 0xfe && (address.v6().bytes[1] & 0xc0) == 0x80;
}

/// False: it can't be kept.
bool inherit_target(Context& context, NetworkCheck& check, const RealServer& rs, net::L4Port port, bool needs_port) {
  const Place place = context.diagnostics.place(check.position);
  check.connect_ip.inherit(rs.address);
  check.connect_port.inherit(port);
  check.connect_timeout.inherit(rs.connect_timeout);
  const net::IpAddr& target = check.connect_ip.value;
  if (check.source && check.source->address && check.source->address->is_v6() != target.is_v6()) {
    context.diagnostics.error(place, fmt::format("bindto {} ignored: {} to connect to is of the other family",
                                                 check.source->address->text(), target.text()));
    check.source->address.reset();
  }
  if (is_link_local(target) && (!check.source || check.source->interface.empty())) {
    context.diagnostics.error(
        place, fmt::format("checker of {} ignored: a link-local address needs bind_if INTERFACE", target.text()));
    return false;
  }
  if (needs_port && check.connect_port.value.is_zero()) {
    warn_quietly(context, place,
                 fmt::format("the check of {} has no port to connect to and can't succeed, expected connect_port",
                             target.text()));
  }
  if (check.source && *check.source == ProbeSource{}) check.source.reset();
  return true;
}

void inherit_names(HttpGet& get, const RealServer& rs) {
  get.virtualhost.inherit(rs.virtualhost);
  for (Url& url : get.urls) {
    url.virtualhost.inherit(get.virtualhost);
    url.tls_compliant.inherit(get.tls_compliant);
  }
  get.urls.shrink_to_fit();
}

}  // namespace

bool resolve_checker(Context& context, Checker& checker, const VirtualServer& vs, const RealServer& rs,
                     net::L4Port port) {
  return std::visit(
      [&]<typename C>(C& check) {
        if constexpr (std::same_as<C, BfdCheck>) {
          check.alpha.inherit(rs.alpha);
        } else if constexpr (!std::same_as<C, FileCheck>) {
          inherit_timings(context, check, rs);
        }
        if constexpr (std::same_as<C, MiscCheck>) check.timeout.inherit(vs.delay_loop);
        if constexpr (std::same_as<C, HttpGet>) inherit_names(check, rs);
        if constexpr (std::derived_from<C, NetworkCheck>) {
          return inherit_target(context, check, rs, port, !std::same_as<C, PingCheck>);
        }
        return true;
      },
      checker);
}

bool smtp_alert_default(const GlobalDefs& global, bool otherwise) {
  return global.mail.smtp_alert_checker.value_or(global.mail.smtp_alert.value_or(otherwise));
}

}  // namespace sluice::control::config
