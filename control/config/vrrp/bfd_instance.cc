// bfd_instance: a session with a neighbour (RFC 5880) that tells within milliseconds that it is gone.
#include <algorithm>
#include <array>

#include "control/config/vrrp/block.h"

namespace sluice::control::config {

namespace {

constexpr std::size_t name_max = 31;
constexpr std::int64_t interval_max_ms = 4'294'967;
constexpr unsigned ttl_v4 = 255;
constexpr unsigned ttl_v6 = 64;

struct BfdDraft {
  BfdInstance block;
  std::optional<net::IpAddr> neighbor;
  std::optional<unsigned> ttl;
  Place source_at;
  bool vrrp = false;
  bool checker = false;
};
using B = BfdDraft;
using F = Field<B>;

/// Milliseconds, down to thousandths.
template <Duration BfdInstance::*Member, std::int64_t MinMs>
void read_interval(Context& context, const Statement& statement, B& draft) {
  const std::string expected = fmt::format("milliseconds {}..{}, decimals allowed", MinMs, interval_max_ms);
  const Word* word = argument(context, statement, 1, expected);
  if (word == nullptr) return;
  const std::string_view text = word->text;
  const std::string_view whole = text.substr(0, text.find('.'));
  std::string_view part = whole.size() < text.size() ? text.substr(whole.size() + 1) : std::string_view();
  const auto number = parse_number(whole, interval_max_ms);
  std::int64_t value = number ? std::int64_t{*number} * 1000 : -1;
  bool good = value >= 0;
  for (std::int64_t unit = 100; !part.empty(); part.remove_prefix(1), unit /= 10) {
    good = good && part.front() >= '0' && part.front() <= '9';
    value += unit * (part.front() - '0');
  }
  if (!good || value < MinMs * 1000 || value > interval_max_ms * 1000) {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("{} {} ignored, expected {}", statement.keyword(), quoted(text), expected));
    return;
  }
  draft.block.*Member = Duration(value);
}

template <Duration BfdInstance::*Member>
void write_interval(Writer& writer, std::string_view keyword, const B& draft) {
  // Written as seconds are, it is milliseconds if a thousand times as long.
  writer.line(keyword, {plain("", seconds_text((draft.block.*Member) * 1000))});
}

template <Duration BfdInstance::*Member, std::int64_t MinMs>
constexpr Keyword<B> interval(std::string_view name) {
  return F::custom(name, read_interval<Member, MinMs>, write_interval<Member>, 2);
}

void write_ttl(Writer& writer, std::string_view keyword, const B& draft) {
  if (draft.block.neighbor.is_v6() == (keyword == "hoplimit")) {
    writer.line(keyword, {plain("", std::int64_t{draft.block.ttl})});
  }
}

constexpr auto ttl(std::string_view name) {
  auto line = F::integer<&B::ttl, 1, 255>(name);
  line.write = write_ttl;
  return line;
}

void write_neighbor(Writer& writer, std::string_view keyword, const B& draft) {
  writer.line(keyword, {plain("", draft.block.neighbor.text())});
}

/// `vrrp` or `checker` alone: the others don't hear of it.
constexpr auto vrrp_only = F::custom(
    "vrrp", [](Context&, const Statement&, B& draft) { draft.vrrp = true; },
    [](Writer& writer, std::string_view keyword, const B& draft) {
      if (!draft.block.for_checkers) writer.line(keyword, {});
    },
    1);
constexpr auto checker_only = F::custom(
    "checker", [](Context&, const Statement&, B& draft) { draft.checker = true; },
    [](Writer& writer, std::string_view keyword, const B& draft) {
      if (!draft.block.for_vrrp) writer.line(keyword, {});
    },
    1);

constexpr auto neighbor = [] {
  auto line = F::address<&B::neighbor>("neighbor_ip");
  line.write = write_neighbor;
  return line;
}();

using BI = BfdInstance;
constexpr auto block_lines = std::to_array<Keyword<BI>>({
    Field<BI>::integer<&BI::multiplier, 1, 255>("multiplier"),
    Field<BI>::flag<&BI::passive>("passive"),
    Field<BI>::integer<&BI::max_hops, -1, 255>("max_hops"),
    Field<BI>::boolean<&BI::multihop>("multihop"),
    weight_keyword<BI, track_weight_max>(),
});

void read_source(Context& context, const Statement& statement, B& draft) {
  draft.block.source = read_address(context, statement, 1);
  draft.source_at = statement.place_of(std::min<std::size_t>(1, statement.words.size() - 1));
}

constexpr auto own_lines = std::to_array<Keyword<B>>({
    F::custom(
        "source_ip", read_source,
        [](Writer& writer, std::string_view keyword, const B& draft) {
          if (draft.block.source) writer.line(keyword, {plain("", draft.block.source->text())});
        },
        2),
    neighbor,
    neighbor.alias("neighbour_ip"),
    interval<&BI::min_rx, 1>("min_rx"),
    interval<&BI::min_tx, 1>("min_tx"),
    interval<&BI::idle_tx, 1000>("idle_tx"),
    ttl("ttl"),
    ttl("hoplimit"),
    vrrp_only,
    checker_only,
});

constexpr auto keywords = joined(own_lines, lifted<&B::block, block_lines>());

/// keepalived drops what it can't run, and says why.
bool settle(Context& context, const Statement& statement, B& draft) {
  const auto drop_at = [&](Place place, std::string why) {
    context.diagnostics.error(place,
                              fmt::format("bfd_instance {} ignored: {}", quoted(draft.block.name), std::move(why)));
    return false;
  };
  const auto drop = [&](std::string why) { return drop_at(statement.place, std::move(why)); };
  if (!draft.neighbor) return drop("expected a neighbor_ip in it");
  draft.block.neighbor = *draft.neighbor;
  if (draft.block.source && draft.block.source->is_v6() != draft.neighbor->is_v6()) {
    return drop_at(draft.source_at, "expected source_ip and neighbor_ip of one family");
  }
  const auto [same, is_new] =
      context.names.emplace("bfd neighbor " + draft.neighbor->text(), context.config.bfd_instances.size());
  if (!is_new) {
    return drop(fmt::format("the one in line {} has the same neighbor_ip",
                            context.config.bfd_instances[same->second].position.line));
  }
  draft.block.ttl = draft.ttl.value_or(draft.neighbor->is_v6() ? ttl_v6 : ttl_v4);
  draft.block.for_vrrp = draft.vrrp || !draft.checker;
  draft.block.for_checkers = draft.checker || !draft.vrrp;
  return true;
}

}  // namespace

void read_bfd_instance(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "the session's name");
  if (name == nullptr || !is_new(context, statement, context.config.bfd_instances)) return;
  if (name->text.size() > name_max) {
    context.diagnostics.error(statement.place_of(1), fmt::format("bfd_instance {} ignored, expected a name of at most "
                                                                 "{} characters",
                                                                 quoted(name->text), name_max));
    return;
  }
  B draft;
  draft.block.position = context.diagnostics.position(statement.place);
  draft.block.name = name->text;
  apply<B>(context, keywords, "bfd_instance", statement.children, draft);
  if (!settle(context, statement, draft)) return;
  keep_named(context, "bfd_instance", context.config.bfd_instances, std::move(draft.block));
}

void write_bfd_instances(Writer& writer, const Config& config) {
  for (const BfdInstance& bfd : config.bfd_instances) {
    writer.open("bfd_instance", {plain("name", bfd.name)}, Occurs::repeated);
    B draft;
    draft.block = bfd;
    draft.ttl = bfd.ttl;
    write_all<B>(writer, keywords, draft);
    writer.close();
  }
}

void list_bfd_instance(const std::string& block, std::vector<KeywordInfo>& out) { list_all<B>(block, keywords, out); }

}  // namespace sluice::control::config
