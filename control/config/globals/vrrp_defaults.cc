// global_defs: defaults of the vrrp_instances, and what concerns all of them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/fields.h"
#include "control/config/garp.h"
#include "control/config/globals/parts.h"
#include "control/config/lift.h"

namespace sluice::control::config {

namespace {

using V = VrrpDefaults;
using F = Field<V>;
using G = GarpSettings;

/// Seconds; 1 ms at least, 32 bits of microseconds at most.
constexpr std::int64_t delay_min_us = 1'000;
constexpr std::int64_t short_timer_max_us = 4'294'967'295;
constexpr std::string_view no_iptables = "no_accept's rules are made by nftables";

template <net::IpAddr V::*Member, bool IsV6>
void read_group(Context& context, const Statement& statement, V& vrrp) {
  const auto address = read_address(context, statement, 1);
  if (!address) return;
  const bool is_multicast =
      address->is_v6() == IsV6 && (IsV6 ? address->v6().bytes[0] == 0xff : address->v4().is_multicast());
  if (!is_multicast) {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("{} {} ignored, expected an {} multicast address", statement.keyword(),
                                          quoted(statement.words[1].text), IsV6 ? "IPv6" : "IPv4"));
    return;
  }
  vrrp.*Member = *address;
}

template <net::IpAddr V::*Member, bool IsV6>
constexpr auto group(std::string_view name) {
  return F::custom(
      name, read_group<Member, IsV6>,
      [](Writer& writer, std::string_view keyword, const V& vrrp) {
        writer.line(keyword, {plain("", (vrrp.*Member).text())});
      },
      2);
}

/// A timer that isn't written while it is 0: 0 is no value of it.
template <Duration V::*Member, std::int64_t MinUs>
constexpr auto pause(std::string_view name) {
  auto line = F::timer<Member, MinUs, short_timer_max_us>(name);
  line.write = [](Writer& writer, std::string_view keyword, const V& vrrp) {
    if ((vrrp.*Member).count() > 0) writer.line(keyword, {plain("", vrrp.*Member)});
  };
  return line;
}

/// Chains' names; keepalived was built without iptables support and complains.
void read_iptables(Context& context, const Statement& statement, V& vrrp) {
  context.diagnostics.warning(statement.place, "vrrp_iptables is taken as nftables, expected 'nftables'");
  FirewallNames names{"INPUT", "OUTPUT"};
  if (statement.words.size() > 1) names = {statement.words[1].text, ""};
  if (statement.words.size() > 2) names.out = statement.words[2].text;
  vrrp.iptables = std::move(names);
}

void write_iptables(Writer& writer, std::string_view keyword, const V& vrrp) {
  if (!vrrp.iptables) return;
  std::vector<Arg> args = {plain("in", vrrp.iptables->in)};
  if (!vrrp.iptables->out.empty()) args.push_back(plain("out", vrrp.iptables->out));
  writer.line(keyword, args);
}

constexpr std::size_t ipsets_max = 7;

void read_ipsets(Context& context, const Statement& statement, V& vrrp) {
  if (statement.words.size() > ipsets_max + 1) note_extra_words(context, statement, ipsets_max + 1);
  vrrp.ipsets.emplace();
  for (std::size_t i = 1; i < statement.words.size() && i <= ipsets_max; ++i) {
    vrrp.ipsets->push_back(statement.words[i].text);
  }
}

void write_ipsets(Writer& writer, std::string_view keyword, const V& vrrp) {
  if (!vrrp.ipsets) return;
  std::vector<Arg> args;
  for (const std::string& name : *vrrp.ipsets) args.push_back(plain("", name));
  writer.line(keyword, args);
}

/// As nft reads a name: it has no quotes for them.
bool is_table_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto may_follow = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '/' || c == '-' || c == '.';
  };
  constexpr std::size_t name_max = 255;
  return !name.empty() && name.size() <= name_max && is_letter(name[0]) && std::ranges::all_of(name, may_follow);
}

void read_nftables(Context& context, const Statement& statement, V& vrrp) {
  const std::string name = statement.words.size() > 1 ? statement.words[1].text : "keepalived";
  if (is_table_name(name)) {
    vrrp.nftables_table = name;
  } else {
    context.diagnostics.warning(statement.place_of(1),
                                fmt::format("nftables {} ignored, expected a table's name: letters, digits and / - _ . "
                                            "behind a letter",
                                            quoted(name)));
  }
}

/// MTU, ADVERT, or bytes.
void read_buffers(Context& context, const Statement& statement, V& vrrp) {
  const Word* word = argument(context, statement, 1, "MTU, ADVERT or bytes");
  if (word == nullptr) return;
  std::string upper;
  for (const char c : word->text) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  using Policy = ReceiveBuffers::Policy;
  if (upper == "MTU" || upper == "ADVERT") {
    vrrp.receive_buffers.policy = upper == "MTU" ? Policy::mtu : Policy::advert;
    vrrp.receive_buffers.bytes = 0;
  } else if (const auto bytes = read_integer(context, statement, 1, 0, 4294967295)) {
    vrrp.receive_buffers.policy = Policy::bytes;
    vrrp.receive_buffers.bytes = static_cast<std::uint32_t>(*bytes);
  }
}

void write_buffers(Writer& writer, std::string_view keyword, const V& vrrp) {
  using Policy = ReceiveBuffers::Policy;
  switch (vrrp.receive_buffers.policy) {
    case Policy::system: return;
    case Policy::mtu: return writer.line(keyword, {plain("", std::string("MTU"))});
    case Policy::advert: return writer.line(keyword, {plain("", std::string("ADVERT"))});
    case Policy::bytes: return writer.line(keyword, {plain("", std::int64_t{vrrp.receive_buffers.bytes})});
  }
}

