// An alert as it is mailed: envelope, headers and body, byte for byte as keepalived 2.2.7 writes them, so that filters
// that were made for its mails go on to work. Pure; who says it to a mail server is smtp_dialogue.h.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/mail/alert.h"

namespace sluice::control {

/// What goes over the wire for one mail.
struct Mail {
  std::string from;             ///< for MAIL FROM: the address alone
  std::vector<std::string> to;  ///< for RCPT TO: the addresses alone
  std::string message;          ///< headers and body, lines with CR LF, dots not yet doubled
};

/// "a@b" of "Name <a@b>" or of "a@b". keepalived 2.2.7 puts the whole text between angle brackets, which mail servers
/// refuse; its successors do as we do. Without what could end a command.
[[nodiscard]] std::string address_of(std::string_view written);

/// "Sat, 21 Nov 2026 20:30:06 +0000": RFC 5322 3.3, in this host's time zone.
[[nodiscard]] std::string date_text(std::chrono::system_clock::time_point at);

/// Headers, an empty line, the body, an empty line. recipients: as written in the file. A header's line is folded only
/// where it would get longer than a mail server has to take (RFC 5322 2.1.1).
[[nodiscard]] std::string message_text(const Alert& alert, std::chrono::system_clock::time_point at,
                                       std::string_view from, std::span<const std::string> recipients);

/// As DATA takes it: a dot at a line's begin doubled, and the line with a dot alone that ends it (RFC 5321 4.5.2).
[[nodiscard]] std::string dot_stuffed(std::string_view message);

}  // namespace sluice::control
