// dataplane: Sluice's own block, which keepalived doesn't know.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "control/config/keywords.h"

namespace sluice::control::config {

namespace {

/// More than any NIC's queues and any machine's cores today.
constexpr std::int64_t queues_max = 4096;
constexpr std::int64_t core_max = 4095;
/// IFNAMSIZ without its NUL.
constexpr std::size_t interface_name_max = 15;

using D = Dataplane;

void set_driver(Context& context, const Statement& statement, D& dataplane) {
  const Word* word = argument(context, statement, 1, "af_xdp");
  if (word == nullptr) return;
  if (word->text == "af_xdp") {
    dataplane.driver = Driver::af_xdp;
  } else if (word->text == "dpdk") {
    context.diagnostics.error(statement.place_of(1), "driver 'dpdk' is not built yet, af_xdp is used; expected af_xdp");
  } else {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("driver {} ignored, expected af_xdp", quoted(word->text)));
  }
}

void add_interface(Context& context, const Statement& statement, std::size_t index, D& dataplane) {
  const std::string& name = statement.words[index].text;
  if (name.empty() || name.size() > interface_name_max || name.find('/') != std::string::npos) {
    context.diagnostics.error(
        statement.place_of(index),
        fmt::format("interface {} ignored, expected a name of 1..{} characters", quoted(name), interface_name_max));
    return;
  }
  auto& all = dataplane.interfaces;
  if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
}

/// interfaces eth0 eth1, or a block with any number per line.
void set_interfaces(Context& context, const Statement& statement, D& dataplane) {
  if (!statement.has_block && argument(context, statement, 1, "interface names") == nullptr) return;
  for (std::size_t i = 1; i < statement.words.size(); ++i) add_interface(context, statement, i, dataplane);
  for (const Statement& line : statement.children) {
    for (std::size_t i = 0; i < line.words.size(); ++i) add_interface(context, line, i, dataplane);
  }
}

void set_queues(Context& context, const Statement& statement, D& dataplane) {
  if (statement.words.size() > 1 && statement.words[1].text == "all") {
    dataplane.queues = 0;
  } else if (auto value = read_integer(context, statement, 1, 0, queues_max)) {
    dataplane.queues = static_cast<unsigned>(*value);
  }
}

/// cores 2 3 8-11.
void set_cores(Context& context, const Statement& statement, D& dataplane) {
  if (argument(context, statement, 1, "core numbers or ranges A-B") == nullptr) return;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const std::string& text = statement.words[i].text;
    const auto dash = text.find('-');
    const auto number = [](std::string_view digits) -> std::int64_t {
      if (digits.empty() || digits.size() > 4) return -1;
      std::int64_t value = 0;
      for (const char c : digits) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
      }
      return value <= core_max ? value : -1;
    };
    const std::int64_t first = number(std::string_view(text).substr(0, dash));
    const std::int64_t last = dash == std::string::npos ? first : number(std::string_view(text).substr(dash + 1));
    if (first < 0 || last < first) {
      context.diagnostics.error(statement.place_of(i),
                                fmt::format("core {} ignored, expected N or A-B within 0..{}", quoted(text), core_max));
      continue;
    }
    for (std::int64_t core = first; core <= last; ++core) {
      const auto id = static_cast<unsigned>(core);
      if (std::find(dataplane.cores.begin(), dataplane.cores.end(), id) == dataplane.cores.end()) {
        dataplane.cores.push_back(id);
      }
    }
  }
}

void set_connections(Context& context, const Statement& statement, D& dataplane) {
  if (auto value = read_integer(context, statement, 1, connections_min, connections_max)) {
    dataplane.connections = static_cast<std::uint32_t>(*value);
  }
}

void set_poll(Context& context, const Statement& statement, D& dataplane) {
  const Word* word = argument(context, statement, 1, "adaptive or always");
  if (word == nullptr) return;
  if (word->text == "adaptive") {
    dataplane.poll = PollPolicy::adaptive;
  } else if (word->text == "always") {
    dataplane.poll = PollPolicy::always;
  } else {
    context.diagnostics.error(statement.place_of(1),
                              fmt::format("poll {} ignored, expected adaptive or always", quoted(word->text)));
  }
}

void set_xdp_mode(Context& context, const Statement& statement, D& dataplane) {
  static constexpr std::array<std::pair<std::string_view, XdpMode>, 4> modes = {{
      {"auto", XdpMode::automatic},
      {"zero_copy", XdpMode::zero_copy},
      {"native_copy", XdpMode::native_copy},
      {"generic", XdpMode::generic},
  }};
  const Word* word = argument(context, statement, 1, "auto, zero_copy, native_copy or generic");
  if (word == nullptr) return;
  for (const auto& [name, mode] : modes) {
    if (name == word->text) {
      dataplane.xdp_mode = mode;
      return;
    }
  }
  context.diagnostics.error(
      statement.place_of(1),
      fmt::format("xdp_mode {} ignored, expected auto, zero_copy, native_copy or generic", quoted(word->text)));
}

constexpr auto keywords = std::to_array<Keyword<D>>({
    {"driver", set_driver},
    {"interfaces", set_interfaces, Shape::block, 0},
    {"interface", set_interfaces, Shape::line, 0},
    {"queues", set_queues},
    {"cores", set_cores, Shape::line, 0},
    {"connections", set_connections},
    {"poll", set_poll},
    {"xdp_mode", set_xdp_mode},
});

}  // namespace

void read_dataplane(Context& context, const Statement& statement) {
  context.config.dataplane.position = context.diagnostics.position(statement.place);
  apply<D>(context, keywords, "dataplane", statement.children, context.config.dataplane);
}

}  // namespace sluice::control::config
