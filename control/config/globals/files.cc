// global_defs: how the file is read again, and which files the daemon writes.
#include <fmt/format.h>

#include <array>

#include "control/config/fields.h"
#include "control/config/globals/parts.h"
#include "control/config/lift.h"

namespace sluice::control::config {

namespace {

using S = FileSettings;
using F = Field<S>;

constexpr unsigned umask_max = 0777;

/// KEYWORD [PATH].
template <std::optional<std::string> S::*Member>
constexpr Keyword<S> optional_path(std::string_view name) {
  return F::custom(
      name,
      [](Context&, const Statement& statement, S& files) {
        files.*Member = statement.words.size() > 1 ? statement.words[1].text : "";
      },
      [](Writer& writer, std::string_view keyword, const S& files) {
        if (!(files.*Member)) return;
        if ((files.*Member)->empty()) return writer.line(keyword, {});
        writer.line(keyword, {plain("", *(files.*Member))});
      },
      2);
}

// --- umask ---

constexpr std::array<Choice<unsigned>, 9> umask_bits = {{{"IRUSR", 0400},
                                                         {"IWUSR", 0200},
                                                         {"IXUSR", 0100},
                                                         {"IRGRP", 040},
                                                         {"IWGRP", 020},
                                                         {"IXGRP", 010},
                                                         {"IROTH", 04},
                                                         {"IWOTH", 02},
                                                         {"IXOTH", 01}}};

/// As strtoul() with base 0: 0x.. hexadecimal, 0.. octal, decimal.
std::optional<unsigned> umask_number(std::string_view text) {
  unsigned base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  if (text.empty() || text.size() > 8) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                           : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                                                  : base;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

/// IRGRP|IWOTH, with or without blanks around the bars.
std::optional<unsigned> umask_of_bits(std::string_view text) {
  unsigned mask = 0;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find('|'));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    bool known_name = name.empty();
    for (const auto& bit : umask_bits) {
      if (bit.word != name) continue;
      mask |= bit.value;
      known_name = true;
    }
    if (!known_name) return std::nullopt;
  }
  return mask;
}

void read_umask(Context& context, const Statement& statement, S& files) {
  if (argument(context, statement, 1, "an octal number or bits such as IRGRP|IWOTH") == nullptr) return;
  std::string text;
  for (std::size_t i = 1; i < statement.words.size(); ++i) text += statement.words[i].text;
  const bool is_number = !text.empty() && text.front() >= '0' && text.front() <= '9';
  const auto mask = is_number ? umask_number(text) : umask_of_bits(text);
  if (!mask || *mask > umask_max) {
    context.diagnostics.error(
        statement.place_of(1),
        fmt::format("umask {} ignored, expected 0..0777 or bits such as IRGRP|IWOTH", quoted(text)));
    return;
  }
  files.umask = mask;
}

constexpr std::string_view own_copy = "no copy of the configuration is written; sluicectl config shows the one in use";
constexpr std::string_view own_tables = "names are looked up in /etc/iproute2 and /usr/share/iproute2";

constexpr auto lines = std::to_array<Keyword<S>>({
    optional_path<&S::reload_check_config>("reload_check_config"),
    F::text<&S::reload_time_file>("reload_time_file").later(),
    F::flag<&S::reload_repeat>("reload_repeat").later(),
    optional_path<&S::reload_file>("reload_file").later(),
    F::text<&S::config_save_dir>("config_save_dir").no_effect(own_copy),
    F::text<&S::tmp_config_directory>("tmp_config_directory").no_effect(own_copy),
    F::boolean<&S::data_use_instance>("data_use_instance").later(),
    F::text<&S::state_dump_file>("state_dump_file").later(),
    F::text<&S::stats_dump_file>("stats_dump_file").later(),
    F::text<&S::json_dump_file>("json_dump_file").later(),
    F::integer<&S::json_version, 1, 2>("json_version").later(),
    F::text<&S::iproute_usr_dir>("iproute_usr_dir").no_effect(own_tables),
    F::text<&S::iproute_etc_dir>("iproute_etc_dir").no_effect(own_tables),
    F::custom("umask", read_umask,
              [](Writer& writer, std::string_view keyword, const S& files) {
                if (files.umask) writer.line(keyword, {plain("", fmt::format("0{:o}", *files.umask))});
              }),
    F::integer<&S::random_seed, 0, 4294967295>("random_seed"),
    // Read while the files are read: it decides what a missing include is.
    F::custom("include_check", known<S>),
});

constexpr auto keywords = lifted<&GlobalDefs::files, lines>();

}  // namespace

GlobalKeywords file_keywords() { return keywords; }

}  // namespace sluice::control::config
