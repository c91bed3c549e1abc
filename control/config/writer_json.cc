// The JSON form of a configuration; see writer.h.
#include <nlohmann/json.hpp>
#include <vector>

#include "control/config/writer.h"

namespace sluice::control::config {

namespace {

using nlohmann::ordered_json;

ordered_json value_of(const std::string& value) { return value; }
ordered_json value_of(std::int64_t value) { return value; }
ordered_json value_of(bool value) { return value; }
ordered_json value_of(Duration value) {
  if (value.count() % 1'000'000 == 0) return value.count() / 1'000'000;
  return static_cast<double>(value.count()) / 1e6;
}
ordered_json value_of(const CommandLine& value) { return value.argv; }
ordered_json value_of(const Arg& arg) {
  return std::visit([](const auto& value) { return value_of(value); }, arg.value);
}

ordered_json object_of(const std::vector<Arg>& args) {
  ordered_json object = ordered_json::object();
  for (const Arg& arg : args) object[std::string(arg.label)] = value_of(arg);
  return object;
}

ordered_json json_of(const std::vector<Arg>& args) {
  if (args.empty()) return true;
  if (args.size() == 1 && args.front().form == Arg::Form::plain) return value_of(args.front());
  if (!args.front().label.empty()) return object_of(args);
  ordered_json array = ordered_json::array();
  for (const Arg& arg : args) array.push_back(value_of(arg));
  return array;
}

class JsonWriter final : public Writer {
 public:
  void line(std::string_view keyword, const std::vector<Arg>& args, Occurs occurs) override {
    put(keyword, json_of(args), occurs);
  }
  void open(std::string_view keyword, const std::vector<Arg>& args, Occurs occurs) override {
    open_.push_back(put(keyword, object_of(args), occurs));
  }
  void close() override { open_.pop_back(); }
  void open_list(std::string_view keyword, const std::vector<Arg>& args) override {
    if (args.empty()) {
      open_.push_back(put(keyword, ordered_json::array(), Occurs::once));
    } else {
      ordered_json& entries = (*put(keyword, object_of(args), Occurs::repeated))["entries"];
      entries = ordered_json::array();
      open_.push_back(&entries);
    }
  }
  void item(const std::vector<Arg>& args) override { open_.back()->push_back(json_of(args)); }
  void close_list() override { close(); }

  /// Bytes that aren't UTF-8 become U+FFFD.
  [[nodiscard]] std::string text() const override {
    return root_.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }

 private:
  /// Pointers to enclosing values stay good: nothing is added beside an open block.
  ordered_json* put(std::string_view keyword, ordered_json value, Occurs occurs) {
    ordered_json& slot = (*open_.back())[std::string(keyword)];
    if (occurs == Occurs::once) {
      slot = std::move(value);
      return &slot;
    }
    if (!slot.is_array()) slot = ordered_json::array();
    slot.push_back(std::move(value));
    return &slot.back();
  }

  ordered_json root_ = ordered_json::object();
  std::vector<ordered_json*> open_{&root_};
};

}  // namespace

std::unique_ptr<Writer> make_json_writer() { return std::make_unique<JsonWriter>(); }

}  // namespace sluice::control::config
