// Reads one reply of an SMTP server as keepalived does: the first line, which must be three digits and then a blank or
// its end (RFC 5321 4.2). So the first line of many, "220-", is no good reply. Pure and bounded, so it can be fuzzed;
// what the code should be is smtp_check.cc's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::health {

/// One per reply.
class SmtpReply {
 public:
  /// RFC 5321 4.5.3.1.5 allows 512.
  static constexpr std::size_t line_bytes_max = 1024;

  /// Takes the next bytes; what follows the first line is ignored.
  void feed(std::string_view bytes);

  /// The line is complete, with or without a good code.
  [[nodiscard]] bool complete() const { return complete_; }
  /// The line is over line_bytes_max; nothing good can come any more.
  [[nodiscard]] bool too_long() const { return !complete_ && line_.size() > line_bytes_max; }
  /// 0..999, once complete and well-formed.
  [[nodiscard]] std::optional<std::uint16_t> code() const;
  /// The line for a log: at most 80 characters, what isn't printable as '?'.
  [[nodiscard]] std::string text() const;

 private:
  std::string line_;
  bool complete_ = false;
};

}  // namespace sluice::health
