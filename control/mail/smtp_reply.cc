#include "control/mail/smtp_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sluice::control {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// 0: the line doesn't begin with a code.
std::uint16_t code_of(std::string_view line) {
  if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) || !is_digit(line[2])) return 0;
  return static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
}

}  // namespace

std::string SmtpReply::words() const {
  return text.empty() ? fmt::format("{}", code) : fmt::format("{} {}", code, text);
}

// What the limits allow is at most one reply: a server that talks on is stopped by the reader, who takes what is whole
// before more is read.
void SmtpReplyReader::feed(std::string_view bytes) {
  if (problem_.empty()) pending_ += bytes;
}

std::optional<SmtpReply> SmtpReplyReader::take() {
  while (problem_.empty()) {
    const auto end = pending_.find('\n');
    if ((end == std::string::npos ? pending_.size() : end) > line_bytes_max) {
      problem_ = fmt::format("a line longer than {} bytes", line_bytes_max);
      break;
    }
    if (end == std::string::npos) return std::nullopt;
    std::string_view line(pending_.data(), end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    auto reply = read_line(line);
    pending_.erase(0, end + 1);
    if (reply) return reply;
  }
  pending_.clear();
  return std::nullopt;
}

std::optional<SmtpReply> SmtpReplyReader::read_line(std::string_view line) {
  const std::uint16_t code = code_of(line);
  const char after = line.size() > 3 ? line[3] : ' ';
  if (code == 0 || (after != ' ' && after != '-')) {
    problem_ = "a line that is no SMTP reply";
    return std::nullopt;
  }
  if (lines_ > 0 && code != reply_.code) {
    problem_ = fmt::format("a reply that is both {} and {}", reply_.code, code);
    return std::nullopt;
  }
  if (++lines_ > lines_max) {
    problem_ = fmt::format("a reply of more than {} lines", lines_max);
    return std::nullopt;
  }
  reply_.code = code;
  if (line.size() > 4) keep_text(line.substr(4));
  if (after == '-') return std::nullopt;
  lines_ = 0;
  return std::exchange(reply_, {});
}

void SmtpReplyReader::keep_text(std::string_view text) {
  if (!reply_.text.empty() && reply_.text.size() < text_bytes_max) reply_.text += ' ';
  for (const char c : text.substr(0, text_bytes_max - std::min(text_bytes_max, reply_.text.size()))) {
    reply_.text += c >= 0x20 && c < 0x7f ? c : '?';  // it goes to the log
  }
}

}  // namespace sluice::control
