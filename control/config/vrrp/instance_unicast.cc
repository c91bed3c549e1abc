// Where advertisements go to and come from: unicast_peer, mcast_dst_ip, the source address.
#include <array>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

using I = InstanceDraft;
using F = Field<I>;

void read_source(Context& context, const Statement& statement, I& draft) {
  const bool is_unicast = statement.keyword() == "unicast_src_ip";
  if (is_unicast && !draft.unicast_at) draft.unicast_at = statement.place;
  const auto address = read_address(context, statement, 1);
  if (!address || !takes_family(context, statement.place_of(1), draft, address->is_v6(), statement.keyword())) return;
  draft.vi.source = address;
}

void write_source(Writer& writer, std::string_view keyword, const I& draft) {
  const bool is_unicast = !draft.vi.unicast_peers.empty();
  if (draft.vi.source && is_unicast == (keyword == "unicast_src_ip")) {
    writer.line(keyword, {plain("", draft.vi.source->text())});
  }
}

/// ADDRESS [min_ttl N] [max_ttl N].
void read_peer(Context& context, const Statement& line, I& draft) {
  const auto address = net::IpAddr::parse(line.keyword());
  if (!address) {
    context.diagnostics.error(line.place,
                              fmt::format("unicast_peer {} ignored, expected an address", quoted(line.keyword())));
    return;
  }
  if (!takes_family(context, line.place, draft, address->is_v6(), "unicast_peer")) return;
  UnicastPeer peer{context.diagnostics.position(line.place), *address, {}, {}};
  for (std::size_t i = 1; i < line.words.size(); i += 2) {
    const std::string& option = line.words[i].text;
    if (option != "min_ttl" && option != "max_ttl") {
      context.diagnostics.error(line.place_of(i), fmt::format("unicast_peer option {} ignored, expected min_ttl or "
                                                              "max_ttl",
                                                              quoted(option)));
      continue;
    }
    if (i + 1 >= line.words.size()) {
      context.diagnostics.error(line.place_of(i),
                                fmt::format("{} ignored, expected a number 0..255 behind it", option));
      break;
    }
    const auto ttl = read_integer(context, line, i + 1, 0, 255);
    if (ttl) (option == "min_ttl" ? peer.min_ttl : peer.max_ttl) = static_cast<unsigned>(*ttl);
  }
  if (peer.min_ttl && peer.max_ttl && *peer.min_ttl > *peer.max_ttl) {
    context.diagnostics.warning(line.place, fmt::format("min_ttl {} is more than max_ttl {}: all of this peer's "
                                                        "advertisements will be discarded",
                                                        *peer.min_ttl, *peer.max_ttl));
  }
  draft.vi.unicast_peers.push_back(std::move(peer));
}

void read_peers(Context& context, const Statement& statement, I& draft) {
  if (!draft.unicast_at) draft.unicast_at = statement.place;
  for (const Statement& line : statement.children) read_peer(context, line, draft);
}

void write_peers(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.unicast_peers.empty()) return;
  writer.open_list(keyword);
  for (const UnicastPeer& peer : draft.vi.unicast_peers) {
    std::vector<Arg> args = {plain("address", peer.address.text())};
    if (peer.min_ttl) args.push_back(option("min_ttl", std::int64_t{*peer.min_ttl}));
    if (peer.max_ttl) args.push_back(option("max_ttl", std::int64_t{*peer.max_ttl}));
    writer.item(args);
  }
  writer.close_list();
}

void read_ttl(Context& context, const Statement& statement, I& draft) {
  const auto ttl = read_integer(context, statement, 1, 0, 255);
  if (!ttl) return;
  draft.vi.unicast_ttl = static_cast<unsigned>(*ttl);
  draft.unicast_ttl_at = statement.place;
}

void write_ttl(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.unicast_ttl) writer.line(keyword, {plain("", std::int64_t{*draft.vi.unicast_ttl})});
}

/// 2.2.7 has it as a flag.
void read_check_source(Context& context, const Statement& statement, I& draft) {
  if (!draft.unicast_at) draft.unicast_at = statement.place;
  (void)context;
  draft.vi.check_unicast_src.write(true);
}

void write_check_source(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.check_unicast_src && !draft.vi.unicast_peers.empty()) writer.line(keyword, {});
}

void read_old_checksum(Context& context, const Statement& statement, I& draft) {
  static constexpr std::array<Choice<OldChecksum>, 1> kinds = {{{"never", OldChecksum::never}}};
  if (!draft.unicast_at) draft.unicast_at = statement.place;
  if (statement.words.size() < 2) {
    draft.vi.old_unicast_checksum = OldChecksum::always;
  } else if (const auto kind = read_choice(context, statement, 1, kinds)) {
    draft.vi.old_unicast_checksum = *kind;
  }
}

void write_old_checksum(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.old_unicast_checksum == OldChecksum::always) writer.line(keyword, {});
  if (draft.vi.old_unicast_checksum == OldChecksum::never) writer.line(keyword, {plain("", std::string("never"))});
}

void read_multicast(Context& context, const Statement& statement, I& draft) {
  const auto address = read_address(context, statement, 1);
  if (!address) return;
  if (address->is_v4() ? !address->v4().is_multicast() : address->v6().bytes[0] != 0xff) {
    context.diagnostics.error(statement.place_of(1), fmt::format("mcast_dst_ip {} ignored, expected a multicast "
                                                                 "address",
                                                                 quoted(address->text())));
    return;
  }
  if (!takes_family(context, statement.place_of(1), draft, address->is_v6(), "mcast_dst_ip")) return;
  draft.vi.multicast_group = address;
  draft.multicast_at = statement.place;
}

void write_multicast(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.multicast_group) writer.line(keyword, {plain("", draft.vi.multicast_group->text())});
}

using V = VrrpInstance;
constexpr auto own = std::to_array<Keyword<I>>({
    F::custom("mcast_src_ip", read_source, write_source, 2),
    F::custom("unicast_src_ip", read_source, write_source, 2),
    F::block("unicast_peer", read_peers, write_peers).words(1),
    F::custom("unicast_ttl", read_ttl, write_ttl, 2),
    F::custom("check_unicast_src", read_check_source, write_check_source, 1),
    F::custom("old_unicast_checksum", read_old_checksum, write_old_checksum, 2),
    F::custom("mcast_dst_ip", read_multicast, write_multicast, 2),
});
constexpr auto plain_lines = std::to_array<Keyword<V>>({
    Field<V>::flag<&V::unicast_fault_no_peer>("unicast_fault_no_peer"),
    Field<V>::flag<&V::track_src_ip>("track_src_ip"),
});
constexpr auto keywords = joined(own, lifted<&I::vi, plain_lines>());

}  // namespace

InstanceKeywords unicast_keywords() { return keywords; }

}  // namespace sluice::control::config
