// vrrp_instance and its relatives. VRRP isn't acted on yet: of an instance only the interface and the addresses are
// kept, by which the engine chooses its interfaces; the rest is read for mistakes, so that -t says what keepalived
// says.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "control/config/keywords.h"

namespace sluice::control::config {

namespace {

/// RFC 2338's simple text authentication has room for eight characters.
constexpr std::size_t auth_pass_max = 8;
constexpr std::int64_t vrrp_addresses_max = 255;

struct InstanceDraft {
  VrrpInstance instance;
  bool has_id = false;
  bool unicast = false;
  bool has_addresses = false;  ///< a virtual_ipaddress with anything in it
  std::optional<std::int64_t> version;
  std::optional<Place> fractional_interval;
  std::optional<bool> is_v6;  ///< fixed by the first address
};

using I = InstanceDraft;

void note_script(Context& context, const Statement& statement, I&) { (void)read_script(context, statement); }

void set_interface(Context& context, const Statement& statement, I& draft) {
  if (const Word* word = argument(context, statement, 1, "an interface")) draft.instance.interface = word->text;
}

void check_id(Context& context, const Statement& statement, I& draft) {
  if (read_integer(context, statement, 1, 1, 255)) draft.has_id = true;
}

void check_priority(Context& context, const Statement& statement, I&) {
  (void)read_integer(context, statement, 1, 1, 255);
}

void check_interval(Context& context, const Statement& statement, I& draft) {
  const auto interval = read_timer(context, statement, 1, Duration(10'000), std::chrono::seconds(255));
  if (interval && interval->count() % 1'000'000 != 0) draft.fractional_interval = statement.place_of(1);
}

void check_state(Context& context, const Statement& statement, I&) {
  const Word* word = argument(context, statement, 1, "MASTER or BACKUP");
  if (word != nullptr && word->text != "MASTER" && word->text != "BACKUP") {
    context.diagnostics.error(statement.place_of(1), fmt::format("state {} is taken as BACKUP, expected MASTER or "
                                                                 "BACKUP",
                                                                 quoted(word->text)));
  }
}

void check_version(Context& context, const Statement& statement, I& draft) {
  if (auto value = read_integer(context, statement, 1, 2, 3)) draft.version = value;
}

void set_unicast(Context&, const Statement&, I& draft) { draft.unicast = true; }

void track_script(Context& context, const Statement& statement, I&) {
  for (const Statement& line : statement.children) context.tracked_scripts.insert(line.keyword());
}

// --- authentication ---

struct Authentication {};

void check_auth_type(Context& context, const Statement& statement, Authentication&) {
  const Word* word = argument(context, statement, 1, "PASS or AH");
  if (word != nullptr && word->text != "PASS" && word->text != "AH") {
    context.diagnostics.error(statement.place_of(1), fmt::format("auth_type {} ignored, expected PASS or AH; there is "
                                                                 "no authentication without it",
                                                                 quoted(word->text)));
  }
}

void check_auth_pass(Context& context, const Statement& statement, Authentication&) {
  const Word* word = argument(context, statement, 1, "a password of at most 8 characters");
  if (word != nullptr && word->text.size() > auth_pass_max) {
    // The password itself stays out of logs.
    context.diagnostics.warning(statement.place_of(1), fmt::format("auth_pass of {} characters is cut to {}, expected "
                                                                   "at most {}",
                                                                   word->text.size(), auth_pass_max, auth_pass_max));
  }
}

constexpr auto authentication_keywords = std::to_array<Keyword<Authentication>>({
    {"auth_type", check_auth_type},
    {"auth_pass", check_auth_pass},
});

void authentication(Context& context, const Statement& statement, I&) {
  Authentication draft;
  apply<Authentication>(context, authentication_keywords, "authentication", statement.children, draft);
}

// --- addresses ---

/// How many words an option of an address line takes with it, itself included; 0: no such option.
std::size_t option_words(std::string_view option) {
  static constexpr std::array<std::string_view, 8> with_value = {"dev",   "brd",  "broadcast",     "label",
                                                                 "scope", "peer", "preferred_lft", "track_group"};
  static constexpr std::array<std::string_view, 7> alone = {"home",     "-nodad",   "mngtmpaddr", "noprefixroute",
                                                            "autojoin", "no_track", "use_vmac"};
  if (std::find(with_value.begin(), with_value.end(), option) != with_value.end()) return 2;
  return std::find(alone.begin(), alone.end(), option) != alone.end() ? 1 : 0;
}

/// ADDRESS[/LENGTH] [OPTION...]
void read_virtual_address(Context& context, const Statement& line, I& draft, bool advertised) {
  const std::string& text = line.keyword();
  const auto slash = text.find('/');
  const auto address = net::IpAddr::parse(std::string_view(text).substr(0, slash));
  if (!address) {
    context.diagnostics.error(line.place,
                              fmt::format("{} ignored, expected an address such as 192.0.2.1/24", quoted(text)));
    return;
  }
  if (advertised) {
    if (!draft.is_v6) draft.is_v6 = address->is_v6();
    if (*draft.is_v6 != address->is_v6()) {
      context.diagnostics.error(line.place,
                                fmt::format("{} ignored, expected an address of the family of the first one "
                                            "(virtual_ipaddress_excluded takes both)",
                                            quoted(text)));
      return;
    }
  }
  InterfaceAddress result;
  result.position = context.diagnostics.position(line.place);
  result.address = *address;
  const unsigned longest = address->is_v6() ? 128 : 32;
  result.prefix_length = longest;
  if (slash != std::string::npos) {
    const std::string digits = text.substr(slash + 1);
    const bool numeric =
        !digits.empty() && digits.size() <= 3 && digits.find_first_not_of("0123456789") == std::string::npos;
    const unsigned length = numeric ? static_cast<unsigned>(std::stoul(digits)) : 999;
    if (length > longest) {
      context.diagnostics.error(line.place, fmt::format("prefix length of {} is taken as {}, expected 0..{}",
                                                        quoted(text), longest, longest));
    } else {
      result.prefix_length = length;
    }
  }
  for (std::size_t i = 1; i < line.words.size();) {
    const std::string& option = line.words[i].text;
    const std::size_t words = option_words(option);
    if (words == 0) {
      context.diagnostics.error(line.place_of(i), fmt::format("address option {} ignored, expected dev, brd, label, "
                                                              "scope, peer, preferred_lft or a flag",
                                                              quoted(option)));
      ++i;
      continue;
    }
    if (i + words > line.words.size()) {
      context.diagnostics.missing_argument(line.place_of(i),
                                           fmt::format("{} lacks a value; the address is ignored", quoted(option)));
      return;
    }
    if (option == "dev") result.interface = line.words[i + 1].text;
    i += words;
  }
  draft.instance.addresses.push_back(std::move(result));
}

void read_addresses(Context& context, const Statement& statement, I& draft) {
  draft.has_addresses = draft.has_addresses || !statement.children.empty();
  for (const Statement& line : statement.children) read_virtual_address(context, line, draft, true);
  if (statement.children.size() > vrrp_addresses_max) {
    context.diagnostics.notice(statement.place,
                               fmt::format("an advertisement holds {} addresses at most", vrrp_addresses_max));
  }
}
void read_excluded(Context& context, const Statement& statement, I& draft) {
  for (const Statement& line : statement.children) read_virtual_address(context, line, draft, false);
}

// --- the vocabularies ---

constexpr auto instance_keywords = std::to_array<Keyword<I>>({
    {"state", check_state, nullptr, Shape::line, 0},
    {"interface", set_interface, nullptr, Shape::line, 0},
    {"virtual_router_id", check_id, nullptr, Shape::line, 0},
    {"priority", check_priority, nullptr, Shape::line, 0},
    {"advert_int", check_interval, nullptr, Shape::line, 0},
    {"version", check_version, nullptr, Shape::line, 0},
    {"authentication", authentication, nullptr, Shape::block, 0},
    {"virtual_ipaddress", read_addresses, nullptr, Shape::block, 0},
    {"virtual_ipaddress_excluded", read_excluded, nullptr, Shape::block, 0},
    {"unicast_peer", set_unicast, nullptr, Shape::block, 0},
    {"track_script", track_script, nullptr, Shape::block, 0},
    {"notify_master", note_script, nullptr, Shape::line, 0},
    {"notify_backup", note_script, nullptr, Shape::line, 0},
    {"notify_fault", note_script, nullptr, Shape::line, 0},
    {"notify_stop", note_script, nullptr, Shape::line, 0},
    {"notify", note_script, nullptr, Shape::line, 0},
    {"notify_master_rx_lower_pri", note_script, nullptr, Shape::line, 0},
    {"notify_deleted", known<I>, nullptr, Shape::line, 0},
    {"notify_priority_changes", known<I>, nullptr, Shape::line, 0},
    {"no_virtual_ipaddress", known<I>, nullptr, Shape::line, 0},
    {"virtual_routes", known<I>, nullptr, Shape::block, 0},
    {"virtual_rules", known<I>, nullptr, Shape::block, 0},
    {"unicast_src_ip", known<I>, nullptr, Shape::line, 0},
    {"mcast_src_ip", known<I>, nullptr, Shape::line, 0},
    {"unicast_ttl", known<I>, nullptr, Shape::line, 0},
    {"unicast_fault_no_peer", known<I>, nullptr, Shape::line, 0},
    {"check_unicast_src", known<I>, nullptr, Shape::line, 0},
    {"old_unicast_checksum", known<I>, nullptr, Shape::line, 0},
    {"mcast_dst_ip", known<I>, nullptr, Shape::line, 0},
    {"track_src_ip", known<I>, nullptr, Shape::line, 0},
    {"nopreempt", known<I>, nullptr, Shape::line, 0},
    {"preempt", known<I>, nullptr, Shape::line, 0},
    {"preempt_delay", known<I>, nullptr, Shape::line, 0},
    {"smtp_alert", known<I>, nullptr, Shape::line, 0},
    {"track_interface", known<I>, nullptr, Shape::block, 0},
    {"track_file", known<I>, nullptr, Shape::block, 0},
    {"track_process", known<I>, nullptr, Shape::block, 0},
    {"track_bfd", known<I>, nullptr, Shape::block, 0},
    {"dont_track_primary", known<I>, nullptr, Shape::line, 0},
    {"garp_master_delay", known<I>, nullptr, Shape::line, 0},
    {"garp_master_repeat", known<I>, nullptr, Shape::line, 0},
    {"garp_master_refresh", known<I>, nullptr, Shape::line, 0},
    {"garp_master_refresh_repeat", known<I>, nullptr, Shape::line, 0},
    {"garp_lower_prio_delay", known<I>, nullptr, Shape::line, 0},
    {"garp_lower_prio_repeat", known<I>, nullptr, Shape::line, 0},
    {"garp_extra_if", known<I>, nullptr, Shape::line, 0},
    {"vmac_garp_intvl", known<I>, nullptr, Shape::line, 0},
    {"down_timer_adverts", known<I>, nullptr, Shape::line, 0},
    {"lower_prio_no_advert", known<I>, nullptr, Shape::line, 0},
    {"higher_prio_send_advert", known<I>, nullptr, Shape::line, 0},
    {"owner_ignore_adverts", known<I>, nullptr, Shape::line, 0},
    {"skip_check_adv_addr", known<I>, nullptr, Shape::line, 0},
    {"strict_mode", known<I>, nullptr, Shape::line, 0},
    {"timer_expired_backup", known<I>, nullptr, Shape::line, 0},
    {"thread_timer_expired", known<I>, nullptr, Shape::line, 0},
    {"use_vmac", known<I>, nullptr, Shape::line, 0},
    {"use_vmac_addr", known<I>, nullptr, Shape::line, 0},
    {"vmac_xmit_base", known<I>, nullptr, Shape::line, 0},
    {"use_ipvlan", known<I>, nullptr, Shape::line, 0},
    {"vrf", known<I>, nullptr, Shape::line, 0},
    {"accept", known<I>, nullptr, Shape::line, 0},
    {"no_accept", known<I>, nullptr, Shape::line, 0},
    {"promote_secondaries", known<I>, nullptr, Shape::line, 0},
    {"v3_checksum_as_v2", known<I>, nullptr, Shape::line, 0},
    {"kernel_rx_buf_size", known<I>, nullptr, Shape::line, 0},
    {"native_ipv6", known<I>, nullptr, Shape::line, 0},
    {"debug", known<I>, nullptr, Shape::line, 0},
    {"linkbeat_use_polling", known<I>, nullptr, Shape::line, 0},
    {"lvs_sync_daemon_interface", known<I>, nullptr, Shape::line, 0},
    {"auth_hmac", known<I>, nullptr, Shape::block, 0},
    {"group", known<I>, nullptr, Shape::line, 0},
    {"garp_group", known<I>, nullptr, Shape::line, 0},
    {"garp_interval", known<I>, nullptr, Shape::line, 0},
    {"gna_interval", known<I>, nullptr, Shape::line, 0},
    {"min_garp", known<I>, nullptr, Shape::line, 0},
    {"ipv6_nodad", known<I>, nullptr, Shape::line, 0},
});

struct ScriptDraft {
  bool has_script = false;
};
using S = ScriptDraft;

constexpr auto script_keywords = std::to_array<Keyword<S>>({
    {"script",
     [](Context& context, const Statement& statement, S& draft) {
       draft.has_script = read_script(context, statement).has_value();
     },
     nullptr, Shape::line, 0},
    {"interval", known<S>, nullptr, Shape::line, 0},
    {"timeout", known<S>, nullptr, Shape::line, 0},
    {"weight", known<S>, nullptr, Shape::line, 0},
    {"rise", known<S>, nullptr, Shape::line, 0},
    {"fall", known<S>, nullptr, Shape::line, 0},
    {"user", known<S>, nullptr, Shape::line, 0},
    {"init_fail", known<S>, nullptr, Shape::line, 0},
    {"debug", known<S>, nullptr, Shape::line, 0},
});

constexpr auto sync_group_keywords = std::to_array<Keyword<I>>({
    {"group", known<I>, nullptr, Shape::block, 0},
    {"track_interface", known<I>, nullptr, Shape::block, 0},
    {"track_script", track_script, nullptr, Shape::block, 0},
    {"track_file", known<I>, nullptr, Shape::block, 0},
    {"track_process", known<I>, nullptr, Shape::block, 0},
    {"track_bfd", known<I>, nullptr, Shape::block, 0},
    {"notify_master", note_script, nullptr, Shape::line, 0},
    {"notify_backup", note_script, nullptr, Shape::line, 0},
    {"notify_fault", note_script, nullptr, Shape::line, 0},
    {"notify_stop", note_script, nullptr, Shape::line, 0},
    {"notify", note_script, nullptr, Shape::line, 0},
    {"smtp_alert", known<I>, nullptr, Shape::line, 0},
    {"notify_priority_changes", known<I>, nullptr, Shape::line, 0},
    {"sync_group_tracking_weight", known<I>, nullptr, Shape::line, 0},
    {"global_tracking", known<I>, nullptr, Shape::line, 0},
});

/// One notice for the whole block; its content is only read for mistakes.
void note_block(Context& context, const Statement& statement) {
  const std::string name = statement.words.size() > 1 ? " " + quoted(statement.words[1].text) : "";
  context.diagnostics.notice(statement.place,
                             fmt::format("{}{} is accepted, but not acted on yet", statement.keyword(), name));
}

}  // namespace

void read_vrrp_instance(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "the instance's name");
  if (name == nullptr) return;
  for (const VrrpInstance& other : context.config.vrrp_instances) {
    if (other.name == name->text) {
      context.diagnostics.error(statement.place_of(1),
                                fmt::format("vrrp_instance {} ignored, there is one of that name "
                                            "in line {}",
                                            quoted(name->text), other.position.line));
      return;
    }
  }
  note_block(context, statement);
  I draft;
  draft.instance.position = context.diagnostics.position(statement.place);
  draft.instance.name = name->text;
  const bool muted = context.diagnostics.mute_notices(true);
  apply<I>(context, instance_keywords, "vrrp_instance", statement.children, draft);
  context.diagnostics.mute_notices(muted);
  if (!draft.has_id) {
    context.diagnostics.error(statement.place, fmt::format("vrrp_instance {} has no valid virtual_router_id, expected "
                                                           "1..255",
                                                           quoted(name->text)));
  }
  if (draft.instance.interface.empty() && !draft.unicast) {
    context.diagnostics.error(statement.place, fmt::format("vrrp_instance {} has no interface, expected 'interface "
                                                           "NAME' or a unicast_peer",
                                                           quoted(name->text)));
  }
  const bool is_version_2 =
      draft.version.value_or(context.config.global.vrrp.version) == 2 && !draft.is_v6.value_or(false);
  if (draft.fractional_interval && is_version_2) {
    context.diagnostics.warning(*draft.fractional_interval, "advert_int is rounded, expected whole seconds (VRRP 2)");
  }
  if (!draft.has_addresses) {
    context.diagnostics.warning(statement.place, fmt::format("vrrp_instance {} has no address, expected "
                                                             "virtual_ipaddress {{ ... }}",
                                                             quoted(name->text)));
  }
  for (InterfaceAddress& address : draft.instance.addresses) {
    if (address.interface.empty()) address.interface = draft.instance.interface;
  }
  context.config.vrrp_instances.push_back(std::move(draft.instance));
}

void read_vrrp_script(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "the script's name");
  if (name == nullptr) return;
  note_block(context, statement);
  S draft;
  const bool muted = context.diagnostics.mute_notices(true);
  apply<S>(context, script_keywords, "vrrp_script", statement.children, draft);
  context.diagnostics.mute_notices(muted);
  if (draft.has_script) {
    context.scripts.back().vrrp_script = name->text;
  } else {
    context.diagnostics.error(statement.place,
                              fmt::format("vrrp_script {} ignored, expected a script in it", quoted(name->text)));
  }
}

void read_vrrp_sync_group(Context& context, const Statement& statement) {
  if (argument(context, statement, 1, "the group's name") == nullptr) return;
  note_block(context, statement);
  I draft;
  const bool muted = context.diagnostics.mute_notices(true);
  apply<I>(context, sync_group_keywords, "vrrp_sync_group", statement.children, draft);
  context.diagnostics.mute_notices(muted);
}

}  // namespace sluice::control::config
