// What an instance does besides electing: notify scripts, gratuitous ARPs, acceptance of packets, odds and ends.
#include <array>

#include "control/config/garp.h"
#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

using I = InstanceDraft;
using F = Field<I>;
using V = VrrpInstance;
using VF = Field<V>;
using G = GarpSettings;
using N = VrrpNotify;

// --- notify_deleted [SCRIPT] ---

void read_deleted(Context& context, const Statement& statement, N& notify) {
  notify.deleted_not_fault = true;
  if (statement.words.size() > 1) read_script_once(context, statement, notify.deleted);
}

void write_deleted(Writer& writer, std::string_view keyword, const N& notify) {
  if (notify.deleted) {
    write_script(writer, keyword, *notify.deleted);
  } else if (notify.deleted_not_fault) {
    writer.line(keyword, {});
  }
}

constexpr auto instance_notify_lines = std::to_array<Keyword<N>>({
    Field<N>::custom("notify_deleted", read_deleted, write_deleted),
    Field<N>::script<&N::master_rx_lower_pri>("notify_master_rx_lower_pri"),
});

// --- gratuitous ARPs ---

constexpr auto extra_if = Field<G>::custom("garp_extra_if", read_garp_extra, write_garp_extra, 3);

constexpr auto garp_lines = std::to_array<Keyword<G>>({
    Field<G>::seconds<&G::master_delay, 0, garp_delay_max>("garp_master_delay"),
    garp_count<&G::master_repeat>("garp_master_repeat"),
    Field<G>::seconds<&G::master_refresh, 0, garp_count_max>("garp_master_refresh"),
    garp_count<&G::master_refresh_repeat>("garp_master_refresh_repeat"),
    Field<G>::seconds<&G::lower_prio_delay, 0, garp_delay_max>("garp_lower_prio_delay"),
    Field<G>::integer<&G::lower_prio_repeat, 0, 2147483647>("garp_lower_prio_repeat"),
    extra_if,
    extra_if.deprecated("vmac_garp_intvl"),
});

// --- the others ---

/// The last of accept and no_accept counts.
void read_accept(Context&, const Statement& statement, I& draft) {
  draft.vi.accept.write(statement.keyword() == "accept");
  draft.accept_at = statement.place;
}

/// Both words are said: what goes without saying depends on strict mode and on the priority.
void write_accept(Writer& writer, std::string_view keyword, const I& draft) {
  const V& vi = draft.vi;
  // VRRP 2 in strict mode has no word for it, and an owner accepts.
  if (vi.strict && vi.version == 2 && vi.accept) return;
  if (vi.accept.value == (keyword == "accept")) writer.line(keyword, {});
}

/// keepalived's own quirk: any word turns it on.
void read_skip_check(Context& context, const Statement& statement, I& draft) {
  const auto value = read_bool(context, statement, 1);
  if (!value) return;
  draft.vi.skip_check_adv_addr.write(true);
  if (!*value) {
    context.diagnostics.notice(
        statement.place_of(1),
        "careful: keepalived turns skip_check_adv_addr on whatever the word behind it is, and so "
        "does this; leave the line out to have global_defs' setting");
  }
}

void write_skip_check(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.skip_check_adv_addr) writer.line(keyword, {plain("", true)});
}

/// Without a value: three adverts.
constexpr unsigned timer_expired_default = 3;

void read_timer_expired(Context& context, const Statement& statement, I& draft) {
  if (statement.words.size() < 2) {
    draft.vi.timer_expired_backup = timer_expired_default;
  } else if (const auto value = read_integer(context, statement, 1, 1, 254)) {
    draft.vi.timer_expired_backup = static_cast<unsigned>(*value);
  }
}

void write_timer_expired(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.timer_expired_backup) writer.line(keyword, {plain("", std::int64_t{*draft.vi.timer_expired_backup})});
}

void read_linkbeat(Context& context, const Statement& statement, I& draft) {
  context.diagnostics.warning(statement.place,
                              "linkbeat_use_polling in a vrrp_instance is old, expected the linkbeat_interfaces block");
  draft.vi.linkbeat_use_polling = true;
}

void write_linkbeat(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.linkbeat_use_polling) writer.line(keyword, {});
}

/// Becomes global_defs' lvs_sync_daemon unless there is one.
void read_sync_daemon(Context& context, const Statement& statement, I& draft) {
  const Word* word = argument(context, statement, 1, "an interface");
  if (word == nullptr) return;
  context.diagnostics.warning(
      statement.place, fmt::format("lvs_sync_daemon_interface is old, expected 'lvs_sync_daemon {} {}' in global_defs",
                                   word->text, draft.vi.name));
  auto& daemon = context.config.global.lvs.sync_daemon;
  if (daemon) return;
  daemon = SyncDaemon{.position = context.diagnostics.position(statement.place),
                      .interface = word->text,
                      .vrrp_instance = draft.vi.name};
}

constexpr auto own = std::to_array<Keyword<I>>({
    F::custom("accept", read_accept, write_accept, 1),
    F::custom("no_accept", read_accept, write_accept, 1),
    F::custom("skip_check_adv_addr", read_skip_check, write_skip_check, 2),
    F::custom("timer_expired_backup", read_timer_expired, write_timer_expired, 2),
    F::custom("timer_expired_backup", read_timer_expired, nullptr, 2).deprecated("thread_timer_expired"),
    F::custom("linkbeat_use_polling", read_linkbeat, write_linkbeat, 1)
        .no_effect("the kernel tells of every change of a link at once"),
    F::custom("lvs_sync_daemon_interface", read_sync_daemon, nullptr, 2),
});

constexpr auto plain_lines = std::to_array<Keyword<V>>({
    VF::boolean<&V::strict>("strict_mode"),
    VF::boolean<&V::notify_priority_changes>("notify_priority_changes"),
    VF::boolean<&V::smtp_alert>("smtp_alert"),
    VF::flag<&V::dont_track_primary>("dont_track_primary"),
    VF::integer<&V::down_timer_adverts, 1, 100>("down_timer_adverts"),
    VF::boolean<&V::lower_prio_no_advert>("lower_prio_no_advert"),
    VF::boolean<&V::higher_prio_send_advert>("higher_prio_send_advert"),
    VF::boolean<&V::owner_ignore_adverts>("owner_ignore_adverts"),
    VF::boolean<&V::v3_checksum_as_v2>("v3_checksum_as_v2"),
    VF::flag<&V::no_virtual_ipaddress>("no_virtual_ipaddress"),
    VF::flag<&V::promote_secondaries>("promote_secondaries"),
    VF::integer<&V::kernel_rx_buf_size, 0, 4294967295>("kernel_rx_buf_size"),
    VF::integer<&V::debug, 0, 4>("debug").no_effect("how much is logged is decided by sluiced's options"),
});

constexpr auto of_instance = joined(plain_lines, lifted<&V::notify, notify_lines>(),
                                    lifted<&V::notify, instance_notify_lines>(), lifted<&V::garp, garp_lines>());
constexpr auto keywords = later_of(joined(lifted<&I::vi, of_instance>(), own), {"lvs_sync_daemon_interface"});

}  // namespace

InstanceKeywords behaviour_keywords() { return keywords; }

}  // namespace sluice::control::config
