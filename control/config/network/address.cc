// Lines of addresses: ADDRESS[/LENGTH] [OPTION...].
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/network/line.h"

namespace sluice::control::config {

namespace {

/// IFNAMSIZ without its NUL.
constexpr std::size_t label_max = 15;
/// Longer prefixes have no broadcast address.
constexpr unsigned broadcast_length_max = 30;

constexpr std::array<Choice<bool InterfaceAddress::*>, 7> flags = {{{"home", &InterfaceAddress::home},
                                                                    {"-nodad", &InterfaceAddress::nodad},
                                                                    {"mngtmpaddr", &InterfaceAddress::mngtmpaddr},
                                                                    {"noprefixroute", &InterfaceAddress::noprefixroute},
                                                                    {"autojoin", &InterfaceAddress::autojoin},
                                                                    {"no_track", &InterfaceAddress::no_track},
                                                                    {"use_vmac", &InterfaceAddress::use_vmac}}};

class AddressLine {
 public:
  AddressLine(Context& context, const Statement& line, bool is_static)
      : context_(context),
        statement_(line),
        line_(context, line, "address", 1, exit_status_config),
        is_static_(is_static) {}

  std::optional<InterfaceAddress> read() {
    if (!read_address()) return std::nullopt;
    while (!line_.at_end() && !dropped_) {
      read_option();
      line_.next();
    }
    if (dropped_) return std::nullopt;
    if (result_.address.is_v6() && result_.prefix_length == 128 && !lifetime_given_) {
      result_.preferred_lifetime = std::chrono::seconds(0);
    }
    return std::move(result_);
  }

 private:
  bool read_address() {
    const std::string& text = statement_.keyword();
    const auto slash = text.find('/');
    const auto address = net::IpAddr::parse(std::string_view(text).substr(0, slash));
    if (!address) {
      context_.diagnostics.error(statement_.place,
                                 fmt::format("{} ignored, expected an address such as 192.0.2.1/24", quoted(text)));
      return false;
    }
    result_.position = context_.diagnostics.position(statement_.place);
    result_.address = *address;
    const unsigned longest = address->is_v6() ? 128 : 32;
    result_.prefix_length = longest;
    if (slash == std::string::npos) return true;
    if (const auto length = parse_number(std::string_view(text).substr(slash + 1), longest)) {
      result_.prefix_length = *length;
    } else {
      context_.diagnostics.error(statement_.place, fmt::format("prefix length of {} is taken as {}, expected 0..{}",
                                                               quoted(text), longest, longest));
    }
    return true;
  }

  void read_option() {
    const std::string option = line_.word();
    for (const auto& flag : flags) {
      if (flag.word == option && !(is_static_ && option == "use_vmac")) {
        result_.*flag.value = true;
        return;
      }
    }
    if (option == "dev") return set_interface();
    if (option == "brd" || option == "broadcast") return set_broadcast();
    if (option == "label") return set_label();
    if (option == "scope") return set_scope();
    if (option == "peer") return set_peer();
    if (option == "preferred_lft") return set_lifetime();
    if (option == "track_group" && is_static_) return set_track_group();
    complain(fmt::format("address option {} ignored, expected dev, brd, label, scope, peer, preferred_lft or a flag",
                         quoted(option)));
  }

  void set_interface() {
    if (auto name = line_.interface()) {
      result_.dev = *name;
    } else {
      dropped_ = true;
    }
  }

  void set_broadcast() {
    const std::string* text = value();
    if (text == nullptr) return;
    if (result_.address.is_v6()) {
      complain("an IPv6 address has no broadcast address; the address is ignored");
      dropped_ = true;
      return;
    }
    if (*text == "+" || *text == "-") {
      if (result_.prefix_length > broadcast_length_max) {
        return complain(fmt::format("broadcast ignored, expected a prefix of at most {}", broadcast_length_max));
      }
      const std::uint32_t mask = result_.prefix_length == 0 ? 0xffff'ffffu : 0xffff'ffffu >> result_.prefix_length;
      const std::uint32_t network = result_.address.v4().host() & ~mask;
      result_.broadcast = net::Ipv4Addr::from_host(*text == "+" ? network | mask : network);
      return;
    }
    const auto address = net::Ipv4Addr::parse(*text);
    if (!address) {
      complain(fmt::format("broadcast {}: expected an IPv4 address, + or -; the address is ignored", quoted(*text)));
      dropped_ = true;
      return;
    }
    result_.broadcast = *address;
  }