constexpr auto extra_if = Field<G>::custom("vrrp_garp_extra_if", read_garp_extra, write_garp_extra, 3);

constexpr auto garp_lines = std::to_array<Keyword<G>>({
    Field<G>::seconds<&G::master_delay, 0, garp_delay_max>("vrrp_garp_master_delay"),
    garp_count<&G::master_repeat>("vrrp_garp_master_repeat"),
    Field<G>::seconds<&G::master_refresh, 0, garp_count_max>("vrrp_garp_master_refresh"),
    garp_count<&G::master_refresh_repeat>("vrrp_garp_master_refresh_repeat"),
    Field<G>::seconds<&G::lower_prio_delay, 0, garp_delay_max>("vrrp_garp_lower_prio_delay"),
    Field<G>::integer<&G::lower_prio_repeat, 0, 2147483647>("vrrp_garp_lower_prio_repeat"),
    extra_if,
    extra_if.deprecated("vrrp_vmac_garp_intvl"),
});

constexpr auto own_lines = std::to_array<Keyword<V>>({
    F::integer<&V::version, 2, 3>("vrrp_version"),
    F::boolean<&V::strict>("vrrp_strict"),
    F::boolean<&V::skip_check_adv_addr>("vrrp_skip_check_adv_addr"),
    F::flag<&V::check_unicast_src>("vrrp_check_unicast_src"),
    group<&V::mcast_group4, false>("vrrp_mcast_group4"),
    group<&V::mcast_group6, true>("vrrp_mcast_group6"),
    pause<&V::garp_interval, 1>("vrrp_garp_interval"),
    pause<&V::gna_interval, 1>("vrrp_gna_interval"),
    F::boolean<&V::min_garp>("vrrp_min_garp"),
    F::integer<&V::down_timer_adverts, 1, 100>("vrrp_down_timer_adverts"),
    F::boolean<&V::lower_prio_no_advert>("vrrp_lower_prio_no_advert"),
    F::boolean<&V::higher_prio_send_advert>("vrrp_higher_prio_send_advert"),
    F::boolean<&V::owner_ignore_adverts>("vrrp_owner_ignore_adverts"),
    F::flag<&V::v3_checksum_as_v2>("v3_checksum_as_v2"),
    pause<&V::startup_delay, delay_min_us>("vrrp_startup_delay"),
    pause<&V::delay_after_boot, delay_min_us>("vrrp_delay_after_boot"),
    F::flag<&V::log_unknown_vrids>("log_unknown_vrids"),
    F::text<&V::vmac_prefix>("vmac_prefix"),
    F::text<&V::vmac_addr_prefix>("vmac_addr_prefix"),
    F::custom("vrrp_iptables", read_iptables, write_iptables, 3).no_effect(no_iptables),
    F::custom("vrrp_ipsets", read_ipsets, write_ipsets).no_effect(no_iptables),
    F::custom(
        "nftables", read_nftables,
        [](Writer& writer, std::string_view keyword, const V& vrrp) {
          if (vrrp.nftables_table) writer.line(keyword, {plain("", *vrrp.nftables_table)});
        },
        2),
    F::integer<&V::nftables_priority, -2147483648, 2147483647>("nftables_priority"),
    F::flag<&V::nftables_counters>("nftables_counters"),
    F::flag<&V::nftables_ifindex>("nftables_ifindex"),
    F::flag<&V::disable_local_igmp>("disable_local_igmp"),
    F::custom("vrrp_rx_bufs_policy", read_buffers, write_buffers, 2),
    F::custom(
        "vrrp_rx_bufs_multiplier",
        [](Context& context, const Statement& statement, V& vrrp) {
          if (const auto value = read_integer(context, statement, 1, 1, 4294967295)) {
            vrrp.receive_buffers.multiplier = static_cast<std::uint32_t>(*value);
          }
        },
        [](Writer& writer, std::string_view keyword, const V& vrrp) {
          writer.line(keyword, {plain("", std::int64_t{vrrp.receive_buffers.multiplier})});
        },
        2),
});

constexpr auto lines = joined(own_lines, lifted<&V::garp, garp_lines>());
constexpr auto keywords = lifted<&GlobalDefs::vrrp, lines>();

}  // namespace

void read_garp_extra(Context& context, const Statement& statement, GarpSettings& garp) {
  GarpExtra extra;
  std::size_t at = 1;
  if (statement.words.size() > 1 && statement.words[1].text == "all") {
    extra.all = true;
    ++at;
  }
  if (at >= statement.words.size()) {
    context.diagnostics.error(statement.place,
                              fmt::format("{} ignored, expected [all] SECONDS", quoted(statement.keyword())));
    return;
  }
  const bool is_global = statement.keyword().starts_with("vrrp_");
  const auto seconds = read_integer(context, statement, at, is_global ? 1 : 0, garp_extra_max);
  if (!seconds) return;
  extra.interval = std::chrono::seconds(*seconds);
  garp.extra = extra;
}

void write_garp_extra(Writer& writer, std::string_view keyword, const GarpSettings& garp) {
  if (!garp.extra) return;
  std::vector<Arg> args;
  if (garp.extra->all) args.push_back(flag("all"));
  args.push_back(plain("seconds", std::int64_t{garp.extra->interval.count()}));
  writer.line(keyword, args);
}

GlobalKeywords vrrp_default_keywords() { return keywords; }

}  // namespace sluice::control::config
