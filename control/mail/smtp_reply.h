// A mail server's replies, as they arrive in pieces of any size: three digits and some text, on one line or several
// (RFC 5321 4.2). Pure and bounded, so it can be fuzzed; what a reply means is smtp_dialogue.h's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::control {

/// text: of all lines, joined with spaces, printable, cut at SmtpReplyReader::text_bytes_max.
struct SmtpReply {
  std::uint16_t code;  ///< 200..599
  std::string text;

  [[nodiscard]] bool is_good() const { return code < 400; }
  /// "Try again later", as opposed to "never".
  [[nodiscard]] bool is_temporary() const { return code >= 400 && code < 500; }
  /// "550 no such user here"
  [[nodiscard]] std::string words() const;

  bool operator==(const SmtpReply&) const = default;
};

/// Not thread-safe; one per connection.
class SmtpReplyReader {
 public:
  static constexpr std::size_t line_bytes_max = 2048;  ///< RFC 5321 4.5.3.1.5 has 512; some servers talk more
  static constexpr std::size_t lines_max = 100;        ///< of one reply
  static constexpr std::size_t text_bytes_max = 200;   ///< what is kept of it, for the log

  /// Takes the next bytes. After a problem everything is ignored.
  void feed(std::string_view bytes);
  /// The next whole reply, if there is one.
  [[nodiscard]] std::optional<SmtpReply> take();
  /// Why no reply can come any more: what came isn't one. Empty while all is well.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  [[nodiscard]] std::optional<SmtpReply> read_line(std::string_view line);
  void keep_text(std::string_view text);

  std::string pending_;  // what came and wasn't looked at
  std::string problem_;
  SmtpReply reply_{};  // of the lines so far
  std::size_t lines_ = 0;
};

}  // namespace sluice::control
