// Who an instance is and how it takes part in elections: state, interface, virtual_router_id, priority, intervals.
#include <array>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

using I = InstanceDraft;
using F = Field<I>;
using V = VrrpInstance;

constexpr Duration advert_min = std::chrono::milliseconds(10);
constexpr Duration advert_max = std::chrono::seconds(255);
constexpr Duration preempt_delay_max = std::chrono::seconds(1000);

void read_state(Context& context, const Statement& statement, I& draft) {
  const Word* word = argument(context, statement, 1, "MASTER or BACKUP");
  if (word == nullptr) return;
  if (word->text != "MASTER" && word->text != "BACKUP") {
    context.diagnostics.error(
        statement.place_of(1),
        fmt::format("state {} is taken as BACKUP, expected MASTER or BACKUP", quoted(word->text)));
  }
  const auto state = word->text == "MASTER" ? InitialState::master : InitialState::backup;
  if (draft.state == InitialState::master && state == InitialState::backup) {
    context.diagnostics.warning(statement.place_of(1), "state BACKUP ignored, it was MASTER before");
    return;
  }
  draft.state = state;
  draft.vi.state = state;
}

void write_state(Writer& writer, std::string_view keyword, const I& draft) {
  writer.line(keyword, {plain("", std::string(draft.vi.state == InitialState::master ? "MASTER" : "BACKUP"))});
}

void read_interface(Context& context, const Statement& statement, I& draft) {
  const Word* word = argument(context, statement, 1, "an interface");
  if (word == nullptr) return;
  if (word->text == "lo") {
    context.diagnostics.error(statement.place_of(1), "interface 'lo' ignored, VRRP needs one that others are on");
    return;
  }
  context.interfaces.push_back({statement.place_of(1), word->text});
  draft.vi.interface = word->text;
}

void read_vrf(Context& context, const Statement& statement, I& draft) {
  const Word* word = argument(context, statement, 1, "a VRF's interface");
  if (word == nullptr) return;
  context.interfaces.push_back({statement.place_of(1), word->text});
  draft.vrf = word->text;
  draft.vrf_at = statement.place;
}

void read_id(Context& context, const Statement& statement, I& draft) {
  if (const auto id = read_integer(context, statement, 1, 1, 255)) {
    draft.vi.virtual_router_id = static_cast<unsigned>(*id);
    draft.has_id = true;
  }
}

void read_advert_int(Context& context, const Statement& statement, I& draft) {
  if (const auto interval = read_timer(context, statement, 1, advert_min, advert_max)) {
    draft.vi.advert_int = *interval;
    draft.advert_int_at = statement.place_of(1);
  }
}

void read_version(Context& context, const Statement& statement, I& draft) {
  if (const auto version = read_integer(context, statement, 1, 2, 3)) draft.version = static_cast<unsigned>(*version);
}

/// The last of nopreempt and preempt counts.
void read_nopreempt(Context&, const Statement& statement, I& draft) {
  draft.vi.nopreempt = statement.keyword() == "nopreempt";
  draft.nopreempt_at = statement.place;
}

void read_preempt_delay(Context& context, const Statement& statement, I& draft) {
  if (const auto delay = read_timer(context, statement, 1, Duration(0), preempt_delay_max)) {
    draft.vi.preempt_delay = *delay;
    draft.preempt_delay_at = statement.place;
  }
}

void write_preempt_delay(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.preempt_delay.count() > 0) writer.line(keyword, {plain("", draft.vi.preempt_delay)});
}

/// Old, and still a way to say the family of an instance without addresses.
void read_native_ipv6(Context& context, const Statement& statement, I& draft) {
  (void)takes_family(context, statement.place, draft, true, "native_ipv6");
}

void write_native_ipv6(Writer& writer, std::string_view keyword, const I& draft) {
  const V& vi = draft.vi;
  const bool is_clear = !vi.addresses.empty() || vi.source || !vi.unicast_peers.empty() || vi.multicast_group ||
                        (vi.ipvlan && vi.ipvlan->address);
  if (vi.is_v6 && !is_clear) writer.line(keyword, {});
}

template <auto Member>
void write_word(Writer& writer, std::string_view keyword, const I& draft) {
  if (!(draft.vi.*Member).empty()) writer.line(keyword, {plain("", draft.vi.*Member)});
}

constexpr auto first = std::to_array<Keyword<I>>({
    F::custom("state", read_state, write_state, 2),
    F::custom("interface", read_interface, write_word<&V::interface>, 2),
    F::custom("vrf", read_vrf, write_word<&V::vrf>, 2),
    F::custom("native_ipv6", read_native_ipv6, write_native_ipv6, 1),
});

constexpr auto numbers = std::to_array<Keyword<V>>({
    Field<V>::integer<&V::priority, 1, 255>("priority"),
});

constexpr auto second = std::to_array<Keyword<I>>({
    F::custom(
        "virtual_router_id", read_id,
        [](Writer& writer, std::string_view keyword, const I& draft) {
          writer.line(keyword, {plain("", std::int64_t{draft.vi.virtual_router_id})});
        },
        2),
    F::custom(
        "version", read_version,
        [](Writer& writer, std::string_view keyword, const I& draft) {
          writer.line(keyword, {plain("", std::int64_t{draft.vi.version})});
        },
        2),
    F::custom(
        "advert_int", read_advert_int,
        [](Writer& writer, std::string_view keyword, const I& draft) {
          writer.line(keyword, {plain("", draft.vi.advert_int)});
        },
        2),
    F::custom(
        "nopreempt", read_nopreempt,
        [](Writer& writer, std::string_view keyword, const I& draft) {
          if (draft.vi.nopreempt) writer.line(keyword, {});
        },
        1),
    F::custom("preempt", read_nopreempt, nullptr, 1),
    F::custom("preempt_delay", read_preempt_delay, write_preempt_delay, 2),
});

constexpr auto keywords = joined(first, lifted<&I::vi, numbers>(), second);

}  // namespace

InstanceKeywords identity_keywords() { return keywords; }

}  // namespace sluice::control::config
