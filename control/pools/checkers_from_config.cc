#include "control/pools/checkers_from_config.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>

#include "control/pools/fingerprint.h"
#include "health/tls.h"

namespace sluice::control {

using std::chrono::milliseconds;

namespace {

milliseconds rounded_up(config::Duration duration) { return std::chrono::ceil<milliseconds>(duration); }

/// Another number where one of the files has another look: it was written again, or put in another's place. 0: none is
/// there.
std::uint64_t version_of(std::initializer_list<std::string> files) {
  Fingerprint looks;
  bool is_there = false;
  for (const std::string& file : files) {
    struct stat status {};
    if (file.empty() || ::stat(file.c_str(), &status) != 0) continue;
    is_there = true;
    looks.add(file);
    looks.add(status.st_ino);
    looks.add(status.st_size);
    looks.add(status.st_mtim.tv_sec);
    looks.add(status.st_mtim.tv_nsec);
  }
  return is_there ? looks.value() : 0;
}

health::Connect connect_from(const config::NetworkCheck& check) {
  health::Connect connect;
  connect.address = check.connect_ip;
  connect.port = check.connect_port;
  connect.timeout = rounded_up(check.connect_timeout);
  if (const config::ProbeSource* source = check.source.get()) {
    connect.bind_address = source->address;
    connect.bind_port = source->port;
    connect.bind_interface = source->interface;
    connect.mark = source->fwmark;
  }
  return connect;
}

health::HttpVersion version_from(config::HttpProtocol protocol) {
  switch (protocol) {
    case config::HttpProtocol::http_1_0: return health::HttpVersion::http_1_0;
    case config::HttpProtocol::http_1_0_close: return health::HttpVersion::http_1_0_close;
    case config::HttpProtocol::http_1_1: return health::HttpVersion::http_1_1;
  }
  return health::HttpVersion::http_1_0;
}

/// keepalived asks the url, the checker and the virtual server for a name, and leaves the real server out.
std::string server_name(const config::HttpGet& get, const config::Url& url, const config::VirtualServer& server) {
  if (!get.enable_sni) return {};
  if (!get.sni_name.empty()) return get.sni_name.str();
  if (url.virtualhost.written) return url.virtualhost.value.str();
  if (get.virtualhost.written) return get.virtualhost.value.str();
  return server.virtualhost.value.str();
}

}  // namespace

std::optional<CheckerSetup> CheckerMaker::make(const config::Checker& checker, const config::VirtualServer& server) {
  Spec what = std::visit([&](const auto& check) { return from(check, server); }, checker);
  if (!what) return std::nullopt;
  const config::CheckerCommon& common = common_of(checker);
  health::CheckerSpec spec;
  spec.what = std::move(*what);
  spec.timings = {rounded_up(common.delay_loop), rounded_up(common.delay_before_retry), common.retry};
  spec.warmup = rounded_up(common.warmup);
  spec.starts_up = !common.alpha;
  return CheckerSetup{std::move(spec), common.log_all_failures};
}

CheckerMaker::Spec CheckerMaker::from(const config::TcpCheck& check, const config::VirtualServer&) {
  return health::TcpCheckSpec{connect_from(check)};
}

CheckerMaker::Spec CheckerMaker::from(const config::PingCheck& check, const config::VirtualServer&) {
  return health::PingCheckSpec{connect_from(check)};
}

CheckerMaker::Spec CheckerMaker::from(const config::DnsCheck& check, const config::VirtualServer&) {
  return health::DnsCheckSpec{
      .connect = connect_from(check), .type = static_cast<health::DnsType>(check.type), .name = check.name.str()};
}

CheckerMaker::Spec CheckerMaker::from(const config::UdpCheck& check, const config::VirtualServer&) {
  health::UdpCheckSpec spec{.connect = connect_from(check), .require_reply = check.require_reply};
  if (const config::UdpExchange* exchange = check.exchange.get()) {
    spec.payload = exchange->payload;
    if (!exchange->reply.value.empty()) spec.reply = {exchange->reply.value, exchange->reply.mask};
    spec.min_reply_length = static_cast<std::uint16_t>(exchange->min_reply_length);
    spec.max_reply_length = static_cast<std::uint16_t>(exchange->max_reply_length);
  }
  return spec;
}

CheckerMaker::Spec CheckerMaker::from(const config::SmtpCheck& check, const config::VirtualServer&) {
  return health::SmtpCheckSpec{.connect = connect_from(check), .helo_name = check.helo_name.str()};
}

CheckerMaker::Spec CheckerMaker::from(const config::HttpGet& check, const config::VirtualServer& server) {
  health::HttpGetSpec spec;
  spec.connect = connect_from(check);
  for (const config::Url& url : check.urls) {
    health::UrlSpec one{.path = url.path, .virtual_host = url.virtualhost.value.str(), .status_codes = {}};
    for (const config::StatusRange& range : url.statuses) {
      one.status_codes.push_back({static_cast<std::uint16_t>(range.first), static_cast<std::uint16_t>(range.last)});
    }
    one.digest = health::parse_md5(url.digest);
    one.regex = regex_from(url);
    if (check.ssl) {
      one.server_name = server_name(check, url, server);
      one.tls_compliant = url.tls_compliant;
    }
    spec.urls.push_back(std::move(one));
  }
  if (check.ssl) spec.tls = tls();
  spec.version = version_from(check.http_protocol);
  spec.fast_recovery = check.fast_recovery;
  return spec;
}

/// A pattern that PCRE2 refuses is left out: the rest of the check still says more than no check.
net::SharedValue<health::RegexSpec> CheckerMaker::regex_from(const config::Url& url) {
  const config::UrlRegex* regex = url.regex.get();
  if (regex == nullptr) return {};
  health::RegexSpec spec{.pattern = regex->pattern, .min_offset = regex->min_offset, .no_match = regex->no_match};
  for (const std::string& word : regex->options) spec.options |= health::regex_option(word).value_or(0);
  if (regex->max_offset != 0) spec.max_offset = regex->max_offset;
  if (const auto compiled = health::Regex::compile(spec); !compiled) {
    complain(url.position, "the body isn't searched: " + compiled.error().text());
    return {};
  }
  return spec;
}

const net::SharedValue<health::TlsSpec>& CheckerMaker::tls() {
  if (tls_) return tls_;
  health::TlsSpec spec;
  if (const auto& ssl = config_.ssl) spec = {ssl->ca, ssl->certificate, ssl->key, ssl->password};
  if (const auto context = health::TlsContext::make(spec); !context) {
    complaints_.push_back({config_.ssl ? config_.ssl->position.text() : "SSL_GET",
                           "no SSL_GET is probed, and what it checks stays as it is: " + context.error().text()});
  }
  spec.version = version_of({spec.ca, spec.certificate, spec.key});
  tls_ = std::move(spec);
  return tls_;
}

CheckerMaker::Spec CheckerMaker::from(const config::MiscCheck& check, const config::VirtualServer& server) {
  const auto script = scripts_.resolve(check.script.get());
  if (!script) return std::nullopt;
  health::MiscCheckSpec spec{.script = {.argv = script->argv}, .dynamic = check.dynamic};
  if (const auto& user = script->user) spec.script.user = health::RunAs{user->uid, user->gid, user->groups};
  const config::Duration time_max = check.timeout.value.count() > 0 ? check.timeout.value : server.delay_loop.value;
  spec.script.time_max = rounded_up(time_max);
  return spec;
}

CheckerMaker::Spec CheckerMaker::from(const config::FileCheck& check, const config::VirtualServer&) {
  const auto& files = config_.track_files;
  const auto file = std::find_if(files.begin(), files.end(),
                                 [&](const config::TrackFile& one) { return one.name == check.track_file.str(); });
  if (file == files.end()) {
    complain(check.position, fmt::format("FILE_CHECK ignored: there is no track_file {}", check.track_file.str()));
    return std::nullopt;
  }
  health::FileCheckSpec spec{.file = file->name, .weight = file->weight.value, .reverse = file->weight.reverse};
  if (check.weight) {
    spec.weight = *check.weight;
    spec.reverse = check.reverse;
  }
  return spec;
}

CheckerMaker::Spec CheckerMaker::from(const config::BfdCheck& check, const config::VirtualServer&) {
  const auto& instances = config_.bfd_instances;
  const auto instance = std::find_if(instances.begin(), instances.end(), [&](const config::BfdInstance& one) {
    return one.name == check.name.str() && one.for_checkers;
  });
  if (instance == instances.end()) {
    complain(check.position,
             fmt::format("BFD_CHECK ignored: there is no bfd_instance {} for checkers", check.name.str()));
    return std::nullopt;
  }
  return health::BfdCheckSpec{instance->name};
}

void CheckerMaker::complain(const config::Position& position, std::string what) {
  complaints_.push_back({position.text(), std::move(what)});
}

}  // namespace sluice::control
