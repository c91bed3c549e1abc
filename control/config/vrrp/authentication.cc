// authentication (VRRP 2's passwords) and auth_hmac (keepalived's signature behind an advertisement).
#include <algorithm>
#include <array>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

// --- authentication ---

using A = AuthenticationDraft;

constexpr std::array<Choice<AuthType>, 2> auth_types = {{{"PASS", AuthType::pass}, {"AH", AuthType::ah}}};

/// The password itself stays out of messages.
void read_password(Context& context, const Statement& statement, A& draft) {
  const Word* word = argument(context, statement, 1, "a password of at most 8 characters");
  if (word == nullptr) return;
  if (word->text.size() > auth_password_max) {
    context.diagnostics.warning(
        statement.place_of(1),
        fmt::format(
            "auth_pass of {} characters is cut to {}, expected at most {}; a peer that uses all of them refuses "
            "these advertisements",
            word->text.size(), auth_password_max, auth_password_max));
  }
  draft.password = word->text.substr(0, auth_password_max);
}

void read_type(Context& context, const Statement& statement, A& draft) {
  if (const auto type = read_choice(context, statement, 1, auth_types)) draft.type = *type;
}

constexpr auto auth_keywords = std::to_array<Keyword<A>>({
    Field<A>::custom(
        "auth_type", read_type,
        [](Writer& writer, std::string_view keyword, const A& draft) {
          if (draft.type) writer.line(keyword, {plain("", std::string(word_of(auth_types, *draft.type)))});
        },
        2),
    Field<A>::custom(
        "auth_pass", read_password,
        [](Writer& writer, std::string_view keyword, const A& draft) {
          if (draft.type) writer.line(keyword, {plain("", draft.password)});
        },
        2),
});

void read_authentication(Context& context, const Statement& statement, InstanceDraft& draft) {
  draft.authentication.place = statement.place;
  apply<A>(context, auth_keywords, "authentication", statement.children, draft.authentication);
}

void write_authentication(Writer& writer, std::string_view keyword, const InstanceDraft& draft) {
  if (!draft.vi.authentication) return;
  writer.open(keyword, {});
  write_all<A>(writer, auth_keywords, A{{}, draft.vi.authentication->type, draft.vi.authentication->password});
  writer.close();
}

// --- auth_hmac ---

using H = AuthHmac;
constexpr std::size_t key_bytes_min = 32;
constexpr std::size_t key_bytes_max = 64;

constexpr std::array<Choice<H::AntiReplay>, 2> anti_replays = {
    {{"time", H::AntiReplay::time}, {"monotonic", H::AntiReplay::monotonic}}};
constexpr std::array<Choice<H::Mode>, 3> modes = {
    {{"enforce", H::Mode::enforce}, {"permissive", H::Mode::permissive}, {"receive-only", H::Mode::receive_only}}};

/// hex:DIGITS, file:PATH, or the key's characters.
bool is_key(std::string_view secret) {
  if (secret.starts_with("file:")) return secret.size() > 5;
  if (!secret.starts_with("hex:")) return secret.size() >= key_bytes_min && secret.size() <= key_bytes_max;
  secret.remove_prefix(4);
  const bool digits = std::ranges::all_of(
      secret, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
  return digits && secret.size() % 2 == 0 && secret.size() >= 2 * key_bytes_min && secret.size() <= 2 * key_bytes_max;
}

/// key ID SECRET; again: another one.
void read_key(Context& context, const Statement& statement, H& hmac) {
  const auto id = read_integer(context, statement, 1, 1, 255);
  const Word* secret = argument(context, statement, 2, "a key");
  if (!id || secret == nullptr) return;
  if (!is_key(secret->text)) {
    context.diagnostics.error(statement.place_of(2),
                              fmt::format("key '{}' ignored, expected {} to {} bytes as hex:DIGITS, file:PATH or "
                                          "characters",
                                          *id, key_bytes_min, key_bytes_max));
    return;
  }
  const auto same = std::ranges::find(hmac.keys, static_cast<unsigned>(*id), &HmacKey::id);
  if (same != hmac.keys.end()) {
    context.diagnostics.error(statement.place_of(1), fmt::format("key '{}' ignored, there is one of that id", *id));
    return;
  }
  hmac.keys.push_back({static_cast<unsigned>(*id), secret->text});
}

void write_keys(Writer& writer, std::string_view keyword, const H& hmac) {
  for (const HmacKey& key : hmac.keys) {
    writer.line(keyword, {plain("id", std::int64_t{key.id}), plain("secret", key.secret)}, Occurs::repeated);
  }
}

constexpr auto hmac_keywords = std::to_array<Keyword<H>>({
    Field<H>::custom("key", read_key, write_keys, 3),
    Field<H>::integer<&H::active_key, 1, 255>("active_key"),
    Field<H>::choice<&H::anti_replay, anti_replays>("anti_replay"),
    Field<H>::seconds<&H::time_window, 1, 300>("time_window"),
    Field<H>::choice<&H::mode, modes>("mode"),
});

void read_hmac(Context& context, const Statement& statement, InstanceDraft& draft) {
  H hmac;
  apply<H>(context, hmac_keywords, "auth_hmac", statement.children, hmac);
  if (hmac.keys.empty()) {
    context.diagnostics.error(statement.place, "auth_hmac ignored, expected 'key ID SECRET' in it");
    return;
  }
  if (hmac.active_key && std::ranges::find(hmac.keys, *hmac.active_key, &HmacKey::id) == hmac.keys.end()) {
    const auto line = std::ranges::find(statement.children, "active_key", &Statement::keyword);
    context.diagnostics.error(line == statement.children.end() ? statement.place : line->place_of(1),
                              fmt::format("active_key {} ignored, expected the id of one of its keys; key {} signs",
                                          *hmac.active_key, hmac.keys.front().id));
    hmac.active_key.reset();
  }
  draft.vi.auth_hmac = std::move(hmac);
}

void write_hmac(Writer& writer, std::string_view keyword, const InstanceDraft& draft) {
  if (!draft.vi.auth_hmac) return;
  writer.open(keyword, {});
  write_all<H>(writer, hmac_keywords, *draft.vi.auth_hmac);
  writer.close();
}

void list_authentication(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<A>(block, auth_keywords, out);
}
void list_hmac(const std::string& block, std::vector<KeywordInfo>& out) { list_all<H>(block, hmac_keywords, out); }

using F = Field<InstanceDraft>;
constexpr auto keywords = std::to_array<Keyword<InstanceDraft>>({
    F::block("authentication", read_authentication, write_authentication, list_authentication).words(1),
    F::block("auth_hmac", read_hmac, write_hmac, list_hmac).words(1),
});

}  // namespace

InstanceKeywords authentication_keywords() { return keywords; }

}  // namespace sluice::control::config
