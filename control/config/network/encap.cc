// encap TYPE ... of routes and nexthops: the tunnel into which packets go.
#include <fmt/format.h>

#include <array>

#include "control/config/network/line.h"

namespace sluice::control::config {

namespace {

constexpr std::uint32_t mpls_label_max = (1u << 20) - 1;
/// The kernel's MAX_NEW_LABELS.
constexpr std::size_t mpls_labels_max = 30;

constexpr std::array<Choice<EncapType>, 4> types = {
    {{"mpls", EncapType::mpls}, {"ip", EncapType::ip}, {"ip6", EncapType::ip6}, {"ila", EncapType::ila}}};

/// LABEL[/LABEL...].
bool read_labels(OptionLine& line, Encap& encap) {
  const std::string* text = line.value(exit_status_config);
  if (text == nullptr) return false;
  std::string_view rest = *text;
  while (!rest.empty() && encap.labels.size() < mpls_labels_max) {
    const std::string_view digits = rest.substr(0, rest.find('/'));
    const auto label = any_number(digits, mpls_label_max);
    if (!label) break;
    encap.labels.push_back(static_cast<std::uint32_t>(*label));
    rest.remove_prefix(digits.size());
    if (rest.size() > 1 && rest.front() == '/') rest.remove_prefix(1);
  }
  if (rest.empty() && !encap.labels.empty()) return true;
  line.refuse(fmt::format("labels 0..{}, such as 100 or 100/200", mpls_label_max));
  return false;
}

/// Four groups of at most four hex digits.
bool is_locator(std::string_view text) {
  unsigned groups = 1, digits = 0;
  for (const char c : text) {
    if (c == ':') {
      if (digits == 0) return false;
      ++groups;
      digits = 0;
    } else if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      if (++digits > 4) return false;
    } else {
      return false;
    }
  }
  return groups == 4 && digits > 0;
}

/// id N, dst A, src A, tos|tc N, ttl|hoplimit N, flags N: as long as they come.
bool read_tunnel(OptionLine& line, Encap& encap) {
  const bool is_v6 = encap.type == EncapType::ip6;
  const auto small = [&](std::optional<unsigned>& slot, std::uint64_t max) {
    const auto number = line.number(max);
    if (number) slot = static_cast<unsigned>(*number);
    return number.has_value();
  };
  const auto address = [&](std::optional<net::IpAddr>& slot) {
    slot = line.address();
    if (slot && slot->is_v6() != is_v6) {
      line.refuse(is_v6 ? "an IPv6 address" : "an IPv4 address");
      return false;
    }
    return slot.has_value();
  };
  while (true) {
    line.next();
    if (line.at_end()) break;
    const std::string& word = line.word();
    bool good = true;
    if (word == "id") {
      const auto id = line.number(~std::uint64_t{0});
      good = id.has_value();
      if (good) encap.id = *id;
    } else if (word == "dst") {
      good = address(encap.destination);
    } else if (word == "src") {
      good = address(encap.source);
    } else if (word == (is_v6 ? "tc" : "tos")) {
      good = small(encap.traffic_class, 255);
    } else if (word == (is_v6 ? "hoplimit" : "ttl")) {
      good = small(encap.ttl, 255);
    } else if (word == "flags") {
      good = small(encap.flags, 65535);
    } else {
      break;
    }
    if (!good) return false;
  }
  if (encap.id != 0 || encap.destination) return true;
  line.error("encap has neither id nor dst, expected one of them; the route is ignored");
  return false;
}

}  // namespace

std::optional<Encap> read_encap(OptionLine& line) {
  const std::string* name = line.value();
  if (name == nullptr) return std::nullopt;
  Encap encap;
  bool known_type = false;
  for (const auto& type : types) {
    if (type.word != *name) continue;
    encap.type = type.value;
    known_type = true;
  }
  if (!known_type) {
    line.refuse("mpls, ip, ip6 or ila");
    return std::nullopt;
  }
  if (encap.type == EncapType::ip || encap.type == EncapType::ip6) {
    return read_tunnel(line, encap) ? std::optional(encap) : std::nullopt;
  }
  if (encap.type == EncapType::mpls) {
    if (!read_labels(line, encap)) return std::nullopt;
  } else {
    const std::string* locator = line.value();
    if (locator == nullptr) return std::nullopt;
    if (!is_locator(*locator)) {
      line.refuse("a locator of four groups of hexadecimal digits, such as 1:2:3:4");
      return std::nullopt;
    }
    encap.locator = *locator;
  }
  line.next();
  return encap;
}

void write_encap(std::vector<Arg>& args, const Encap& encap) {
  args.push_back(option("encap", std::string(word_of(types, encap.type))));
  if (encap.type == EncapType::mpls) {
    std::string labels;
    for (const std::uint32_t label : encap.labels) labels += fmt::format("{}{}", labels.empty() ? "" : "/", label);
    args.push_back(plain("labels", labels));
    return;
  }
  if (encap.type == EncapType::ila) {
    args.push_back(plain("locator", encap.locator));
    return;
  }
  const bool is_v6 = encap.type == EncapType::ip6;
  // Not an integer of 63 bits always.
  if (encap.id != 0) args.push_back(option("id", fmt::format("{}", encap.id)));
  if (encap.destination) args.push_back(option("dst", encap.destination->text()));
  if (encap.source) args.push_back(option("src", encap.source->text()));
  if (encap.traffic_class) args.push_back(option(is_v6 ? "tc" : "tos", std::int64_t{*encap.traffic_class}));
  if (encap.ttl) args.push_back(option(is_v6 ? "hoplimit" : "ttl", std::int64_t{*encap.ttl}));
  if (encap.flags) args.push_back(option("flags", std::int64_t{*encap.flags}));
}

}  // namespace sluice::control::config
