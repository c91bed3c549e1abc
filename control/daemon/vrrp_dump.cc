#include "control/daemon/vrrp_dump.h"

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>

namespace sluice::control {

namespace {

using vrrp::ReceiveError;

/// keepalived's kinds of errors are fewer than ours.
struct Errors {
  std::uint64_t length, ttl, type, interval, address_list, auth_type, auth_mismatch, auth_failure;
  std::uint64_t ext_missing, ext_malformed, ext_unknown_key, ext_invalid_hmac, ext_stale, ext_replay;
};

Errors errors_of(const VirtualRouterStatus& router) {
  const auto sum = [&](std::initializer_list<ReceiveError> kinds) {
    std::uint64_t count = 0;
    for (const ReceiveError kind : kinds) count += router.errors[std::size_t(kind)];
    return count;
  };
  return {.length = sum({ReceiveError::too_short, ReceiveError::length, ReceiveError::ip_length}),
          .ttl = sum({ReceiveError::ttl, ReceiveError::unicast_ttl}),
          .type = sum({ReceiveError::type}),
          .interval = sum({ReceiveError::interval}),
          .address_list = router.counters.address_list_errors,
          .auth_type = sum({ReceiveError::auth_type_unknown}),
          .auth_mismatch = sum({ReceiveError::auth_type, ReceiveError::ah_presence}),
          .auth_failure = sum({ReceiveError::password, ReceiveError::ah_header, ReceiveError::ah_spi,
                               ReceiveError::ah_replay, ReceiveError::ah_digest}),
          .ext_missing = sum({ReceiveError::hmac_missing}),
          .ext_malformed = sum({ReceiveError::hmac_malformed}),
          .ext_unknown_key = sum({ReceiveError::hmac_unknown_key}),
          .ext_invalid_hmac = sum({ReceiveError::hmac_digest}),
          .ext_stale = sum({ReceiveError::hmac_stale}),
          .ext_replay = sum({ReceiveError::hmac_replay})};
}

double unix_time(const VirtualRouterStatus& router) {
  return std::chrono::duration<double>(router.last_transition_at.time_since_epoch()).count();
}

int number_of(vrrp::State state) {
  switch (state) {
    case vrrp::State::init: return 0;
    case vrrp::State::backup: return 1;
    case vrrp::State::master: return 2;
    case vrrp::State::fault: return 3;
  }
  return 0;
}

}  // namespace

std::string vrrp_data_text(const VrrpStatus& status) {
  std::string text = "------< VRRP Topology >------\n";
  const auto out = std::back_inserter(text);
  for (const VirtualRouterStatus& router : status.routers) {
    fmt::format_to(
        out,
        " VRRP Instance = {}\n   VRRP Version = {}\n   State = {}\n   Interface = {}\n   Virtual Router ID = {}\n"
        "   Priority = {}\n   Effective priority = {}\n   Advert interval = {:.2f} sec\n"
        "   Last transition = {:.6f}\n",
        router.name, router.version, vrrp::to_string(router.state), router.interface, router.virtual_router_id,
        router.priority, router.effective_priority, static_cast<double>(router.advertisement_interval.count()) / 1e6,
        unix_time(router));
    if (router.source) fmt::format_to(out, "   Using src_ip = {}\n", router.source->text());
    if (router.master_address) {
      fmt::format_to(out, "   Master router = {}\n   Master priority = {}\n", router.master_address->text(),
                     router.master_priority);
    }
    fmt::format_to(out, "   Virtual IP ({}):\n", router.addresses.size());
    for (const std::string& address : router.addresses) fmt::format_to(out, "     {}\n", address);
    for (const std::string& fault : router.faults) fmt::format_to(out, "   Fault = {}\n", fault);
  }
  text += "------< VRRP Sync groups >------\n";
  for (const SyncGroupStatus& group : status.groups) {
    fmt::format_to(out, " VRRP Sync Group = {}, {}\n", group.name, vrrp::to_string(group.state));
    for (const std::string& member : group.members) fmt::format_to(out, "   monitor = {}\n", member);
  }
  return text;
}

std::string vrrp_stats_text(const VrrpStatus& status) {
  std::string text;
  for (const VirtualRouterStatus& router : status.routers) {
    const Errors errors = errors_of(router);
    const vrrp::Counters& counters = router.counters;
    fmt::format_to(
        std::back_inserter(text),
        "VRRP Instance: {}\n  Advertisements:\n    Received: {}\n    Sent: {}\n  Became master: {}\n"
        "  Released master: {}\n  Packet Errors:\n    Length: {}\n    TTL: {}\n    Invalid Type: {}\n"
        "    Advertisement Interval: {}\n    Address List: {}\n  Authentication Errors:\n    Invalid Type: {}\n"
        "    Type Mismatch: {}\n    Failure: {}\n  Authentication Extension Errors:\n    Missing: {}\n"
        "    Malformed: {}\n    Unknown Key: {}\n    Invalid HMAC: {}\n    Stale: {}\n    Replay: {}\n"
        "  Priority Zero:\n    Received: {}\n    Sent: {}\n",
        router.name, counters.adverts_received, counters.adverts_sent, counters.become_master, counters.release_master,
        errors.length, errors.ttl, errors.type, errors.interval, errors.address_list, errors.auth_type,
        errors.auth_mismatch, errors.auth_failure, errors.ext_missing, errors.ext_malformed, errors.ext_unknown_key,
        errors.ext_invalid_hmac, errors.ext_stale, errors.ext_replay, counters.priority_zero_received,
        counters.priority_zero_sent);
  }
  return text;
}

std::string vrrp_json_text(const VrrpStatus& status) {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  for (const VirtualRouterStatus& router : status.routers) {
    const Errors errors = errors_of(router);
    const vrrp::Counters& counters = router.counters;
    Json data = {{"iname", router.name},
                 {"ifp_ifname", router.interface},
                 {"master_priority", router.master_priority},
                 {"last_transition", unix_time(router)},
                 {"vrid", router.virtual_router_id},
                 {"base_priority", router.priority},
                 {"effective_priority", router.effective_priority},
                 {"adver_int", static_cast<double>(router.advertisement_interval.count()) / 1e6},
                 {"master_adver_int", static_cast<double>(router.master_adver_interval.count()) / 1e6},
                 {"state", number_of(router.state)},
                 {"version", router.version}};
    if (!router.addresses.empty()) data["vips"] = router.addresses;
    all.push_back({{"data", std::move(data)},
                   {"stats",
                    {{"advert_rcvd", counters.adverts_received},
                     {"advert_sent", counters.adverts_sent},
                     {"become_master", counters.become_master},
                     {"release_master", counters.release_master},
                     {"packet_len_err", errors.length},
                     {"advert_interval_err", errors.interval},
                     {"ip_ttl_err", errors.ttl},
                     {"invalid_type_rcvd", errors.type},
                     {"addr_list_err", errors.address_list},
                     {"invalid_authtype", errors.auth_type},
                     {"authtype_mismatch", errors.auth_mismatch},
                     {"auth_failure", errors.auth_failure},
                     {"auth_ext_missing", errors.ext_missing},
                     {"auth_ext_malformed", errors.ext_malformed},
                     {"auth_ext_unknown_key", errors.ext_unknown_key},
                     {"auth_ext_invalid_hmac", errors.ext_invalid_hmac},
                     {"auth_ext_stale", errors.ext_stale},
                     {"auth_ext_replay", errors.ext_replay},
                     {"pri_zero_rcvd", counters.priority_zero_received},
                     {"pri_zero_sent", counters.priority_zero_sent}}}});
  }
  return all.dump() + "\n";
}

}  // namespace sluice::control