  void set_label() {
    const std::string* text = value();
    if (text == nullptr) return;
    if (result_.address.is_v6()) return complain("label ignored, IPv6 addresses have none");
    if (text->size() > label_max) {
      complain(
          fmt::format("label {}: expected at most {} characters; the address is ignored", quoted(*text), label_max));
      dropped_ = true;
      return;
    }
    result_.label = *text;
  }

  void set_scope() {
    const std::string* text = value();
    if (text == nullptr) return;
    if (result_.address.is_v6()) return complain("scope ignored, it follows from an IPv6 address");
    auto scope = any_number(*text, 255);
    if (!scope) scope = number_of(context_, NameTable::scopes, *text);
    if (!scope || *scope > 255) {
      return complain(fmt::format("scope {} ignored, expected host, link, site, global or 0..255", quoted(*text)));
    }
    result_.scope = static_cast<unsigned>(*scope);
  }

  /// ADDRESS[/LENGTH]; 2.2.7 takes no length. Its own length has no meaning then.
  void set_peer() {
    const std::string* text = value();
    if (text == nullptr) return;
    const auto slash = text->find('/');
    const auto peer = net::IpAddr::parse(std::string_view(*text).substr(0, slash));
    const unsigned longest = result_.address.is_v6() ? 128 : 32;
    const auto length = slash == std::string::npos ? std::optional<std::uint32_t>(longest)
                                                   : parse_number(std::string_view(*text).substr(slash + 1), longest);
    if (!peer || !length || peer->is_v6() != result_.address.is_v6()) {
      return complain(fmt::format("peer {} ignored, expected an {} address", quoted(*text),
                                  result_.address.is_v6() ? "IPv6" : "IPv4"));
    }
    result_.peer = Prefix{*peer, *length};
    if (result_.prefix_length != longest) {
      complain(
          fmt::format("the length /{} is ignored beside a peer, expected the address alone", result_.prefix_length));
      result_.prefix_length = longest;
    }
  }

  void set_lifetime() {
    const std::string* text = value();
    if (text == nullptr) return;
    if (*text == "forever") {
      lifetime_given_ = true;
      result_.preferred_lifetime.reset();
    } else if (const auto seconds = parse_number(*text, 0xffff'ffff)) {
      lifetime_given_ = true;
      // What the kernel calls infinity.
      if (*seconds != 0xffff'ffff) result_.preferred_lifetime = std::chrono::seconds(*seconds);
    } else {
      complain(fmt::format("preferred_lft {} ignored, expected seconds or forever", quoted(*text)));
    }
  }

  void set_track_group() {
    const std::string* text = value();
    if (text != nullptr && is_track_group(context_, line_.place(), *text)) result_.track_group = *text;
  }

  const std::string* value() {
    const std::string* text = line_.value();
    if (text == nullptr) dropped_ = true;
    return text;
  }

  void complain(std::string message) { line_.error(std::move(message)); }

  Context& context_;
  const Statement& statement_;
  OptionLine line_;
  bool is_static_;
  bool dropped_ = false;
  bool lifetime_given_ = false;
  InterfaceAddress result_;
};

}  // namespace

std::optional<InterfaceAddress> read_interface_address(Context& context, const Statement& line, bool is_static) {
  return AddressLine(context, line, is_static).read();
}

void write_interface_address(Writer& writer, const InterfaceAddress& address) {
  std::vector<Arg> args = {plain("address", Prefix{address.address, address.prefix_length}.text())};
  if (!address.dev.empty()) args.push_back(option("dev", address.dev));
  if (address.broadcast) args.push_back(option("brd", address.broadcast->text()));
  if (!address.label.empty()) args.push_back(option("label", address.label));
  if (address.scope != 0) args.push_back(option("scope", std::int64_t{address.scope}));
  if (address.peer) {
    const unsigned longest = address.address.is_v6() ? 128 : 32;
    args.push_back(
        option("peer", address.peer->length == longest ? address.peer->address.text() : address.peer->text()));
  }
  if (address.preferred_lifetime) {
    args.push_back(option("preferred_lft", std::int64_t{address.preferred_lifetime->count()}));
  } else if (address.address.is_v6() && address.prefix_length == 128) {
    args.push_back(option("preferred_lft", std::string("forever")));
  }
  for (const auto& each : flags) {
    if (address.*each.value) args.push_back(flag(each.word));
  }
  if (!address.track_group.empty()) args.push_back(option("track_group", address.track_group));
  writer.item(args);
}

}  // namespace sluice::control::config
