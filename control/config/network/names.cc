// iproute2's tables of names; see line.h. What every system has is built in; other names are looked up in its files,
// which are small, and only when one is met.
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "control/config/network/line.h"

namespace sluice::control::config {

namespace {

/// Nobody has more names than this; a file that is no table ends here.
constexpr std::size_t lines_max = 4096;

struct Builtin {
  NameTable table;
  std::string_view name;
  std::uint32_t number;
};

/// linux/rtnetlink.h; DSCP code points of RFC 2474 and 3246 as a TOS byte.
constexpr auto builtins = std::to_array<Builtin>({
    {NameTable::scopes, "global", 0},      {NameTable::scopes, "universe", 0},
    {NameTable::scopes, "site", 200},      {NameTable::scopes, "link", 253},
    {NameTable::scopes, "host", 254},      {NameTable::scopes, "nowhere", 255},
    {NameTable::tables, "default", 253},   {NameTable::tables, "main", 254},
    {NameTable::tables, "local", 255},     {NameTable::protocols, "unspec", 0},
    {NameTable::protocols, "redirect", 1}, {NameTable::protocols, "kernel", 2},
    {NameTable::protocols, "boot", 3},     {NameTable::protocols, "static", 4},
    {NameTable::protocols, "ra", 9},       {NameTable::protocols, "bird", 12},
    {NameTable::protocols, "dhcp", 16},    {NameTable::protocols, "keepalived", 18},
    {NameTable::realms, "cosmos", 0},      {NameTable::groups, "default", 0},
    {NameTable::tos, "default", 0},        {NameTable::tos, "AF11", 0x28},
    {NameTable::tos, "AF12", 0x30},        {NameTable::tos, "AF13", 0x38},
    {NameTable::tos, "AF21", 0x48},        {NameTable::tos, "AF22", 0x50},
    {NameTable::tos, "AF23", 0x58},        {NameTable::tos, "AF31", 0x68},
    {NameTable::tos, "AF32", 0x70},        {NameTable::tos, "AF33", 0x78},
    {NameTable::tos, "AF41", 0x88},        {NameTable::tos, "AF42", 0x90},
    {NameTable::tos, "AF43", 0x98},        {NameTable::tos, "EF", 0xb8},
    {NameTable::tos, "CS1", 0x20},         {NameTable::tos, "CS2", 0x40},
    {NameTable::tos, "CS3", 0x60},         {NameTable::tos, "CS4", 0x80},
    {NameTable::tos, "CS5", 0xa0},         {NameTable::tos, "CS6", 0xc0},
    {NameTable::tos, "CS7", 0xe0},
});

std::string_view file_of(NameTable table) {
  switch (table) {
    case NameTable::scopes: return "rt_scopes";
    case NameTable::tables: return "rt_tables";
    case NameTable::protocols: return "rt_protos";
    case NameTable::realms: return "rt_realms";
    case NameTable::tos: return "rt_dsfield";
    case NameTable::groups: return "group";
  }
  return "";
}

/// Lines of "NUMBER NAME"; '#' begins a comment. The first of two of a name counts.
void read_names(const std::filesystem::path& path, std::map<std::string, std::uint32_t>& names) {
  std::ifstream in(path);
  std::string line;
  for (std::size_t i = 0; i < lines_max && std::getline(in, line); ++i) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string number, text;
    if (!(words >> number >> text)) continue;
    if (const auto value = any_number(number, 0xffff'ffff)) names.emplace(text, static_cast<std::uint32_t>(*value));
  }
}

std::map<std::string, std::uint32_t> read_table(std::string_view name) {
  std::map<std::string, std::uint32_t> names;
  for (const std::string_view folder : {"/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"}) {
    const std::filesystem::path file = std::filesystem::path(folder) / name;
    read_names(file, names);
    std::error_code none;
    const std::filesystem::path more = file.string() + ".d";
    for (std::filesystem::directory_iterator entry(more, none), end; !none && entry != end; entry.increment(none)) {
      if (entry->path().extension() == ".conf") read_names(entry->path(), names);
    }
  }
  return names;
}

}  // namespace

std::optional<std::uint32_t> number_of(Context& context, NameTable table, const std::string& name) {
  for (const Builtin& builtin : builtins) {
    if (builtin.table == table && builtin.name == name) return builtin.number;
  }
  const std::string file(file_of(table));
  auto known = context.name_tables.find(file);
  if (known == context.name_tables.end()) known = context.name_tables.emplace(file, read_table(file)).first;
  const auto number = known->second.find(name);
  return number == known->second.end() ? std::nullopt : std::optional(number->second);
}

}  // namespace sluice::control::config
