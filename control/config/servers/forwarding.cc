// lvs_method and lb_kind: how packets get to a real server.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/servers/fields.h"
#include "control/config/servers/servers.h"

namespace sluice::control::config {

namespace {

constexpr std::array<Choice<ForwardingMethod>, 3> methods = {
    {{"NAT", ForwardingMethod::nat}, {"DR", ForwardingMethod::direct}, {"TUN", ForwardingMethod::tunnel}}};
constexpr std::array<Choice<TunnelType>, 3> tunnel_types = {
    {{"ipip", TunnelType::ipip}, {"gue", TunnelType::gue}, {"gre", TunnelType::gre}}};
constexpr std::array<Choice<TunnelChecksum>, 3> checksums = {
    {{"nocsum", TunnelChecksum::none}, {"csum", TunnelChecksum::full}, {"remcsum", TunnelChecksum::remote}}};

/// Where the options went wrong, if they did.
struct OptionPlaces {
  std::optional<Place> port;
  std::optional<Place> checksum;
};

void complain_method(Context& context, const Statement& statement) {
  const std::string& word = statement.words[1].text;
  std::string upper = word;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  const bool only_case = upper == "NAT" || upper == "DR" || upper == "TUN";
  context.diagnostics.error(
      statement.place_of(1),
      fmt::format("{} {} ignored, expected NAT, DR or TUN in upper case{}; NAT unless another line says otherwise",
                  statement.keyword(), quoted(word), only_case ? fmt::format(" (did you mean '{}'?)", upper) : ""));
}

void read_options(Context& context, const Statement& statement, Forwarding& forwarding, OptionPlaces& places) {
  for (std::size_t i = 2; i < statement.words.size(); ++i) {
    const std::string& option = statement.words[i].text;
    const auto* const checksum =
        std::find_if(checksums.begin(), checksums.end(), [&](const auto& choice) { return choice.word == option; });
    if (forwarding.method == ForwardingMethod::tunnel && option == "type") {
      if (soft_argument(context, statement, ++i, "type ipip, gue or gre") == nullptr) return;
      if (const auto type = read_choice(context, statement, i, tunnel_types)) forwarding.tunnel = *type;
    } else if (forwarding.method == ForwardingMethod::tunnel && option == "port") {
      if (soft_argument(context, statement, ++i, "port 1..65535") == nullptr) return;
      if (const auto port = read_port(context, statement, i, false)) forwarding.port = *port;
      places.port = statement.place_of(i);
    } else if (forwarding.method == ForwardingMethod::tunnel && checksum != checksums.end()) {
      forwarding.checksum = checksum->value;
      places.checksum = statement.place_of(i);
    } else {
      context.diagnostics.error(
          statement.place_of(i),
          fmt::format("{} option {} ignored, expected {}", statement.words[1].text, quoted(option),
                      forwarding.method == ForwardingMethod::tunnel ? "type, port, nocsum, csum or remcsum"
                                                                    : "none: only TUN has any"));
    }
  }
}

}  // namespace

std::optional<Forwarding> read_forwarding(Context& context, const Statement& statement) {
  const Word* word = argument(context, statement, 1, "NAT, DR or TUN");
  if (word == nullptr) return std::nullopt;
  const auto* const method =
      std::find_if(methods.begin(), methods.end(), [&](const auto& choice) { return choice.word == word->text; });
  if (method == methods.end()) {
    complain_method(context, statement);
    return std::nullopt;
  }
  Forwarding forwarding;
  forwarding.method = method->value;
  OptionPlaces places;
  read_options(context, statement, forwarding, places);

  if (forwarding.tunnel == TunnelType::gue && forwarding.port.is_zero()) {
    context.diagnostics.error(statement.place, fmt::format("{} ignored: type gue lacks its port, expected 'port N'",
                                                           quoted(statement.keyword())));
    return std::nullopt;
  }
  if (forwarding.tunnel != TunnelType::gue && !forwarding.port.is_zero()) {
    context.diagnostics.error(*places.port, "port ignored, expected it with type gue only");
    forwarding.port = {};
  }
  const bool checksum_fits = forwarding.checksum == TunnelChecksum::none || forwarding.tunnel == TunnelType::gue ||
                             (forwarding.tunnel == TunnelType::gre && forwarding.checksum == TunnelChecksum::full);
  if (!checksum_fits) {
    context.diagnostics.error(*places.checksum,
                              forwarding.tunnel == TunnelType::ipip
                                  ? "checksum option ignored, type ipip has no checksum; expected type gue or gre"
                                  : "remcsum ignored, expected it with type gue only");
    forwarding.checksum = TunnelChecksum::none;
  }
  return forwarding;
}

void write_forwarding(Writer& writer, std::string_view keyword, const Forwarding& forwarding) {
  std::vector<Arg> args = {plain("method", std::string(word_of(methods, forwarding.method)))};
  if (forwarding.tunnel != TunnelType::ipip) {
    args.push_back(option("type", std::string(word_of(tunnel_types, forwarding.tunnel))));
  }
  if (!forwarding.port.is_zero()) args.push_back(option("port", std::int64_t{forwarding.port.host()}));
  if (forwarding.checksum != TunnelChecksum::none) args.push_back(flag(word_of(checksums, forwarding.checksum)));
  writer.line(keyword, args);
}

}  // namespace sluice::control::config
