// What checkers share; see checkers.h.
#include <fmt/format.h>

#include "control/config/servers/checkers/checkers.h"

namespace sluice::control::config {

namespace {

/// IFNAMSIZ without its NUL.
constexpr std::size_t interface_name_max = 15;

}  // namespace

void set_bindto(Context& context, const Statement& statement, NetworkCheck& check) {
  if (auto value = read_address(context, statement, 1)) check.source.ensure().address = *value;
}

void set_bind_port(Context& context, const Statement& statement, NetworkCheck& check) {
  if (auto value = read_port(context, statement, 1, false)) check.source.ensure().port = *value;
}

void set_bind_if(Context& context, const Statement& statement, NetworkCheck& check) {
  const Word* word = argument(context, statement, 1, "an interface");
  if (word == nullptr) return;
  if (word->text.empty() || word->text.size() > interface_name_max) {
    context.diagnostics.error(statement.place_of(1), fmt::format("bind_if {} ignored, expected a name of 1..{} bytes",
                                                                 quoted(word->text), interface_name_max));
    return;
  }
  check.source.ensure().interface = word->text;
}

void set_check_fwmark(Context& context, const Statement& statement, NetworkCheck& check) {
  if (auto value = read_integer(context, statement, 1, 0, 4294967295)) {
    check.source.ensure().fwmark = static_cast<std::uint32_t>(*value);
  }
}

void write_bindto(Writer& writer, std::string_view keyword, const NetworkCheck& check) {
  if (check.source && check.source->address) writer.line(keyword, {plain("", check.source->address->text())});
}
void write_bind_port(Writer& writer, std::string_view keyword, const NetworkCheck& check) {
  if (check.source && !check.source->port.is_zero()) {
    writer.line(keyword, {plain("", std::int64_t{check.source->port.host()})});
  }
}
void write_bind_if(Writer& writer, std::string_view keyword, const NetworkCheck& check) {
  if (check.source && !check.source->interface.empty()) writer.line(keyword, {plain("", check.source->interface)});
}
void write_check_fwmark(Writer& writer, std::string_view keyword, const NetworkCheck& check) {
  if (check.source && check.source->fwmark != 0) writer.line(keyword, {plain("", std::int64_t{check.source->fwmark})});
}

void write_checker(Writer& writer, const Checker& checker) {
  writer.open(keyword_of(checker), {}, Occurs::repeated);
  std::visit([&](const auto& check) { write_check(writer, check); }, checker);
  writer.close();
}

}  // namespace sluice::control::config
