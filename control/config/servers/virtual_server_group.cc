// virtual_server_group: a line per address, range, network or fwmark.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/servers/fields.h"

namespace sluice::control::config {

namespace {

using Form = GroupEntry::Form;

constexpr std::array<Choice<Family>, 2> families = {{{"inet", Family::v4}, {"inet6", Family::v6}}};

void complain_entry(Context& context, const Statement& line, std::string_view what) {
  context.diagnostics.error(line.place_of(0), fmt::format("{} ignored: {}", quoted(line.words[0].text), what));
}

std::optional<std::uint32_t> number(std::string_view text, unsigned base, std::uint32_t max) {
  std::uint64_t value = 0;
  if (text.empty() || text.size() > 10) return std::nullopt;
  for (const char c : text) {
    unsigned digit = 99;
    if (c >= '0' && c <= '9') digit = unsigned(c - '0');
    if (c >= 'a' && c <= 'f') digit = unsigned(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') digit = unsigned(c - 'A') + 10;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  if (value > max) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

/// The address with its last part (IPv4: a byte, IPv6: 16 bits) replaced.
net::IpAddr with_last_part(const net::IpAddr& address, std::uint32_t part) {
  if (address.is_v4()) return net::Ipv4Addr::from_host((address.v4().host() & ~std::uint32_t{0xff}) | part);
  net::Ipv6Addr v6 = address.v6();
  v6.bytes[14] = static_cast<std::uint8_t>(part >> 8);
  v6.bytes[15] = static_cast<std::uint8_t>(part);
  return v6;
}

std::string last_part(const net::IpAddr& address) {
  if (address.is_v4()) return fmt::format("{}", address.v4().host() & 0xff);
  return fmt::format("{:x}", unsigned(address.v6().bytes[14]) << 8 | address.v6().bytes[15]);
}

bool has_host_bits(const net::IpAddr& address, unsigned length) {
  if (address.is_v4()) return (std::uint64_t{address.v4().host()} << length & 0xffffffff) != 0;
  const net::Ipv6Addr v6 = address.v6();
  for (unsigned bit = length; bit < 128; ++bit) {
    if ((v6.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return true;
  }
  return false;
}

bool read_range(Context& context, const Statement& line, std::string_view end, GroupEntry& entry) {
  if (end.find_first_of(".:") != std::string_view::npos) {
    const auto last = net::IpAddr::parse(end);
    if (!last || last->is_v6() != entry.first.is_v6()) {
      complain_entry(context, line, "expected an address of the same family after the '-'");
      return false;
    }
    entry.form = Form::range;
    entry.last = *last;
  } else {
    const bool v6 = entry.first.is_v6();
    const auto part = number(end, v6 ? 16 : 10, v6 ? 0xffff : 255);
    if (!part) {
      complain_entry(context, line,
                     v6 ? "expected the last part 0..ffff, in hexadecimal, or an address after the '-'"
                        : "expected the last byte 0..255, or an address after the '-'");
      return false;
    }
    entry.form = Form::last_part;
    entry.last = with_last_part(entry.first, *part);
  }
  if (entry.last <= entry.first) {
    complain_entry(context, line, "expected the range to end above its start");
    return false;
  }
  return true;
}

bool read_network(Context& context, const Statement& line, std::string_view text, GroupEntry& entry) {
  const auto length = number(text, 10, entry.first.is_v6() ? 128 : 32);
  if (!length || *length == 0) {
    complain_entry(context, line,
                   entry.first.is_v6() ? "expected a prefix length 1..128 after the '/'"
                                       : "expected a prefix length 1..32 after the '/'");
    return false;
  }
  entry.form = Form::network;
  entry.prefix_length = *length;
  if (has_host_bits(entry.first, *length)) {
    complain_entry(context, line, "expected the network's own address, there are bits set behind the prefix");
    return false;
  }
  return true;
}

bool read_address_entry(Context& context, const Statement& line, GroupEntry& entry) {
  const std::string_view text = line.words[0].text;
  const std::size_t mark = text.find_first_of("-/");
  const auto first = net::IpAddr::parse(text.substr(0, mark));
  if (!first) {
    const bool with_port = net::Ipv4Addr::parse(text.substr(0, text.find(':'))).has_value();
    complain_entry(context, line,
                   with_port ? "the port is a word of its own"
                             : "expected IP, IP-LASTPART, IP-IP, NET/LEN or fwmark N, with a port as another word");
    return false;
  }
  entry.first = *first;
  if (mark != std::string_view::npos) {
    const std::string_view rest = text.substr(mark + 1);
    if (!(text[mark] == '-' ? read_range(context, line, rest, entry) : read_network(context, line, rest, entry))) {
      return false;
    }
  }
  if (line.words.size() > 1) {
    const auto port = read_port(context, line, 1, true);
    if (!port) return false;
    entry.port = *port;
  }
  if (line.words.size() > 2) note_extra_words(context, line, 2);
  return true;
}

bool read_fwmark(Context& context, const Statement& line, GroupEntry& entry) {
  const auto mark = read_integer(context, line, 1, 0, 4294967295);
  if (!mark) return false;
  if (*mark == 0) {
    context.diagnostics.add(Severity::error, line.place_of(1),
                            "fwmark '0' ignored, packets without a mark have it; "
                            "expected 1..4294967295",
                            exit_status_clean);
    return false;
  }
  entry.form = Form::fwmark;
  entry.fwmark = static_cast<std::uint32_t>(*mark);
  if (line.words.size() > 2) {
    entry.family = read_choice(context, line, 2, families);
    if (!entry.family) return false;
  }
  return true;
}

/// keepalived can't tell what family such a fwmark is of.
bool is_ambiguous(const VirtualServerGroup& group) {
  bool v4 = false;
  bool v6 = false;
  bool bare = false;
  for (const GroupEntry& entry : group.entries) {
    if (entry.form == Form::fwmark) {
      bare |= !entry.family;
    } else {
      (entry.first.is_v6() ? v6 : v4) = true;
    }
  }
  return v4 && v6 && bare;
}

std::vector<Arg> args_of(const GroupEntry& entry) {
  if (entry.form == Form::fwmark) {
    std::vector<Arg> args = {option("fwmark", std::int64_t{entry.fwmark})};
    if (entry.family) args.push_back(plain("family", std::string(word_of(families, *entry.family))));
    return args;
  }
  std::string text = entry.first.text();
  if (entry.form == Form::last_part) text += "-" + last_part(entry.last);
  if (entry.form == Form::range) text += "-" + entry.last.text();
  if (entry.form == Form::network) text += fmt::format("/{}", entry.prefix_length);
  std::vector<Arg> args = {plain("address", std::move(text))};
  if (!entry.port.is_zero()) args.push_back(plain("port", std::int64_t{entry.port.host()}));
  return args;
}

}  // namespace

void read_virtual_server_group(Context& context, const Statement& statement) {
  const Word* name = argument(context, statement, 1, "a name");
  if (name == nullptr) return;
  VirtualServerGroup group;
  group.position = context.diagnostics.position(statement.place);
  group.name = name->text;
  std::size_t total = 0;
  for (const Statement& line : statement.children) {
    GroupEntry entry;
    entry.position = context.diagnostics.position(line.place);
    if (!(line.keyword() == "fwmark" ? read_fwmark(context, line, entry) : read_address_entry(context, line, entry))) {
      continue;
    }
    const std::size_t size = size_of(entry);
    if (size > group_members_max - total) {
      context.diagnostics.add(Severity::error, line.place_of(0),
                              fmt::format("{} ignored: the group would stand for more than {} addresses, expected a "
                                          "longer prefix or fewer of them",
                                          quoted(line.words[0].text), group_members_max),
                              exit_status_clean);
      continue;
    }
    total += size;
    group.entries.push_back(std::move(entry));
  }
  if (group.entries.empty()) {
    context.diagnostics.error(
        statement.place, fmt::format("virtual_server_group {} ignored, it has no valid entry", quoted(group.name)));
    return;
  }
  if (is_ambiguous(group)) {
    context.diagnostics.error(statement.place,
                              fmt::format("virtual_server_group {} ignored: with IPv4 and IPv6 addresses in it, "
                                          "expected 'fwmark N inet' or 'fwmark N inet6'",
                                          quoted(group.name)));
    return;
  }
  auto& groups = context.config.virtual_server_groups;
  const auto same =
      std::find_if(groups.begin(), groups.end(), [&](const auto& other) { return other.name == group.name; });
  if (same != groups.end()) {
    warn_quietly(context, statement.place,
                 fmt::format("virtual_server_group {} ignored, its name is taken at {}", quoted(group.name),
                             same->position.text()));
    return;
  }
  groups.push_back(std::move(group));
}

void write_virtual_server_groups(Writer& writer, const Config& config) {
  for (const VirtualServerGroup& group : config.virtual_server_groups) {
    writer.open_list("virtual_server_group", {plain("name", group.name)});
    for (const GroupEntry& entry : group.entries) writer.item(args_of(entry));
    writer.close_list();
  }
}

/// Its lines begin with what they stand for; fwmark is the only word.
void list_virtual_server_group(const std::string& block, std::vector<KeywordInfo>& out) {
  out.push_back({block, "fwmark", {}, Effect::acts, {}});
}

}  // namespace sluice::control::config
