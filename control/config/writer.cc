// The language's form of a configuration; see writer.h. Quoting is the lexer's, backwards: double quotes protect
// blanks, braces and comment signs and know no escapes; inside a command \xHH stands for whatever is special there.
#include "control/config/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace sluice::control::config {

namespace {

constexpr std::size_t indent_blanks = 4;

/// Needs no quotes wherever it stands.
bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("_-+.,:/%*=?^|&;()[]<>").find(c) != std::string_view::npos || (c & 0x80) != 0;
}

class TextWriter final : public Writer {
 public:
  void line(std::string_view keyword, const std::vector<Arg>& args, Occurs) override {
    start();
    out_ += written_word(keyword);
    add(args);
    out_ += '\n';
  }

  void open(std::string_view keyword, const std::vector<Arg>& args, Occurs) override {
    if (depth_ == 0 && !out_.empty()) out_ += '\n';
    start();
    out_ += written_word(keyword);
    add(args);
    out_ += " {\n";
    ++depth_;
  }

  void close() override {
    --depth_;
    start();
    out_ += "}\n";
  }

  void open_list(std::string_view keyword, const std::vector<Arg>& args) override { open(keyword, args, Occurs::once); }

  void item(const std::vector<Arg>& args) override {
    start();
    const std::size_t at = out_.size();
    add(args);
    if (out_.size() > at) out_.erase(at, 1);  // no blank before the first word
    out_ += '\n';
  }

  void close_list() override { close(); }

  [[nodiscard]] std::string text() const override { return out_; }

 private:
  void start() { out_.append(depth_ * indent_blanks, ' '); }

  void add(const std::vector<Arg>& args) {
    for (const Arg& arg : args) {
      if (arg.form != Arg::Form::plain) {
        out_ += ' ';
        out_ += arg.label;
      }
      if (arg.form != Arg::Form::flag) {
        out_ += ' ';
        out_ += std::visit([](const auto& value) { return word(value); }, arg.value);
      }
    }
  }

  static std::string word(const std::string& value) { return written_word(value); }
  static std::string word(std::int64_t value) { return fmt::format("{}", value); }
  static std::string word(bool value) { return value ? "true" : "false"; }
  static std::string word(Duration value) { return seconds_text(value); }
  static std::string word(const CommandLine& value) { return '"' + written_command(value.argv) + '"'; }

  std::string out_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string written_word(std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return std::string(word);
  return '"' + std::string(word) + '"';
}

std::string written_command(const std::vector<std::string>& argv) {
  std::string out;
  for (const std::string& arg : argv) {
    if (!out.empty()) out += ' ';
    if (arg.empty()) out += "''";
    for (const char c : arg) {
      if (is_plain(c) && (c & 0x80) == 0) {
        out += c;
      } else {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
  }
  return out;
}

std::string seconds_text(Duration duration) {
  const auto whole = duration.count() / 1'000'000;
  const auto part = duration.count() % 1'000'000;
  if (part == 0) return fmt::format("{}", whole);
  std::string text = fmt::format("{}.{:06}", whole, part);
  return text.substr(0, text.find_last_not_of('0') + 1);
}

std::unique_ptr<Writer> make_text_writer() { return std::make_unique<TextWriter>(); }

}  // namespace sluice::control::config
