#include "health/smtp_reply.h"

#include <algorithm>

namespace sluice::health {

void SmtpReply::feed(std::string_view bytes) {
  if (complete_ || too_long()) return;
  const auto end = bytes.find('\n');
  line_.append(bytes.substr(0, std::min(end, line_bytes_max + 1 - line_.size())));
  if (end == std::string_view::npos || line_.size() > line_bytes_max) return;
  complete_ = true;
  if (line_.ends_with('\r')) line_.pop_back();
}

std::optional<std::uint16_t> SmtpReply::code() const {
  if (!complete_ || line_.size() < 3) return std::nullopt;
  std::uint16_t code = 0;
  for (const char c : std::string_view(line_).substr(0, 3)) {
    if (c < '0' || c > '9') return std::nullopt;
    code = static_cast<std::uint16_t>(code * 10 + (c - '0'));
  }
  if (line_.size() > 3 && line_[3] != ' ') return std::nullopt;
  return code;
}

std::string SmtpReply::text() const {
  constexpr std::size_t shown_max = 80;
  std::string text = line_.substr(0, shown_max);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace sluice::health
