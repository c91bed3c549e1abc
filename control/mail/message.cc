#include "control/mail/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace sluice::control {

namespace {

/// RFC 5322 2.1.1, without CR LF.
constexpr std::size_t line_bytes_max = 998;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// A name from the file could hold a line's end: it must not begin another header.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  return line;
}

std::string recipients_header(std::span<const std::string> recipients) {
  std::string header = "To: ";
  std::size_t line = header.size();
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    const std::string recipient = one_line(recipients[i]);
    if (i > 0) {
      const bool fits = line + recipient.size() + 3 <= line_bytes_max;
      header += fits ? ", " : ",\r\n ";
      line = fits ? line + 2 : 1;
    }
    header += recipient;
    line += recipient.size();
  }
  return header;
}

}  // namespace

std::string address_of(std::string_view written) {
  const auto close = written.rfind('>');
  const auto open = written.rfind('<', close);
  const bool named = open != std::string_view::npos && close != std::string_view::npos && open < close;
  const std::string_view inner = named ? written.substr(open + 1, close - open - 1) : written;
  std::string address;
  std::copy_if(inner.begin(), inner.end(), std::back_inserter(address),
               [](char c) { return !is_control(c) && c != ' ' && c != '<' && c != '>'; });
  return address;
}

// Not strftime: its names of days and months are the locale's.
std::string date_text(std::chrono::system_clock::time_point at) {
  static constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const long minutes = local.tm_gmtoff / 60;
  const long apart = minutes < 0 ? -minutes : minutes;
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} {}{:02}{:02}", days.at(std::size_t(local.tm_wday)),
                     local.tm_mday, months.at(std::size_t(local.tm_mon)), local.tm_year + 1900, local.tm_hour,
                     local.tm_min, local.tm_sec, minutes < 0 ? '-' : '+', apart / 60, apart % 60);
}

std::string message_text(const Alert& alert, std::chrono::system_clock::time_point at, std::string_view from,
                         std::span<const std::string> recipients) {
  return fmt::format("Date: {}\r\nFrom: {}\r\nSubject: {}\r\nX-Mailer: Keepalived\r\n{}\r\n\r\n{}\r\n\r\n",
                     date_text(at), one_line(from), one_line(alert.subject), recipients_header(recipients),
                     one_line(alert.body));
}

std::string dot_stuffed(std::string_view message) {
  std::string out;
  out.reserve(message.size() + 8);
  bool begins = true;
  for (const char c : message) {
    if (begins && c == '.') out += '.';
    out += c;
    begins = c == '\n';
  }
  if (!begins) out += "\r\n";
  return out + ".\r\n";
}

}  // namespace sluice::control
