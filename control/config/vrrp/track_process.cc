// vrrp_track_process: whether processes run on this host.
#include <array>

#include "control/config/vrrp/block.h"

namespace sluice::control::config {

namespace {

constexpr int weight_max = track_weight_max + 1;
constexpr std::int64_t quorum_limit = 65535;
constexpr Duration delay_min = Duration(1);
constexpr Duration delay_max = std::chrono::seconds(3600);

struct ProcessDraft {
  TrackProcess block;
  bool has_quorum = false;
};
using P = ProcessDraft;
using F = Field<P>;

void read_process(Context& context, const Statement& statement, P& draft) {
  if (argument(context, statement, 1, "a command's name, and maybe parameters") == nullptr) return;
  if (!draft.block.command.empty()) {
    context.diagnostics.error(statement.place, "process ignored, the block has one already");
    return;
  }
  for (std::size_t i = 1; i < statement.words.size(); ++i) draft.block.command.push_back(statement.words[i].text);
}

void write_process(Writer& writer, std::string_view keyword, const P& draft) {
  std::vector<Arg> args;
  for (const std::string& word : draft.block.command) args.push_back(plain("", word));
  writer.line(keyword, args);
}

constexpr std::array<Choice<ParamMatch>, 2> matches = {
    {{"initial", ParamMatch::initial}, {"partial", ParamMatch::partial}}};

void read_match(Context& context, const Statement& statement, P& draft) {
  if (statement.words.size() < 2) {
    draft.block.match = ParamMatch::exact;
  } else if (const auto match = read_choice(context, statement, 1, matches)) {
    draft.block.match = *match;
  }
}

void write_match(Writer& writer, std::string_view keyword, const P& draft) {
  if (draft.block.match == ParamMatch::name) return;
  if (draft.block.match == ParamMatch::exact) return writer.line(keyword, {});
  writer.line(keyword, {plain("", std::string(word_of(matches, draft.block.match)))});
}

void read_quorum(Context& context, const Statement& statement, P& draft) {
  const auto value = read_integer(context, statement, 1, 1, quorum_limit);
  if (!value) return;
  if (draft.block.quorum_max && *value > *draft.block.quorum_max) {
    context.diagnostics.error(statement.place_of(1), fmt::format("quorum '{}' ignored, expected at most quorum_max {}",
                                                                 *value, *draft.block.quorum_max));
    return;
  }
  draft.block.quorum = static_cast<unsigned>(*value);
  draft.has_quorum = true;
}

void read_quorum_max(Context& context, const Statement& statement, P& draft) {
  const auto value = read_integer(context, statement, 1, 0, quorum_limit);
  if (!value) return;
  if (draft.has_quorum && *value < draft.block.quorum) {
    context.diagnostics.error(statement.place_of(1), fmt::format("quorum_max '{}' ignored, expected at least quorum {}",
                                                                 *value, draft.block.quorum));
    return;
  }
  draft.block.quorum_max = static_cast<unsigned>(*value);
}

void write_quorum(Writer& writer, std::string_view keyword, const P& draft) {
  // With quorum_max 0 none may run: a quorum would contradict it.
  if (draft.block.quorum_max != 0u) writer.line(keyword, {plain("", std::int64_t{draft.block.quorum})});
}

void write_quorum_max(Writer& writer, std::string_view keyword, const P& draft) {
  if (draft.block.quorum_max) writer.line(keyword, {plain("", std::int64_t{*draft.block.quorum_max})});
}

template <bool Fork, bool Terminate>
void read_delay(Context& context, const Statement& statement, P& draft) {
  const auto delay = read_timer(context, statement, 1, delay_min, delay_max);
  if (!delay) return;
  if (Fork) draft.block.fork_delay = *delay;
  if (Terminate) draft.block.terminate_delay = *delay;
}

template <Duration TrackProcess::*Member>
void write_delay(Writer& writer, std::string_view keyword, const P& draft) {
  if ((draft.block.*Member).count() > 0) writer.line(keyword, {plain("", draft.block.*Member)});
}

constexpr auto block_lines = std::to_array<Keyword<TrackProcess>>({
    weight_keyword<TrackProcess, weight_max>(),
    Field<TrackProcess>::flag<&TrackProcess::full_command>("full_command"),
});

constexpr auto own_lines = std::to_array<Keyword<P>>({
    F::custom("process", read_process, write_process),
    F::custom("param_match", read_match, write_match, 2),
    F::custom("quorum", read_quorum, write_quorum, 2),
    F::custom("quorum_max", read_quorum_max, write_quorum_max, 2),
    F::custom("fork_delay", read_delay<true, false>, write_delay<&TrackProcess::fork_delay>, 2),
    F::custom("terminate_delay", read_delay<false, true>, write_delay<&TrackProcess::terminate_delay>, 2),
    F::custom("delay", read_delay<true, true>, nullptr, 2),
});

constexpr auto keywords = joined(own_lines, lifted<&P::block, block_lines>());

}  // namespace

void read_track_process(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "a name for what is watched");
  if (name == nullptr || !is_first(context, statement, context.config.track_processes)) return;
  P draft;
  draft.block.position = context.diagnostics.position(statement.place);
  draft.block.name = name->text;
  apply<P>(context, keywords, "vrrp_track_process", statement.children, draft);
  if (draft.block.command.empty()) {
    context.diagnostics.error(
        statement.place,
        fmt::format("vrrp_track_process {} ignored, expected 'process COMMAND' in it", quoted(name->text)));
    return;
  }
  keep_named(context, "vrrp_track_process", context.config.track_processes, std::move(draft.block));
}

void write_track_processes(Writer& writer, const Config& config) {
  for (const TrackProcess& process : config.track_processes) {
    writer.open("vrrp_track_process", {plain("name", process.name)}, Occurs::repeated);
    write_all<P>(writer, keywords, P{process, false});
    writer.close();
  }
}

void list_track_process(const std::string& block, std::vector<KeywordInfo>& out) { list_all<P>(block, keywords, out); }

}  // namespace sluice::control::config
