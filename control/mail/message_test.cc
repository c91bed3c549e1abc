// Messages as keepalived 2.2.7 writes them: the bytes were recorded from it.
#include "control/mail/message.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace sluice::control {
namespace {

using std::chrono::system_clock;

/// The time zone of a test; given back at its end.
class Zone {
 public:
  explicit Zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    ::unsetenv("TZ");
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
};

const auto recorded_at = system_clock::from_time_t(1795293006);  // 21 Nov 2026 20:30:06 UTC

TEST(MailMessage, IsWhatKeepalivedSends) {
  const Zone utc("UTC");
  const std::vector<std::string> to = {"ops@example.com", "Night Shift <night@example.com>"};
  const Alert alert{"[lb1] VRRP Instance VI_2 - Entering MASTER state", "=> VRRP Instance is now owning VRRP VIPs <="};
  EXPECT_EQ(message_text(alert, recorded_at, "lb@example.com", to),
            "Date: Sat, 21 Nov 2026 20:30:06 +0000\r\nFrom: lb@example.com\r\n"
            "Subject: [lb1] VRRP Instance VI_2 - Entering MASTER state\r\nX-Mailer: Keepalived\r\n"
            "To: ops@example.com, Night Shift <night@example.com>\r\n\r\n"
            "=> VRRP Instance is now owning VRRP VIPs <=\r\n\r\n");
}

TEST(MailMessage, TheDateIsOfThisHostsZone) {
  {
    const Zone west("XXX+9:30");
    EXPECT_EQ(date_text(recorded_at), "Sat, 21 Nov 2026 11:00:06 -0930");
  }
  const Zone east("XXX-5:45");
  EXPECT_EQ(date_text(recorded_at), "Sun, 22 Nov 2026 02:15:06 +0545");
}

TEST(MailMessage, ANameBeginsNoOtherHeader) {
  const std::vector<std::string> to = {"a@b\r\nBcc: c@d"};
  const std::string text = message_text({"one\r\nX-Evil: yes", "a\nb"}, recorded_at, "x@y", to);
  EXPECT_NE(text.find("Subject: one  X-Evil: yes\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("To: a@b  Bcc: c@d\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\r\n\r\na b\r\n\r\n"), std::string::npos) << text;
}

TEST(MailMessage, ManyRecipientsAreFoldedBeforeALineGetsTooLong) {
  std::vector<std::string> to;
  for (int i = 0; i < 200; ++i) to.push_back("somebody-" + std::to_string(i) + "@example.com");
  const std::string text = message_text({"s", "b"}, recorded_at, "x@y", to);
  std::size_t longest = 0;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = text.find("\r\n", from);
    longest = std::max(longest, end - from);
    from = end + 2;
  }
  EXPECT_LE(longest, 998u);
  EXPECT_GT(longest, 900u);
  EXPECT_NE(text.find("somebody-199@example.com\r\n\r\n"), std::string::npos);
}

TEST(MailMessage, TheEnvelopeHasTheAddressAlone) {
  EXPECT_EQ(address_of("a@b.example"), "a@b.example");
  EXPECT_EQ(address_of("Night Shift <night@example.com>"), "night@example.com");
  EXPECT_EQ(address_of("<a@b>"), "a@b");
  EXPECT_EQ(address_of("a@b\r\nRCPT TO:<x@y>"), "x@y");
  EXPECT_EQ(address_of("a@b\r\nQUIT"), "a@bQUIT");
  EXPECT_EQ(address_of(""), "");
  EXPECT_EQ(address_of("> <"), "");
}

TEST(MailMessage, ADotAtALinesBeginIsDoubled) {
  EXPECT_EQ(dot_stuffed("a\r\n.b\r\n..\r\nc.\r\n"), "a\r\n..b\r\n...\r\nc.\r\n.\r\n");
  EXPECT_EQ(dot_stuffed(".\r\n"), "..\r\n.\r\n");
  EXPECT_EQ(dot_stuffed("no end"), "no end\r\n.\r\n");
}

}  // namespace
}  // namespace sluice::control
