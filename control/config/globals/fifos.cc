// global_defs: the FIFOs on which changes of state are told, and who reads them.
#include <array>

#include "control/config/fields.h"
#include "control/config/globals/parts.h"
#include "control/config/lift.h"

namespace sluice::control::config {

namespace {

using S = FifoSettings;
using F = Field<S>;

/// KEYWORD PATH [USER [GROUP]].
template <NotifyFifo S::*Fifo>
void read_fifo(Context& context, const Statement& statement, S& settings) {
  const Word* path = argument(context, statement, 1, "PATH [USER [GROUP]]");
  if (path == nullptr) return;
  NotifyFifo& fifo = settings.*Fifo;
  fifo.path = path->text;
  fifo.user.reset();
  fifo.group.reset();
  if (statement.words.size() > 2) fifo.user = statement.words[2].text;
  if (statement.words.size() > 3) fifo.group = statement.words[3].text;
}

template <NotifyFifo S::*Fifo>
void write_fifo(Writer& writer, std::string_view keyword, const S& settings) {
  const NotifyFifo& fifo = settings.*Fifo;
  if (fifo.path.empty()) return;
  std::vector<Arg> args = {plain("path", fifo.path)};
  if (fifo.user) args.push_back(plain("user", *fifo.user));
  if (fifo.group) args.push_back(plain("group", *fifo.group));
  writer.line(keyword, args);
}

template <NotifyFifo S::*Fifo>
void read_reader(Context& context, const Statement& statement, S& settings) {
  read_script_once(context, statement, (settings.*Fifo).reader);
}

template <NotifyFifo S::*Fifo>
void write_reader(Writer& writer, std::string_view keyword, const S& settings) {
  if ((settings.*Fifo).reader) write_script(writer, keyword, *(settings.*Fifo).reader);
}

template <NotifyFifo S::*Fifo>
constexpr Keyword<S> fifo(std::string_view name) {
  return F::custom(name, read_fifo<Fifo>, write_fifo<Fifo>, 4).lenient();
}
template <NotifyFifo S::*Fifo>
constexpr Keyword<S> reader(std::string_view name) {
  return F::custom(name, read_reader<Fifo>, write_reader<Fifo>);
}

constexpr auto lines = later_of(std::to_array<Keyword<S>>({
                                    fifo<&S::all>("notify_fifo"),
                                    reader<&S::all>("notify_fifo_script"),
                                    fifo<&S::vrrp>("vrrp_notify_fifo"),
                                    reader<&S::vrrp>("vrrp_notify_fifo_script"),
                                    fifo<&S::lvs>("lvs_notify_fifo"),
                                    reader<&S::lvs>("lvs_notify_fifo_script"),
                                    F::flag<&S::write_vrrp_states_on_reload>("fifo_write_vrrp_states_on_reload"),
                                    F::boolean<&S::vrrp_priority_changes>("vrrp_notify_priority_changes"),
                                }),
                                {"fifo_write_vrrp_states_on_reload"});

constexpr auto keywords = lifted<&GlobalDefs::fifos, lines>();

}  // namespace

GlobalKeywords fifo_keywords() { return keywords; }

}  // namespace sluice::control::config
