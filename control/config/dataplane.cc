// dataplane: Sluice's own block, which keepalived doesn't know.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "control/config/fields.h"

namespace sluice::control::config {

namespace {

/// More than any NIC's queues and any machine's cores today.
constexpr std::int64_t queues_max = 4096;
constexpr std::int64_t core_max = 4095;
/// IFNAMSIZ without its NUL.
constexpr std::size_t interface_name_max = 15;

using D = Dataplane;

/// dpdk isn't among them until it is built.
constexpr std::array<Choice<Driver>, 1> drivers = {{{"af_xdp", Driver::af_xdp}}};
constexpr std::array<Choice<PollPolicy>, 2> polls = {
    {{"adaptive", PollPolicy::adaptive}, {"always", PollPolicy::always}}};
constexpr std::array<Choice<XdpMode>, 4> xdp_modes = {{{"auto", XdpMode::automatic},
                                                       {"zero_copy", XdpMode::zero_copy},
                                                       {"native_copy", XdpMode::native_copy},
                                                       {"generic", XdpMode::generic}}};

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
    if (!is_item(context, line, statement.keyword())) continue;
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

void write_interfaces(Writer& writer, std::string_view keyword, const D& dataplane) {
  if (dataplane.interfaces.empty()) return;
  writer.open_list(keyword);
  for (const std::string& name : dataplane.interfaces) writer.item({plain("name", name)});
  writer.close_list();
}

void write_cores(Writer& writer, std::string_view keyword, const D& dataplane) {
  if (dataplane.cores.empty()) return;
  std::vector<Arg> args;
  for (const unsigned core : dataplane.cores) args.push_back(plain("", std::int64_t{core}));
  writer.line(keyword, args);
}

using F = Field<D>;
constexpr auto interfaces = F::block("interfaces", set_interfaces, write_interfaces);

constexpr auto keywords = std::to_array<Keyword<D>>({
    F::choice<&D::driver, drivers>("driver"),
    interfaces,
    F::custom("interface", set_interfaces),
    F::custom("queues", set_queues,
              [](Writer& writer, std::string_view keyword, const D& dataplane) {
                writer.line(keyword, {plain("", std::int64_t{dataplane.queues})});
              }),
    F::custom("cores", set_cores, write_cores),
    F::integer<&D::connections, connections_min, connections_max>("connections"),
    F::choice<&D::poll, polls>("poll"),
    F::choice<&D::xdp_mode, xdp_modes>("xdp_mode"),
    F::block("classify", read_classify, write_classify, list_classify),
});

}  // namespace

void read_dataplane(Context& context, const Statement& statement) {
  context.config.dataplane.position = context.diagnostics.position(statement.place);
  apply<D>(context, keywords, "dataplane", statement.children, context.config.dataplane);
}

void write_dataplane(Writer& writer, const Config& config) {
  writer.open("dataplane", {});
  write_all<D>(writer, keywords, config.dataplane);
  writer.close();
}

void list_dataplane(const std::string& block, std::vector<KeywordInfo>& out) { list_all<D>(block, keywords, out); }

}  // namespace sluice::control::config
