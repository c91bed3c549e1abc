// Interfaces that an instance makes for itself: use_vmac, use_ipvlan.
#include <algorithm>
#include <array>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

using I = InstanceDraft;
using F = Field<I>;

/// IFNAMSIZ without its NUL.
constexpr std::size_t name_max = 15;

bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() <= name_max && name != "." && name != ".." &&
         name.find_first_of("/: ") == std::string_view::npos;
}

bool looks_like_mac(std::string_view word) { return std::ranges::count(word, ':') >= 3; }

/// Six octets, or five: then the virtual_router_id is the sixth (0 here, filled in when it is known).
std::optional<net::MacAddr> read_mac(Context& context, const Statement& statement, std::size_t index) {
  const std::string& text = statement.words[index].text;
  const bool five = std::ranges::count(text, ':') == 4;
  const auto mac = net::MacAddr::parse(five ? text + ":00" : text);
  if (!mac || mac->is_group()) {
    context.diagnostics.error(
        statement.place_of(index),
        fmt::format("MAC address {} ignored, expected five or six octets of a single station", quoted(text)));
    return std::nullopt;
  }
  const auto& b = mac->bytes;
  if (b[0] == 0 && b[1] == 0 && b[2] == 0x5e && b[3] == 0 && (b[4] == 1 || b[4] == 2)) {
    context.diagnostics.error(
        statement.place_of(index),
        fmt::format("MAC address {} ignored: it is one of VRRP's own, which is used anyway", quoted(text)));
    return std::nullopt;
  }
  return mac;
}

/// group G, at words[index].
bool read_group(Context& context, const Statement& statement, std::size_t& index, std::optional<std::uint32_t>& group) {
  if (statement.words[index].text != "group" || index + 1 >= statement.words.size()) return false;
  if (const auto value = read_integer(context, statement, ++index, 0, 4294967295)) {
    group = static_cast<std::uint32_t>(*value);
  }
  return true;
}

/// use_vmac [NAME [IF]] [MAC] [netlink_notify_msg] [group G].
void read_vmac(Context& context, const Statement& statement, I& draft) {
  if (draft.vi.vmac) {
    context.diagnostics.error(statement.place, "use_vmac ignored, the instance has one already");
    return;
  }
  Vmac vmac;
  draft.vmac_at = statement.place;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const std::string& word = statement.words[i].text;
    if (word == "netlink_notify_msg") {
      vmac.netlink_notify = true;
    } else if (read_group(context, statement, i, vmac.group)) {
      continue;
    } else if (looks_like_mac(word)) {
      vmac.mac = read_mac(context, statement, i);
      draft.vmac_mac_needs_id = std::ranges::count(word, ':') == 4;
    } else if (!is_interface_name(word)) {
      context.diagnostics.error(statement.place_of(i), fmt::format("VMAC name {} ignored, expected 1..{} characters "
                                                                   "that an interface may have",
                                                                   quoted(word), name_max));
    } else if (vmac.name.empty()) {
      vmac.name = word;
    } else if (vmac.parent.empty()) {
      vmac.parent = word;
      context.interfaces.push_back({statement.place_of(i), word});
    } else {
      context.diagnostics.error(statement.place_of(i),
                                fmt::format("{} ignored, expected [NAME [IF]] [MAC]", quoted(word)));
    }
  }
  draft.vi.vmac = std::move(vmac);
}

void write_vmac(Writer& writer, std::string_view keyword, const I& draft) {
  if (!draft.vi.vmac) return;
  const Vmac& vmac = *draft.vi.vmac;
  std::vector<Arg> args;
  if (!vmac.name.empty()) args.push_back(plain("name", vmac.name));
  if (!vmac.parent.empty()) args.push_back(plain("parent", vmac.parent));
  if (vmac.mac) args.push_back(plain("mac", vmac.mac->text()));
  if (vmac.netlink_notify) args.push_back(flag("netlink_notify_msg"));
  if (vmac.group) args.push_back(option("group", std::int64_t{*vmac.group}));
  writer.line(keyword, args);
}

constexpr std::array<Choice<IpvlanMode>, 3> ipvlan_modes = {
    {{"bridge", IpvlanMode::bridge}, {"private", IpvlanMode::private_}, {"vepa", IpvlanMode::vepa}}};

/// use_ipvlan [NAME] [ADDRESS[/LENGTH]] [bridge|private|vepa] [group G].
void read_ipvlan(Context& context, const Statement& statement, I& draft) {
  if (draft.vi.ipvlan) {
    context.diagnostics.error(statement.place, "use_ipvlan ignored, the instance has one already");
    return;
  }
  Ipvlan ipvlan;
  draft.ipvlan_at = statement.place;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const std::string& word = statement.words[i].text;
    const auto mode = std::ranges::find(ipvlan_modes, word, &Choice<IpvlanMode>::word);
    if (mode != ipvlan_modes.end()) {
      ipvlan.mode = mode->value;
    } else if (read_group(context, statement, i, ipvlan.group)) {
      continue;
    } else if (net::IpAddr::parse(std::string_view(word).substr(0, word.find('/')))) {
      const auto address = read_prefix(context, statement, i);
      if (address && takes_family(context, statement.place_of(i), draft, address->address.is_v6(), "use_ipvlan")) {
        ipvlan.address = address;
      }
    } else if (ipvlan.name.empty() && is_interface_name(word)) {
      ipvlan.name = word;
    } else {
      context.diagnostics.error(
          statement.place_of(i),
          fmt::format("{} ignored, expected [NAME] [ADDRESS] [bridge|private|vepa] [group N]", quoted(word)));
    }
  }
  draft.vi.ipvlan = std::move(ipvlan);
}

void write_ipvlan(Writer& writer, std::string_view keyword, const I& draft) {
  if (!draft.vi.ipvlan) return;
  const Ipvlan& ipvlan = *draft.vi.ipvlan;
  std::vector<Arg> args;
  if (!ipvlan.name.empty()) args.push_back(plain("name", ipvlan.name));
  if (ipvlan.address) args.push_back(plain("address", ipvlan.address->text()));
  args.push_back(flag(word_of(ipvlan_modes, ipvlan.mode)));
  if (ipvlan.group) args.push_back(option("group", std::int64_t{*ipvlan.group}));
  writer.line(keyword, args);
}

void read_xmit_base(Context&, const Statement& statement, I& draft) {
  draft.vi.vmac_xmit_base = true;
  draft.xmit_base_at = statement.place;
}

void write_xmit_base(Writer& writer, std::string_view keyword, const I& draft) {
  if (draft.vi.vmac_xmit_base) writer.line(keyword, {});
}

using V = VrrpInstance;
constexpr auto own = std::to_array<Keyword<I>>({
    F::custom("use_vmac", read_vmac, write_vmac),
    F::custom("vmac_xmit_base", read_xmit_base, write_xmit_base, 1),
    F::custom("use_ipvlan", read_ipvlan, write_ipvlan),
});
constexpr auto plain_lines = std::to_array<Keyword<V>>({
    Field<V>::flag<&V::use_vmac_addr>("use_vmac_addr"),
});
constexpr auto keywords = joined(own, lifted<&I::vi, plain_lines>());

}  // namespace

InstanceKeywords vmac_keywords() { return keywords; }

}  // namespace sluice::control::config
